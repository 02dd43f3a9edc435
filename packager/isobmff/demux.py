"""Progressive MP4 to tracks and neutral sample tables (ISO/IEC 14496-12 §8).

``demux`` finds moov wherever it is, by reading box headers only, and reads nothing of mdat.
It refuses, by the name of the box, what it cannot get right.
"""

import struct
from dataclasses import replace

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import (
    LARGE_HEADER_SIZE,
    children,
    iter_boxes,
    parse_header,
    unpack,
    version_and_flags,
)
from packager.isobmff.edit_list import parse_edit_list
from packager.isobmff.sample_entries import parse_sample_entry
from packager.isobmff.sample_tables import parse_samples
from packager.languages import bcp47
from packager.plan import Extent, Reads
from packager.samples import Samples
from packager.source import MAX_SAMPLES, MAX_TRACKS, Movie
from packager.timescale import MAX_TICKS
from packager.tracks import Edit, Track, VideoFormat

MAX_MOOV_SIZE = 128 << 20
MAX_TOP_LEVEL_BOXES = 1024
_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_HANDLERS = {b"vide", b"soun"}


def demux(file_size: int) -> Reads[Movie]:
    """Read the movie of a file of *file_size* bytes."""
    extent = yield from _find_moov(file_size)
    moov = memoryview((yield extent))
    if len(moov) != extent.length:
        raise MalformedBox(b"moov", "the file ends inside it")
    return parse_moov(moov, file_size)


def _find_moov(file_size: int) -> Reads[Extent]:
    """The payload of the movie box."""
    position, fragments, seen = 0, False, []
    for _ in range(MAX_TOP_LEVEL_BOXES):
        if position >= file_size:
            break
        available = file_size - position
        header = yield Extent(position, min(LARGE_HEADER_SIZE, available))
        if len(header) < 8:
            break
        fourcc, start, size = parse_header(header, available)
        seen.append(fourcc)
        if len(seen) == 1 and not fourcc.isalnum():
            raise MalformedBox(b"ftyp", "missing: this is not an ISO base media file")
        if fourcc == b"moov":
            if size > available:
                raise MalformedBox(b"moov", f"size {size} exceeds the {available} bytes left")
            if size > MAX_MOOV_SIZE:
                raise Unsupported(f"moov: {size} bytes are more than {MAX_MOOV_SIZE}")
            return Extent(position + start, size - start)
        fragments |= fourcc == b"moof"
        position += size  # an mdat may claim more than the file has: then moov came before
    if not file_size:
        raise MalformedBox(b"moov", "missing: the file is empty")
    if fragments:
        raise Unsupported("moof: a media segment without its moov")
    names = b" ".join(seen[:8]).decode("ascii", "backslashreplace")
    raise MalformedBox(b"moov", f"missing; found {names or 'no box'}")


def parse_moov(moov: memoryview, file_size: int) -> Movie:
    boxes = children(moov)
    if b"cmov" in boxes:
        raise Unsupported("cmov: compressed movie boxes")
    if b"mvex" in boxes:
        raise Unsupported("mvex: fragmented input is not supported yet")
    if b"mvhd" not in boxes:
        raise MalformedBox(b"mvhd", "missing from moov")
    movie_timescale = _header_timescale(b"mvhd", boxes[b"mvhd"])
    traks = [payload for fourcc, payload in iter_boxes(moov) if fourcc == b"trak"]
    if len(traks) > MAX_TRACKS:
        raise Unsupported(f"trak: {len(traks)} tracks are more than {MAX_TRACKS}")
    tracks, left_out = [], []
    for number, trak in enumerate(traks, 1):
        try:
            tracks.append(_parse_trak(trak, movie_timescale, file_size))
        except Unsupported as reason:
            left_out.append(f"track {number}: {reason}")
        if sum(len(samples) for _, samples in tracks) > MAX_SAMPLES:
            raise Unsupported(f"moov: more than {MAX_SAMPLES} samples")
    if not tracks:
        raise Unsupported("; ".join(left_out) or "moov: no track")
    return Movie(tuple(tracks), tuple(left_out))


def _parse_trak(
    trak: memoryview, movie_timescale: int, file_size: int
) -> tuple[Track, Samples]:
    boxes = children(trak)
    mdia = _inside(boxes, b"mdia")
    handler = bytes(_need(mdia, b"hdlr", b"mdia")[8:12])
    if handler not in _HANDLERS:
        name = handler.decode("ascii", "backslashreplace")
        raise Unsupported(f"hdlr: {name!r} is neither video nor audio")
    stbl = _inside(_inside(mdia, b"minf"), b"stbl")
    form = parse_sample_entry(_need(stbl, b"stsd", b"stbl"))
    if (handler == b"vide") != isinstance(form, VideoFormat):
        raise MalformedBox(b"hdlr", "does not fit the codec in stsd")
    samples = parse_samples(stbl, file_size)
    if not len(samples):
        raise Unsupported("stsz: no samples")
    mdhd = _need(mdia, b"mdhd", b"mdia")
    timescale = _header_timescale(b"mdhd", mdhd)
    tkhd = _need(boxes, b"tkhd", b"trak")
    track_id, matrix = _parse_tkhd(tkhd)
    if isinstance(form, VideoFormat):
        form = _with_matrix(form, matrix)
    else:
        samples = _in_composition_order(samples)
    _check_times(samples)
    edit = Edit()
    if b"edts" in boxes and b"elst" in (edts := children(boxes[b"edts"])):
        edit = parse_edit_list(edts[b"elst"], movie_timescale, timescale)
    language = bcp47(_extended_language(mdia) or _packed_language(mdhd))
    return Track(track_id, form, timescale, edit, language), samples


def _need(boxes: dict[bytes, memoryview], fourcc: bytes, parent: bytes) -> memoryview:
    if fourcc not in boxes:
        raise MalformedBox(fourcc, f"missing from {parent.decode()}")
    return boxes[fourcc]


def _inside(boxes: dict[bytes, memoryview], fourcc: bytes) -> dict[bytes, memoryview]:
    return children(_need(boxes, fourcc, b"its parent"))


def _time_fields(fourcc: bytes, payload: memoryview) -> tuple[int, memoryview]:
    """Version, and what follows the two times of mvhd, mdhd and tkhd."""
    version, _, body = version_and_flags(fourcc, payload)
    skip = {0: 8, 1: 16}.get(version)
    if skip is None or len(body) < skip:
        raise MalformedBox(fourcc, f"version {version} in {len(payload)} bytes")
    return version, body[skip:]


def _header_timescale(fourcc: bytes, payload: memoryview) -> int:
    (timescale,) = unpack(fourcc, struct.Struct(">I"), _time_fields(fourcc, payload)[1])
    if not timescale:
        raise MalformedBox(fourcc, "timescale is zero")
    return timescale


def _packed_language(mdhd: memoryview) -> str:
    """ISO 639-2/T in three five-bit letters (§8.4.2.3)."""
    version, body = _time_fields(b"mdhd", mdhd)
    (code,) = unpack(b"mdhd", struct.Struct(">H"), body[12 if version else 8 :])
    return "".join(chr((code >> shift & 31) + 0x60) for shift in (10, 5, 0))


def _extended_language(mdia: dict[bytes, memoryview]) -> str | None:
    if b"elng" not in mdia:
        return None
    tag = bytes(version_and_flags(b"elng", mdia[b"elng"])[2]).split(b"\0")[0]
    return tag.decode("ascii", "replace") or None


def _parse_tkhd(payload: memoryview) -> tuple[int, bytes]:
    version, body = _time_fields(b"tkhd", payload)
    (track_id,) = unpack(b"tkhd", struct.Struct(">I"), body)
    start = (16 if version else 12) + 8 + 8
    matrix = bytes(body[start : start + 36])
    if len(matrix) < 36:
        raise MalformedBox(b"tkhd", "cut short before its matrix")
    return track_id, matrix


def _with_matrix(form: VideoFormat, matrix: bytes) -> VideoFormat:
    """Keep a rotation; a translation or scaling says nothing to a player."""
    if matrix[:8] == _IDENTITY[:8]:
        return form
    return replace(form, matrix=matrix)


def _in_composition_order(samples: Samples) -> Samples:
    """Audio frames are not reordered: where ctts delays them, that is when they start.

    A ctts that would reorder them is a writer's mistake (seen: an offset on the first frame
    alone) and is ignored.
    """
    steps = samples.cts[1:] - samples.cts[:-1]
    if int(samples.cts[0]) < 0 or (steps <= 0).any():
        return replace(samples, cts=samples.dts)
    if int(steps.max(initial=0)) >= 1 << 31:
        raise MalformedBox(b"ctts", "a sample lasts 2^31 ticks or more")
    duration = samples.duration.copy()
    duration[:-1] = steps
    return replace(samples, dts=samples.cts, duration=duration)


def _check_times(samples: Samples) -> None:
    if int(samples.dts[-1] + samples.duration[-1]) > MAX_TICKS:
        raise MalformedBox(b"stts", "the track is longer than 2^46 ticks")
