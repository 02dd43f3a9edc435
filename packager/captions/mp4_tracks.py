"""Tracks of text in MP4 files, progressive or fragmented: found, and read to captions.

A track is named by its place among the traks of moov, from 1.  Times are those of the
presentation: what an edit list takes out, and what a fragmented file's clock begins with, is
taken off, as it is of its pictures and sound.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction

from packager.captions.cues import MAX_BYTES, MAX_CUES, Captions
from packager.captions.mp4_samples import READERS, TextSample
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.isobmff.box import children, iter_boxes, unpack, version_and_flags
from packager.isobmff.demux import parse_movie
from packager.isobmff.edit_list import parse_edit_list
from packager.isobmff.fragment_samples import expand, samples_of
from packager.isobmff.fragments import parse_trex
from packager.isobmff.layout import Layout, read_layout
from packager.isobmff.sample_tables import parse_samples
from packager.languages import bcp47
from packager.plan import Extent, Reads
from packager.samples import Samples
from packager.source import MAX_TRACKS

_HANDLERS = {b"text", b"subt", b"sbtl", b"clcp"}
_TOGETHER = 64 << 10
"""Bytes between two samples that are read along with them."""

_MOST_READ = 4 << 20
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class TextTrack:
    number: int
    """Among the traks of moov, from 1."""

    id: int
    form: str
    """Its sample entry: ``tx3g``, ``wvtt``, ``stpp``, ``c608``."""

    language: str | None
    """BCP 47."""

    forced: bool
    timescale: int
    origin: int
    """Media time of the presentation zero, ticks."""

    entry: bytes
    """The payload of its sample entry."""


def text_tracks(file_size: int) -> Reads[tuple[TextTrack, ...]]:
    """Those that can be read, of a file whose pictures and sound are taken."""
    layout = yield from read_layout(file_size)
    found = []
    for number, trak in _traks(layout):
        try:
            found.append(_parse_trak(number, trak, _movie_timescale(layout)))
        except PackagerError:
            continue  # of another kind, or one that no player could show
    return tuple(found)


def read_text_track(file_size: int, number: int) -> Reads[Captions]:
    """The captions of trak *number*.  Raises ``PackagerError``."""
    layout = yield from read_layout(file_size)
    trak = dict(_traks(layout)).get(number)
    if trak is None:
        raise MalformedBox(b"trak", f"there is no track {number}")
    track = _parse_trak(number, trak, _movie_timescale(layout))
    samples = _samples(layout, trak, track.id, file_size)
    size = int(samples.size.sum())
    if size > MAX_BYTES or len(samples) > 2 * MAX_CUES:
        raise Unsupported(f"{track.form}: {size} bytes of text in {len(samples)} samples")
    data = yield from _read(samples)
    scale = track.timescale
    shift = Fraction(track.origin, scale) + _begin(layout, file_size)
    times = zip(samples.cts.tolist(), samples.duration.tolist(), data, strict=True)
    texts = [
        TextSample(Fraction(at, scale), Fraction(at + lasting, scale), payload)
        for at, lasting, payload in times
    ]
    return READERS[track.form](track.entry, texts, shift)


def _traks(layout: Layout) -> list[tuple[int, memoryview]]:
    traks = [payload for fourcc, payload in iter_boxes(layout.moov) if fourcc == b"trak"]
    if len(traks) > MAX_TRACKS:
        raise Unsupported(f"trak: {len(traks)} tracks are more than {MAX_TRACKS}")
    return list(enumerate(traks, 1))


def _begin(layout: Layout, file_size: int) -> Fraction:
    """Seconds by which the presentation was moved to zero."""
    try:
        return parse_movie(layout, file_size).begin
    except PackagerError:
        return Fraction(0)  # nothing but text


def _movie_timescale(layout: Layout) -> int:
    return _timescale(b"mvhd", _need(children(layout.moov), b"mvhd"))


def _parse_trak(number: int, trak: memoryview, movie_timescale: int) -> TextTrack:
    boxes = children(trak)
    mdia = children(_need(boxes, b"mdia"))
    handler = bytes(_need(mdia, b"hdlr")[8:12])
    if handler not in _HANDLERS:
        raise Unsupported(f"hdlr: {handler!r} is not text")
    entries = list(iter_boxes(_need(_stbl(mdia), b"stsd")[8:]))
    if not entries or entries[0][0].decode("latin-1") not in READERS:
        raise Unsupported("stsd: text in a format that is not known")
    fourcc, entry = entries[0]
    mdhd = _need(mdia, b"mdhd")
    scale = _timescale(b"mdhd", mdhd)
    origin = 0
    if b"edts" in boxes and b"elst" in (edts := children(boxes[b"edts"])):
        origin = parse_edit_list(edts[b"elst"], movie_timescale, scale).origin
    _, body = _behind_times(b"tkhd", _need(boxes, b"tkhd"))
    (track_id,) = unpack(b"tkhd", struct.Struct(">I"), body)
    forced = fourcc == b"tx3g" and len(entry) >= 12 and bool(entry[8] & 0xC0)
    return TextTrack(
        number, track_id, fourcc.decode(), _language(mdia, mdhd), forced, scale, origin,
        bytes(entry),
    )  # fmt: skip


def _samples(layout: Layout, trak: memoryview, track_id: int, file_size: int) -> Samples:
    stbl = _stbl(children(_need(children(trak), b"mdia")))
    mvex = children(layout.moov).get(b"mvex")
    known = None
    if b"stsz" in stbl or b"stz2" in stbl:
        found = parse_samples(stbl, file_size)[0]
        known = found if len(found) else None
    if mvex is not None or layout.fragments.count:
        trex = {} if mvex is None else parse_trex(mvex)
        rows = expand(layout.fragments.runs, trex, file_size).of(track_id)
        if rows.runs and len(rows.size):
            known = samples_of(rows, known, sound=True)
    if known is None:
        raise Unsupported(f"track {track_id}: no samples")
    return known


def _read(samples: Samples) -> Reads[list[bytes]]:
    """The bytes of each, those that lie close together in one read."""
    offsets, sizes = samples.offset.tolist(), samples.size.tolist()
    order = sorted(range(len(offsets)), key=offsets.__getitem__)
    found = [b""] * len(order)
    at, held = 0, b""
    for place, row in enumerate(order):
        start, stop = offsets[row], offsets[row] + sizes[row]
        if not at <= start <= stop <= at + len(held):
            end, ahead = stop, place + 1
            while ahead < len(order) and offsets[order[ahead]] <= end + _TOGETHER:
                more = offsets[order[ahead]] + sizes[order[ahead]]
                if more - start > _MOST_READ:
                    break
                end, ahead = max(end, more), ahead + 1
            held, at = (yield Extent(start, end - start)), start
        found[row] = bytes(held[start - at : stop - at])
    return found


def _stbl(mdia: dict[bytes, memoryview]) -> dict[bytes, memoryview]:
    return children(_need(children(_need(mdia, b"minf")), b"stbl"))


def _need(boxes: dict[bytes, memoryview], fourcc: bytes) -> memoryview:
    if fourcc not in boxes:
        raise MalformedBox(fourcc, "missing")
    return boxes[fourcc]


def _behind_times(fourcc: bytes, payload: memoryview) -> tuple[int, memoryview]:
    version, _, body = version_and_flags(fourcc, payload)
    return version, body[16 if version == 1 else 8 :]


def _timescale(fourcc: bytes, payload: memoryview) -> int:
    (found,) = unpack(fourcc, struct.Struct(">I"), _behind_times(fourcc, payload)[1])
    if not found:
        raise MalformedBox(fourcc, "timescale is zero")
    return found


def _language(mdia: dict[bytes, memoryview], mdhd: memoryview) -> str | None:
    if b"elng" in mdia:
        tag = bytes(version_and_flags(b"elng", mdia[b"elng"])[2]).split(b"\0")[0]
        if tag:
            return bcp47(tag.decode("ascii", "replace"))
    version, body = _behind_times(b"mdhd", mdhd)
    (code,) = unpack(b"mdhd", struct.Struct(">H"), body[12 if version == 1 else 8 :])
    return bcp47("".join(chr((code >> shift & 31) + 0x60) for shift in (10, 5, 0)))
