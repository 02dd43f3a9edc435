"""MP4 and QuickTime files to tracks and neutral sample tables (ISO/IEC 14496-12 §8).

Progressive, fragmented or both.  It refuses, by the name of the box, what it cannot get right.
"""

import struct
from dataclasses import dataclass, replace
from fractions import Fraction

from packager.codecs.h264 import AvcConfig
from packager.codecs.hevc import HevcConfig
from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import children, iter_boxes, unpack, version_and_flags
from packager.isobmff.descriptions import parse_description
from packager.isobmff.edit_list import parse_edit_list
from packager.isobmff.fragment_samples import Rows, expand, samples_of
from packager.isobmff.fragment_times import from_zero, open_ended
from packager.isobmff.fragments import Defaults, parse_trex
from packager.isobmff.layout import Layout, read_layout
from packager.isobmff.sample_tables import parse_samples, used_descriptions
from packager.languages import bcp47
from packager.plan import Reads
from packager.samples import Samples
from packager.source import MAX_SAMPLES, MAX_TRACKS, Movie
from packager.timescale import MAX_TICKS
from packager.tracks import AudioFormat, Edit, Track, VideoFormat

_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_HANDLERS = {b"vide", b"soun"}


def demux(file_size: int) -> Reads[Movie]:
    """Read the movie of a file of *file_size* bytes."""
    return parse_movie((yield from read_layout(file_size)), file_size)


def parse_movie(layout: Layout, file_size: int) -> Movie:
    boxes = children(layout.moov)
    if b"cmov" in boxes:
        raise Unsupported("cmov: compressed movie boxes")
    if b"mvhd" not in boxes:
        raise MalformedBox(b"mvhd", "missing from moov")
    movie_timescale = _header_timescale(b"mvhd", boxes[b"mvhd"])
    traks = [payload for fourcc, payload in iter_boxes(layout.moov) if fourcc == b"trak"]
    if len(traks) > MAX_TRACKS:
        raise Unsupported(f"trak: {len(traks)} tracks are more than {MAX_TRACKS}")
    fragmented = _expand(layout, boxes.get(b"mvex"), file_size)
    tracks, left_out = [], []
    broken: MalformedBox | None = None
    for number, trak in enumerate(traks, 1):
        try:
            track, samples, untimed = _parse_trak(trak, movie_timescale, file_size, fragmented)
            tracks.append((track, samples))
            if untimed:
                left_out.append(f"track {number}: stts: {untimed} samples have no time")
        except Unsupported as reason:
            left_out.append(f"track {number}: {reason}")
        except _MalformedConfiguration as bad:
            broken = broken or bad.malformed
            left_out.append(f"track {number}: {bad.malformed}")
        if sum(len(samples) for _, samples in tracks) > MAX_SAMPLES:
            raise Unsupported(f"moov: more than {MAX_SAMPLES} samples")
    if not tracks and broken is not None:
        raise broken
    if not tracks and fragmented is not None and not layout.fragments.count:
        raise Unsupported("moov: an initialization segment: no moof follows")
    if not tracks:
        raise Unsupported("; ".join(left_out) or "moov: no track")
    begin = Fraction(0)
    if fragmented is not None:
        tracks, begin = from_zero(tracks)
    for _, samples in tracks:
        _check_times(samples)
    return Movie(tuple(tracks), tuple(left_out), begin=begin)


class _MalformedConfiguration(Exception):
    """Of one track: others may be good.  A sample table that lies refuses the file instead, for
    it tells of bytes that are not there."""

    def __init__(self, malformed: MalformedBox) -> None:
        self.malformed = malformed


@dataclass(frozen=True, slots=True, eq=False)
class _Fragmented:
    rows: Rows
    trex: dict[int, Defaults]

    def samples(self, track_id: int, known: Samples | None, *, sound: bool) -> Samples | None:
        """Behind *known*, those of moov; None where the track has no sample at all."""
        rows = self.rows.of(track_id)
        if not rows.runs or not len(rows.size):
            return known
        return samples_of(rows, known, sound=sound)

    def descriptions(self, track_id: int) -> set[int]:
        """Numbers of the sample descriptions that its runs use, 1-based."""
        default = self.trex.get(track_id, Defaults()).description or 1
        own = (run for run in self.rows.runs if run.track_id == track_id and run.count)
        return {run.defaults.description or default for run in own}


def _expand(layout: Layout, mvex: memoryview | None, file_size: int) -> _Fragmented | None:
    """What fragments hold; None for a progressive file."""
    if mvex is None and not layout.fragments.count:
        return None
    trex = {} if mvex is None else parse_trex(mvex)
    for run in layout.fragments.runs:
        if run.count and run.track_id not in trex and run.has_no_size:
            raise MalformedBox(
                b"trex", f"missing for track {run.track_id}, whose samples have no size"
                f" (fragment {run.fragment})",
            )  # fmt: skip
    return _Fragmented(expand(layout.fragments.runs, trex, file_size), trex)


def _parse_trak(
    trak: memoryview, movie_timescale: int, file_size: int, fragmented: _Fragmented | None
) -> tuple[Track, Samples, int]:
    """The last is how many samples of moov have no time."""
    boxes = children(trak)
    mdia = _inside(boxes, b"mdia")
    handler = bytes(_need(mdia, b"hdlr", b"mdia")[8:12])
    if handler not in _HANDLERS:
        name = handler.decode("ascii", "backslashreplace")
        raise Unsupported(f"hdlr: {name!r} is neither video nor audio")
    track_id, matrix = _parse_tkhd(_need(boxes, b"tkhd", b"trak"))
    minf = _inside(mdia, b"minf")
    stbl = _inside(minf, b"stbl")
    stsd = _need(stbl, b"stsd", b"stbl")
    used = used_descriptions(stbl)
    if fragmented is not None:
        used |= fragmented.descriptions(track_id)
    try:
        form = parse_description(stsd, used, minf.get(b"dinf"))
    except MalformedBox as malformed:
        raise _MalformedConfiguration(malformed) from malformed
    if (handler == b"vide") != isinstance(form, VideoFormat):
        raise MalformedBox(b"hdlr", "does not fit the codec in stsd")
    sound = isinstance(form, AudioFormat) and not form.cut_at_sync
    samples, untimed = _all_samples(stbl, file_size, fragmented, track_id, sound=sound)
    if fragmented is not None:
        _check_sync(form, samples)
    mdhd = _need(mdia, b"mdhd", b"mdia")
    timescale = _header_timescale(b"mdhd", mdhd)
    if isinstance(form, VideoFormat):
        form = _with_matrix(form, matrix)
    else:
        samples = _in_composition_order(samples)
    edit = Edit()
    if b"edts" in boxes and b"elst" in (edts := children(boxes[b"edts"])):
        edit = parse_edit_list(edts[b"elst"], movie_timescale, timescale)
    if fragmented is not None:
        edit = open_ended(edit)
    language = bcp47(_extended_language(mdia) or _packed_language(mdhd))
    return Track(track_id, form, timescale, edit, language), samples, untimed


def _check_sync(form: VideoFormat | AudioFormat, samples: Samples) -> None:
    """Sync samples of H.264 and HEVC can be found in the media; of others flags must tell."""
    told = len(samples) == 1 or bool(samples.sync.any())
    if told or isinstance(form.config, AvcConfig | HevcConfig):
        return
    raise Unsupported("trun: no sample of any fragment is flagged as a sync sample")


def _all_samples(
    stbl: dict[bytes, memoryview],
    file_size: int,
    fragmented: _Fragmented | None,
    track_id: int,
    *,
    sound: bool,
) -> tuple[Samples, int]:
    if fragmented is None:
        samples, untimed = parse_samples(stbl, file_size)
        if not len(samples):
            raise Unsupported("stsz: no samples")
        return samples, untimed
    known, untimed = None, 0
    if b"stsz" in stbl or b"stz2" in stbl:
        known, untimed = parse_samples(stbl, file_size)
    if known is not None and not len(known):
        known = None
    found = fragmented.samples(track_id, known, sound=sound)
    if found is None:
        raise Unsupported("moof: no samples of it in any fragment")
    return found, untimed


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
