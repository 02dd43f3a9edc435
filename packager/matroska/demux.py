"""Matroska and WebM to tracks and neutral sample tables, in place: nothing is copied."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from packager.codecs.carried import CarriedVideo
from packager.codecs.vpx import vp8_record, vp9_record
from packager.errors import MalformedElement, MalformedMedia, PackagerError, Unsupported
from packager.matroska import sounds
from packager.matroska.clusters import UNTIMED, Frames
from packager.matroska.entries import AUDIO, VIDEO, Entry, kind_of
from packager.matroska.pictures import picture_size, video_format
from packager.matroska.segment import Segment, read_segment
from packager.matroska.timing import Times, picture_times, sound_times
from packager.plan import Extent, Reads
from packager.samples import Flags, Samples, column
from packager.source import Movie
from packager.tracks import AudioFormat, Edit, Track, VideoFormat

_SECOND = 1_000_000_000
_FIRST_FRAME = 16 << 10
"""Bytes read of the first frame of a codec that has its configuration there."""

_STORED = {
    "V_MPEG4/ISO/AVC": (b"avc1", b"avcC"),
    "V_MPEGH/ISO/HEVC": (b"hvc1", b"hvcC"),
    "V_AV1": (b"av01", b"av1C"),
}
"""Codecs whose CodecPrivate is the payload of a box of MP4."""

_FROM_FRAME: dict[str, Callable[[bytes], bytes]] = {"V_VP8": vp8_record, "V_VP9": vp9_record}
_SOUNDS: dict[str, sounds.Parse] = {
    "A_OPUS": sounds.opus, "A_FLAC": sounds.flac, "A_AC3": sounds.ac3_sound,
    "A_EAC3": sounds.eac3_sound, "A_MPEG/L3": sounds.mp3, "A_ALAC": sounds.alac,
}  # fmt: skip
_WITH_HEADS = frozenset({"A_OPUS", "A_FLAC"})
_LATE = _SECOND
"""Nanoseconds: a file that begins later than that was cut from something longer."""


def demux(file_size: int) -> Reads[Movie]:
    """Read the segment of a file of *file_size* bytes, all of it once."""
    segment = yield from read_segment(file_size, _wanted)
    made: list[_Track] = []
    left_out = []
    broken: PackagerError | None = None
    for number, entry in enumerate(segment.entries, 1):
        try:
            made.append((yield from _track(entry, segment)))
        except Unsupported as reason:
            left_out.append(f"track {number}: {reason}")
        except _BrokenTrack as bad:
            broken = broken or bad.error
            left_out.append(f"track {number}: {bad.error}")
    if not made and broken is not None:
        raise broken
    if not made:
        raise Unsupported("; ".join(left_out))
    zero = min(track.begin for track in made)
    zero = 0 if zero < _LATE else zero
    tracks = tuple(track.placed(zero) for track in made)
    begin = Fraction(zero, _SECOND)
    return Movie(tracks, tuple(left_out), container=segment.container, begin=begin)


class _BrokenTrack(Exception):
    """In how one track is described or configured: others may be good."""

    def __init__(self, error: PackagerError) -> None:
        self.error = error


def _why_not(entry: Entry) -> str | None:
    """The reason why *entry* is left out."""
    if entry.kind not in (VIDEO, AUDIO):
        return f"TrackType: {kind_of(entry)} is neither video nor audio"
    if entry.encoding:
        return entry.encoding
    known = (_STORED, _FROM_FRAME) if entry.kind == VIDEO else (_SOUNDS,)
    if any(entry.codec in table for table in known):
        return None
    if entry.kind == AUDIO and _is_aac(entry):
        return None
    return f"CodecID: codec {entry.codec!r} is not carried in MP4 or MPEG-TS here"


def _is_aac(entry: Entry) -> bool:
    return entry.codec == "A_AAC" or entry.codec.startswith(("A_AAC/MPEG4/", "A_AAC/MPEG2/"))


def _wanted(entry: Entry) -> Frames | None:
    if entry.broken is not None or _why_not(entry):
        return None
    return Frames(bytearray() if entry.codec in _WITH_HEADS else None)


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    entry: Entry
    form: VideoFormat | AudioFormat
    times: Times
    samples: Samples
    priming: int
    """Ticks in front that are decoded and not heard."""

    padding: int
    """Ticks at the end that are not heard."""

    @property
    def _zero(self) -> int:
        """Media time of the file's zero."""
        delay = self.entry.delay * self.times.timescale
        return self.times.start + (2 * delay + _SECOND) // (2 * _SECOND)

    @property
    def begin(self) -> int:
        """Nanoseconds from the file's zero to what is presented first."""
        first = int(self.samples.cts.min()) + self.priming
        return (first - self._zero) * _SECOND // self.times.timescale

    def placed(self, zero: int) -> tuple[Track, Samples]:
        """With the presentation zero *zero* nanoseconds behind the file's."""
        scale = self.times.timescale
        origin = self._zero + (2 * zero * scale + _SECOND) // (2 * _SECOND)
        first = int(self.samples.cts.min()) + self.priming
        end = None
        if self.padding:
            end = int(self.samples.cts[-1] + self.samples.duration[-1]) - self.padding
        if self.priming and abs(first - origin) <= scale // 1000:
            origin = first  # CodecDelay is rounded
        edit = Edit(origin, end)
        number, language = self.entry.number, self.entry.language
        return Track(number, self.form, scale, edit, language), self.samples


def _track(entry: Entry, segment: Segment) -> Reads[_Track]:
    if reason := _why_not(entry):
        raise Unsupported(reason)
    if entry.broken is not None:
        raise _BrokenTrack(entry.broken)
    frames = segment.frames[entry.number]
    if not frames.time:
        raise Unsupported("Cluster: no frames")
    first = yield Extent(frames.offset[0], min(frames.size[0], _FIRST_FRAME))
    if entry.kind == VIDEO:
        return _video(entry, segment, frames, first)
    parse = _SOUNDS.get(entry.codec, sounds.aac)
    try:
        sound = parse(entry, first, frames.heads or b"")
    except MalformedMedia as error:
        raise _BrokenTrack(error) from error
    durations = np.broadcast_to(sound.durations, len(frames.time)).astype(np.int64)
    times = sound_times(column(frames.time), segment.scale, sound.rate, durations)
    samples = _samples(frames, times, np.ones(len(frames.time), np.bool_))
    padding = frames.padding * sound.rate
    padding = (2 * padding + _SECOND) // (2 * _SECOND)
    if padding >= int(samples.duration[-1]):
        padding = 0  # it would take out what other blocks hold
    return _Track(entry, sound.form, times, samples, sound.priming, padding)


def _video(entry: Entry, segment: Segment, frames: Frames, first: bytes) -> _Track:
    stamps = column(frames.time)
    if frames.laced or (stamps == UNTIMED).any():
        raise Unsupported("Block: several pictures in one")
    try:
        form = _format(entry, first)
    except MalformedMedia as error:
        raise _BrokenTrack(error) from error
    times = picture_times(stamps, segment.scale, entry.default_duration, frames.last_duration)
    sync = np.frombuffer(frames.key, np.uint8).astype(np.bool_)
    return _Track(entry, form, times, _samples(frames, times, sync), 0, 0)


def _format(entry: Entry, first: bytes) -> VideoFormat:
    if entry.codec in _STORED:
        fourcc, name = _STORED[entry.codec]
        if not entry.private:
            raise MalformedElement("CodecPrivate", f"missing for {entry.codec}")
        return video_format(entry, fourcc, (name, entry.private))
    picture_size(entry)
    form = video_format(entry, b"vp09", (b"vpcC", _FROM_FRAME[entry.codec](first)))
    if entry.codec == "V_VP8" and isinstance(form.config, CarriedVideo):
        config = replace(form.config, entry=b"vp08", codec=f"vp08{form.config.codec[4:]}")
        return replace(form, config=config)
    return form


def _samples(frames: Frames, times: Times, sync: Flags) -> Samples:
    return Samples(
        dts=times.dts,
        cts=times.cts,
        duration=times.duration,
        size=column(frames.size),
        offset=column(frames.offset),
        sync=sync,
    )
