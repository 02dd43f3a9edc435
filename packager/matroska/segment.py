"""A file of Matroska from its first byte to its last: what its tracks are, and all frames.

Sizes of Segment and clusters may be unknown, as live writers leave them (RFC 8794 §6.2).  The
index of the file itself (Cues, SeekHead) is not read: writers get it wrong or leave it out,
and all blocks are looked at once anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass

from packager.errors import MalformedElement, Unsupported
from packager.matroska.clusters import Frames, Walk, read_cluster
from packager.matroska.ebml import children, name_of, text, unsigned
from packager.matroska.entries import Entry, parse_entries
from packager.plan import Extent, Reads
from packager.source import Container

MAGIC = b"\x1a\x45\xdf\xa3"
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_INFO, _TRACKS, _CLUSTER, _VOID = 0x1549A966, 0x1654AE6B, 0x1F43B675, 0xEC
_DOC_TYPE, _READ_VERSION, _SCALE = 0x4282, 0x42F7, 0x2AD7B1
_DOC_TYPES = {"matroska": Container.MATROSKA, "webm": Container.WEBM}
_MAX_LENGTHS = {0x42F2: ("EBMLMaxIDLength", 4), 0x42F3: ("EBMLMaxSizeLength", 8)}
"""RFC 9559 §6.1."""

_MAX_EBML_HEADER = 4 << 10
_MAX_INFO = 1 << 20
_MAX_TRACKS_SIZE = 16 << 20
_DEFAULT_SCALE = 1_000_000
_MAX_SCALE = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    container: Container
    scale: int
    """Nanoseconds of a tick."""

    entries: tuple[Entry, ...]
    frames: dict[int, Frames]
    """By track number, of those of *entries* that were wanted."""


Wanted = Callable[[Entry], Frames | None]
"""Where the frames of a track go; None where they are passed over."""


def read_segment(file_size: int, wanted: Wanted) -> Reads[Segment]:
    walk = Walk(file_size, {})
    container, at = yield from _ebml_header(walk)
    identifier, size, width = yield from walk.head(at, "the file")
    if identifier != _SEGMENT:
        raise MalformedElement("Segment", f"missing: {name_of(identifier)} comes first")
    at += width
    end = file_size
    if size is not None:
        if at + size > file_size:
            raise MalformedElement(
                "Segment", f"size {size} exceeds the {file_size - at} bytes of the file"
            )
        end = at + size
    scale, entries = yield from _children(walk, at, end, wanted)
    walk.bound()  # of the last window
    return Segment(container, scale, entries, walk.frames)


def _ebml_header(walk: Walk) -> Reads[tuple[Container, int]]:
    """What the file is, and where the header ends."""
    identifier, size, width = yield from walk.head(0, "the file")
    if identifier != _EBML or size is None or size > _MAX_EBML_HEADER:
        raise MalformedElement("EBML", f"size {size} of the header")
    header = children((yield from _payload(walk, width, size, "EBML")), "EBML")
    version = unsigned(header.get(_READ_VERSION, memoryview(b"\1")), "EBMLReadVersion")
    if version != 1:
        raise Unsupported(f"EBMLReadVersion: {version}")
    for each, (name, most) in _MAX_LENGTHS.items():
        if each in header and (length := unsigned(header[each], name)) > most:
            raise Unsupported(f"{name}: {length} bytes are more than {most}")
    kind = text(header.get(_DOC_TYPE, memoryview(b"matroska")))
    if kind not in _DOC_TYPES:
        raise Unsupported(f"DocType: {kind!r} is neither matroska nor webm")
    return _DOC_TYPES[kind], width + size


def _payload(walk: Walk, at: int, size: int, name: str) -> Reads[memoryview]:
    if at + size > walk.file_size:
        left = walk.file_size - at
        raise MalformedElement(name, f"size {size} exceeds the {left} bytes left in the file")
    yield from walk.see(at)
    place = at - walk.start
    if place + size <= len(walk.data):
        return memoryview(walk.data)[place : place + size]
    data = yield Extent(at, size)
    if len(data) < size:
        raise MalformedElement(name, "the file ends inside it")
    return memoryview(data)


def _children(
    walk: Walk, at: int, end: int, wanted: Wanted
) -> Reads[tuple[int, tuple[Entry, ...]]]:
    """TimestampScale and the tracks; their frames are in the walk then."""
    scale, entries = _DEFAULT_SCALE, None
    clusters = 0
    while at < end:
        identifier, size, width = yield from walk.head(at, "Segment")
        at += width
        name = name_of(identifier)
        if identifier in (_EBML, _SEGMENT):
            raise Unsupported(f"{name}: a second one in the file")
        if identifier == _CLUSTER:
            if entries is None:
                raise Unsupported("Tracks: missing before the first Cluster")
            clusters += 1
        elif size is None:
            raise MalformedElement(name, "of unknown size")
        if size is not None and at + size > end:
            raise MalformedElement(name, f"size {size} exceeds the {end - at} left in Segment")
        if identifier == _CLUSTER:
            stop = end if size is None else at + size
            at = yield from read_cluster(walk, at, stop, open_ended=size is None)
            continue
        assert size is not None
        if identifier == _INFO and not clusters:
            scale = yield from _timestamp_scale(walk, at, size)
        elif identifier == _TRACKS and entries is None:
            if size > _MAX_TRACKS_SIZE:
                raise Unsupported(f"Tracks: {size} bytes are more than {_MAX_TRACKS_SIZE}")
            entries = parse_entries((yield from _payload(walk, at, size, name)))
            pairs = ((entry.number, wanted(entry)) for entry in entries)
            walk.frames = {number: frames for number, frames in pairs if frames is not None}
        at += size
    if not entries:
        raise MalformedElement("Tracks", "missing" if entries is None else "no track")
    return scale, entries


def _timestamp_scale(walk: Walk, at: int, size: int) -> Reads[int]:
    if size > _MAX_INFO:
        raise Unsupported(f"Info: {size} bytes are more than {_MAX_INFO}")
    info = children((yield from _payload(walk, at, size, "Info")), "Info")
    if _SCALE not in info:
        return _DEFAULT_SCALE
    scale = unsigned(info[_SCALE], "TimestampScale")
    if not 1 <= scale <= _MAX_SCALE:
        raise MalformedElement("TimestampScale", f"{scale} nanoseconds")
    return scale
