"""A presentation as it is asked for: flavors in order, cut at common boundaries.

A recipe is made from flavor indexes alone.  What needs sample rows is a generator that
yields the blocks it wants (``Needs``), so that a shell can fetch them wherever they are; what
comes out are numbers, plans and the neutral ``Presentation``.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np

from packager import LAYOUT
from packager.bandwidth import bitrate, leaky_bucket, minimum_buffer
from packager.clip import WHOLE, Clip, clip_of
from packager.codecs import dolby_vision
from packager.codecs.carried import CarriedAudio
from packager.codecs.channel_layouts import channel_layout
from packager.codecs.h264 import AvcConfig
from packager.common_zero import common_zero
from packager.errors import UnknownSegment, Unsupported
from packager.hls.media_playlist import target_duration
from packager.hls.packed_audio import packed_segment, packed_sizes
from packager.index import Blocks, FlavorIndex, TrackIndex
from packager.isobmff.media_segment import media_segment, segment_sizes
from packager.isobmff.spatial import layout_of
from packager.mpegts.segment import TrackRows, carried, framed_sizes, ts_segment
from packager.mpegts.sizes import Film, ts_sizes
from packager.plan import Plan, Unplanned
from packager.presentation import (
    AudioRendition,
    Bitrate,
    ClosedCaptions,
    DynamicRange,
    Presentation,
    Rendition,
    Timeline,
    VideoRendition,
)
from packager.said import (
    NOTHING,
    Said,
    declared_muxed,
    default_number,
    said_of_audio,
    said_of_video,
)
from packager.samples import Column, column
from packager.segmenter import DEFAULT_TARGET, Cuts, Times, boundaries, cut, edges
from packager.tracks import AudioFormat, Kind, VideoFormat

_TOKEN_BYTES = 4
MAX_FLAVORS = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """Blocks of one track."""

    flavor: int
    """1-based."""

    track: TrackIndex
    numbers: range


T = TypeVar("T")
Needs = Generator[tuple[Wanted, ...], tuple[Blocks, ...], T]
"""A computation that needs blocks: it yields those that it wants together, and is sent them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Tracks of one flavor that are asked for together, by number; None for none."""

    flavor: int
    video: int | None = None
    audio: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Memo:
    """Cuts that a recipe has made: they grow with the length of the film, and a segment must
    not.  Holds no flavor, so that it can be kept while an index is not."""

    cuts: dict[tuple[int, Kind, int], Cuts] = field(default_factory=dict)
    muxed: dict[Choice, "Muxing"] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Recipe:
    flavors: tuple[FlavorIndex, ...]
    target: Fraction
    """Seconds."""

    times: Times
    """Starts of segments 2, 3, …"""

    memo: "Memo" = field(default_factory=lambda: Memo())
    clip: Clip = WHOLE
    """What manifests list; it changes no byte of a segment."""

    said: tuple[Said, ...] = ()
    """Of each flavor; empty where nothing is said of any."""

    closed_captions: tuple[ClosedCaptions, ...] = ()
    """In all video."""

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """What its flavors are: with the target, what fixes all bytes of one layout."""
        return tuple(flavor.digest for flavor in self.flavors)

    def flavor(self, number: int) -> FlavorIndex:
        if not 1 <= number <= len(self.flavors):
            raise UnknownSegment(f"flavor {number} of {len(self.flavors)}")
        return self.flavors[number - 1]

    def track(self, flavor: int, kind: Kind, number: int) -> TrackIndex:
        for track in self.flavor(flavor).of_kind(kind):
            if track.number == number:  # not its place: a track may be left out
                return track
        raise UnknownSegment(f"{kind} track {number} of flavor {flavor}")

    @property
    def in_ts(self) -> bool:
        """Whether MPEG-TS carries every track."""
        return all(one.track.format.in_ts for flavor in self.flavors for one in flavor.tracks)

    def said_of(self, flavor: int) -> Said:
        return self.said[flavor - 1] if self.said else NOTHING

    def token(self, layout: int = LAYOUT) -> str:
        """What names the bytes of everything made from this recipe under *layout*."""
        digest = hashlib.sha256(f"{layout} {self.target}".encode())
        for flavor in self.digests:
            digest.update(f" {flavor}".encode())
        digest.update(f" {self.times.scale} ".encode() + self.times.digested)
        return digest.hexdigest()[: 2 * _TOKEN_BYTES]


def make_recipe(flavors: Sequence[FlavorIndex], target: Fraction = DEFAULT_TARGET) -> Recipe:
    """Cut *flavors*, in their order, into segments of about *target* seconds."""
    if not 1 <= len(flavors) <= MAX_FLAVORS:
        raise Unsupported(f"{len(flavors)} flavors; 1 to {MAX_FLAVORS} can be presented")
    flavors = common_zero(flavors)
    video = [track for flavor in flavors for track in flavor.of_kind(Kind.VIDEO)]
    audio = [track for flavor in flavors for track in flavor.of_kind(Kind.AUDIO)]
    return Recipe(tuple(flavors), target, boundaries(video, audio, target))


def clipped(recipe: Recipe, start: int | None, stop: int | None) -> Recipe:
    """*recipe*, of which manifests list what lies between two times, milliseconds.

    Raises ``UnknownSegment`` where the first lies behind the end.
    """
    if start is None and stop is None:
        return recipe
    tracks = [track for flavor in recipe.flavors for track in flavor.tracks]
    end = max(Fraction(one.end - one.origin, one.track.timescale) for one in tracks)
    if start is not None and start >= end * 1000:
        raise UnknownSegment("the clip begins behind the end")
    return replace(recipe, clip=recipe.clip.within(clip_of(recipe.times, start, stop)))


# -- one track in segments of its own


def track_cuts(recipe: Recipe, flavor: int, track: TrackIndex) -> Needs[Cuts]:
    """The segments of one track."""
    key = (flavor, track.kind, track.number)
    if key not in recipe.memo.cuts:
        blocks = yield from _time_blocks(flavor, track)
        recipe.memo.cuts[key] = cut(track, recipe.times, blocks)
    return recipe.memo.cuts[key]


def _time_blocks(flavor: int, track: TrackIndex) -> Needs[Blocks]:
    """What ``edges`` needs: nothing, but for audio whose frames differ in duration."""
    if track.kind is Kind.VIDEO or track.uniform_duration:
        return {}
    return (yield from _all_blocks(flavor, track))


def _all_blocks(flavor: int, track: TrackIndex) -> Needs[Blocks]:
    [blocks] = yield (Wanted(flavor, track, range(track.block_count)),)
    return blocks


def cmaf_segment(recipe: Recipe, choice: Choice, number: int) -> Needs[Plan]:
    """Segment *number* (from 1) of the one track in *choice*."""
    track = _single(recipe, choice)
    cuts = yield from track_cuts(recipe, choice.flavor, track)
    if not 1 <= number <= len(cuts):
        raise UnknownSegment(f"segment {number} of {len(cuts)}")
    start, stop = cuts.row(number - 1)
    [blocks] = yield (Wanted(choice.flavor, track, track.block_range(start, stop)),)
    return media_segment(track, track.samples(start, stop, blocks), number)


def _single(recipe: Recipe, choice: Choice) -> TrackIndex:
    if choice.video is not None and choice.audio is None:
        return recipe.track(choice.flavor, Kind.VIDEO, choice.video)
    if choice.audio is not None and choice.video is None:
        return recipe.track(choice.flavor, Kind.AUDIO, choice.audio)
    raise UnknownSegment("fMP4 segments hold one track")


# -- video and audio together, for MPEG-TS


@dataclass(frozen=True, eq=False)
class Muxing:
    """How a video and an audio track of one flavor, or one of them, are cut together."""

    pictures: Column
    """First video sample of each segment, and behind the last one their number; one of the
    two tracks may have nothing in a segment."""

    sounds: Column
    timeline: Timeline

    def __len__(self) -> int:
        return len(self.pictures) - 1

    def row(self, number: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Samples ``[start, stop)`` of video and of audio in segment *number*, from 0."""
        pictures, sounds = self.pictures[number : number + 2], self.sounds[number : number + 2]
        return (int(pictures[0]), int(pictures[1])), (int(sounds[0]), int(sounds[1]))


@dataclass(frozen=True, slots=True)
class Muxed:
    """The segments of a video and an audio track of one flavor, or of one of them."""

    video: TrackIndex | None
    audio: TrackIndex | None
    cuts: Muxing

    @property
    def rows(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Samples ``[start, stop)`` of video and of audio in each."""
        pictures, sounds = self.cuts.pictures.tolist(), self.cuts.sounds.tolist()
        return list(zip(pairwise(pictures), pairwise(sounds), strict=True))

    @property
    def timeline(self) -> Timeline:
        return self.cuts.timeline


def mux(recipe: Recipe, choice: Choice) -> Needs[Muxed]:
    """Cut the tracks in *choice* together: audio follows the boundaries of its video."""
    flavor = choice.flavor
    recipe.flavor(flavor)
    video = audio = None
    if choice.video is not None:
        video = recipe.track(flavor, Kind.VIDEO, choice.video)
    if choice.audio is not None:
        audio = recipe.track(flavor, Kind.AUDIO, choice.audio)
    for track in (video, audio):
        if track is not None and not track.track.format.in_ts:
            raise Unsupported(f"MPEG-TS: {track.track.format.codec} is in fMP4 alone")
    if choice not in recipe.memo.muxed:
        if video is None or audio is None:
            made = yield from _mux_one(recipe, flavor, video, audio)
        else:
            made = yield from _mux_both(recipe, flavor, video, audio)
        recipe.memo.muxed[choice] = made
    return Muxed(video, audio, recipe.memo.muxed[choice])


def _mux_both(
    recipe: Recipe, flavor: int, video: TrackIndex, audio: TrackIndex
) -> Needs[Muxing]:
    cuts = yield from track_cuts(recipe, flavor, video)
    times = _own_times(recipe, video, cuts)
    blocks = yield from _time_blocks(flavor, audio)
    sounds = np.concatenate(([0], edges(audio, times, blocks).rows, [audio.count]))
    # Sound may go on where the picture has ended.
    pictures = np.append(cuts.bounds, np.full(len(sounds) - 1 - len(cuts), video.count))
    # Other flavors may go on where neither track of this one has anything left.
    kept = np.flatnonzero((np.diff(pictures) > 0) | (np.diff(sounds) > 0))
    timeline = _muxed_timeline(video, audio, cuts, times, kept)
    kept = np.append(kept, len(sounds) - 1)
    return Muxing(pictures[kept], sounds[kept], timeline)


def _mux_one(
    recipe: Recipe, flavor: int, video: TrackIndex | None, audio: TrackIndex | None
) -> Needs[Muxing]:
    track = video or audio
    if track is None:
        raise UnknownSegment("no track is asked for")
    cuts = yield from track_cuts(recipe, flavor, track)
    none = np.zeros(len(cuts) + 1, np.int64)
    pictures, sounds = (cuts.bounds, none) if video else (none, cuts.bounds)
    return Muxing(pictures, sounds, _timeline(track, cuts))


def _own_times(recipe: Recipe, video: TrackIndex, cuts: Cuts) -> Times:
    """Where segments 2, 3, … of the muxed stream start: the recipe's times, or where *video*
    cuts if it cannot follow them; then what sound is left behind the picture."""
    if cuts.complete:
        return recipe.times
    scale = video.track.timescale
    left = np.searchsorted(recipe.times.at(scale), cuts.end)
    return Times(cuts.begins[1:], scale) + recipe.times[int(left) :]


def _muxed_timeline(
    video: TrackIndex, audio: TrackIndex, cuts: Cuts, times: Times, kept: Column
) -> Timeline:
    """Of the segments *kept*, on the video's clock, to the nearest tick where only audio is
    left."""
    scale = video.track.timescale
    tail = [round(time * scale) for time in times[len(cuts) - 1 :]]
    starts = tuple(np.append(cuts.begins, column(tail))[kept].tolist())
    end = cuts.end
    if len(starts) > len(cuts):
        sound_end = Fraction(audio.end - audio.origin, audio.track.timescale)
        end = max(end, round(sound_end * scale), starts[-1] + 1)
    return Timeline(scale, starts, end)


def muxed_segment(recipe: Recipe, choice: Choice, number: int) -> Needs[Plan | Unplanned]:
    """TS segment *number* (from 1) of the tracks in *choice*."""
    muxed = yield from mux(recipe, choice)
    if not 1 <= number <= len(muxed.cuts):
        raise UnknownSegment(f"segment {number} of {len(muxed.cuts)}")
    parts = zip((muxed.video, muxed.audio), muxed.cuts.row(number - 1), strict=True)
    filled = [(track, rows) for track, rows in parts if track and rows[0] < rows[1]]
    found = yield tuple(
        Wanted(choice.flavor, track, track.block_range(*rows)) for track, rows in filled
    )
    made = {
        track.kind: _track_rows(track, rows, blocks)
        for (track, rows), blocks in zip(filled, found, strict=True)
    }
    return ts_segment(
        made.get(Kind.VIDEO), made.get(Kind.AUDIO), number,
        has_video=muxed.video is not None,
        program_audio=carried(muxed.audio) if muxed.audio else None,
    )  # fmt: skip


def packed_suffix(recipe: Recipe, choice: Choice) -> str | None:
    """Of the names of packed audio segments; None where *choice* cannot be packed."""
    if choice.audio is None or choice.video is not None:
        return None
    track = recipe.track(choice.flavor, Kind.AUDIO, choice.audio)
    return carried(track).suffix if track.track.format.in_ts else None


def packed_audio_segment(recipe: Recipe, choice: Choice, number: int) -> Needs[Plan]:
    """Packed audio segment *number* (from 1) of the audio in *choice*."""
    track = _single(recipe, choice)
    if track.kind is Kind.VIDEO:
        raise UnknownSegment("packed audio holds no video")
    cuts = yield from track_cuts(recipe, choice.flavor, track)
    if not 1 <= number <= len(cuts):
        raise UnknownSegment(f"segment {number} of {len(cuts)}")
    start, stop = cuts.row(number - 1)
    [blocks] = yield (Wanted(choice.flavor, track, track.block_range(start, stop)),)
    return packed_segment(track, track.samples(start, stop, blocks))


def _track_rows(track: TrackIndex, rows: tuple[int, int], blocks: Blocks) -> TrackRows:
    known = track.kind is Kind.VIDEO and track.exact
    annexb = track.annexb_sizes(*rows, blocks) if known else None
    return TrackRows(track, track.samples(*rows, blocks), annexb)


# -- what manifests say


def presentation(recipe: Recipe) -> Needs[Presentation]:
    """Every rendition of *recipe*, with the rates of its CMAF segments.

    Raises ``UnknownSegment`` where its clip lies behind the end.
    """
    cuts: list[tuple[int, TrackIndex, Cuts]] = []
    for flavor, index in enumerate(recipe.flavors, 1):
        for track in index.tracks:
            own = yield from track_cuts(recipe, flavor, track)
            cuts.append((flavor, track, own))
    blocks = yield tuple(Wanted(f, t, range(t.block_count)) for f, t, _ in cuts)
    found = [
        (f, t, _timeline(t, c), decoded(t, c), segment_sizes(t, c.rows, t.sizes(own)))
        for (f, t, c), own in zip(cuts, blocks, strict=True)
    ]
    found = list(_listed(recipe.clip, found))
    if not found:
        raise UnknownSegment("the clip begins behind the end")
    target = target_duration(listed for _, _, _, listed, _ in found)
    buffer = minimum_buffer(timeline for _, _, timeline, _, _ in found)
    renditions = [_rendition(*one, target, buffer) for one in found]
    video = tuple(
        said_of_video(recipe.said_of(one.flavor), one)
        for one in renditions
        if isinstance(one, VideoRendition)
    )
    audio = [
        said_of_audio(recipe.said_of(one.flavor), one)
        for one in renditions
        if isinstance(one, AudioRendition)
    ]
    aligned = all(c.complete for _, t, c in cuts if t.kind is Kind.VIDEO)
    return Presentation(
        video=video,
        audio=_one_is_default(recipe, _numbered(audio)),
        aligned=aligned,
        closed_captions=recipe.closed_captions,
    )


def _timeline(track: TrackIndex, cuts: Cuts) -> Timeline:
    return Timeline(track.track.timescale, cuts.starts, cuts.end)


def decoded(track: TrackIndex, cuts: Cuts) -> Timeline:
    """With what is decoded before the presentation zero, so that EXTINF of fMP4 adds up to
    tfdt (P-03): Shaka Player places a segment by the two, without a look at the edit list."""
    first = min(cuts.starts[0], track.first_time)
    return Timeline(track.track.timescale, (first, *cuts.starts[1:]), cuts.end)


_Sized = tuple[int, TrackIndex, Timeline, Timeline, list[int]]
"""Flavor, track, when its segments are, the same as a list of fMP4 has it, and their sizes."""


def _listed(clip: Clip, found: Iterable[_Sized]) -> Iterator[_Sized]:
    """What of each is in *clip*."""
    for flavor, track, whole, listed, sizes in found:
        kept = clip.segments(whole)
        if kept:
            part = sizes[kept.start : kept.stop]
            yield flavor, track, clip.of(whole), clip.of(listed), part


def merged_audio(every: Presentation) -> Presentation:
    """*every* with one audio rendition for each (language, channels, codec), the one of the
    highest bitrate; several of one flavor that are alike are all kept."""
    merged = _merged(every.audio)
    number = next((at for at, one in enumerate(merged) if one.default), 0)
    return replace(every, audio=_with_default(merged, number))


def _numbered(audio: Iterable[AudioRendition]) -> list[AudioRendition]:
    """*audio*, with those of a flavor that nothing tells apart counted."""
    alike: Counter[tuple[object, ...]] = Counter()
    found = []
    for one in audio:
        kind = one.flavor, _kind(one)
        alike[kind] += 1
        found.append(replace(one, alike=alike[kind]))
    return found


def _kind(one: AudioRendition) -> tuple[object, ...]:
    return one.language, one.label, one.channels, one.codec, one.joc


def _one_is_default(
    recipe: Recipe, audio: Sequence[AudioRendition]
) -> tuple[AudioRendition, ...]:
    said = [recipe.said_of(one.flavor) for one in audio]
    return _with_default(audio, default_number(said))


def _with_default(audio: Sequence[AudioRendition], default: int) -> tuple[AudioRendition, ...]:
    return tuple(replace(one, default=number == default) for number, one in enumerate(audio))


def _rendition(
    flavor: int, track: TrackIndex, timeline: Timeline, listed: Timeline, sizes: list[int],
    target: int, buffer: Fraction,
) -> Rendition:  # fmt: skip
    form = track.track.format
    common = {
        "flavor": flavor,
        "track": track.number,
        "codec": form.codec,
        "timeline": timeline,
        "bitrate": bitrate(sizes, listed, target),
        "bandwidth": leaky_bucket(sizes, timeline, buffer),
        "language": track.track.language,
    }
    if isinstance(form, AudioFormat):
        config = form.config
        return AudioRendition(
            **common, channels=config.channels, sample_rate=config.sample_rate,  # type: ignore[arg-type]
            joc=config.joc if isinstance(config, CarriedAudio) else 0,
            layout=channel_layout(config),
        )  # fmt: skip
    layout = layout_of(form.boxes)
    return VideoRendition(
        **common, width=form.width, height=form.height, pixel_aspect=form.pixel_aspect,  # type: ignore[arg-type]
        frame_rate=_frame_rate(track), dynamic_range=_dynamic_range(form),
        supplemental_codec=vision.supplemental_codec if (vision := form.dolby_vision) else None,
        colour=form.colour, stereo=layout.stereo, projection=layout.projection,
        turned=form.turned,
    )  # fmt: skip


_TRANSFERS = {16: DynamicRange.HDR10, 18: DynamicRange.HLG}
"""By TransferCharacteristics of ISO/IEC 23091-2."""


_BASES = {dolby_vision.HDR10: DynamicRange.HDR10, dolby_vision.HLG: DynamicRange.HLG}


def _dynamic_range(form: VideoFormat) -> DynamicRange:
    vision = form.dolby_vision
    if vision is not None and vision.entry:
        return DynamicRange.DOLBY_VISION
    transfer = form.colour.transfer if form.colour else 0
    if vision is not None and transfer not in _TRANSFERS:
        return _BASES.get(vision.base, DynamicRange.SDR)
    return _TRANSFERS.get(transfer, DynamicRange.SDR)


def _frame_rate(track: TrackIndex) -> Fraction | None:
    """Exact where every frame lasts as long, else the average."""
    if track.count < 2:
        return None
    if track.uniform_duration:
        return Fraction(track.track.timescale, track.uniform_duration)
    ticks = track.end - track.origin - max(track.first_time, 0)
    return Fraction(track.count * track.track.timescale, ticks) if ticks > 0 else None


def _merged(audio: Iterable[AudioRendition]) -> list[AudioRendition]:
    best: dict[tuple[object, ...], AudioRendition] = {}
    for one in audio:
        key = (*_kind(one), one.alike)
        known = best.get(key, one)
        better = one if one.bitrate.average > known.bitrate.average else known
        best[key] = replace(better, default=one.default or known.default)
    return list(best.values())


def muxed_bitrate(recipe: Recipe, choice: Choice, target: int) -> Needs[Bitrate]:
    """The rates of the TS segments of *choice*: exact where the index knows the sizes in a
    byte stream, and otherwise an upper bound."""
    muxed = yield from mux(recipe, choice)
    cuts = muxed.cuts
    video = yield from _film(choice.flavor, muxed.video, cuts.pictures)
    audio = yield from _film(choice.flavor, muxed.audio, cuts.sounds)
    kept = recipe.clip.segments(muxed.timeline)
    sizes = ts_sizes(video, audio).tolist()[kept.start : kept.stop]
    return declared_muxed(
        recipe.said_of(choice.flavor),
        bitrate(sizes, recipe.clip.of(muxed.timeline), target),
        video=muxed.video is not None,
        audio=muxed.audio is not None,
    )


def packed_bitrate(recipe: Recipe, choice: Choice, target: int) -> Needs[Bitrate]:
    """The rates of the packed audio segments of *choice*, exact."""
    track = _single(recipe, choice)
    cuts = yield from track_cuts(recipe, choice.flavor, track)
    sizes = track.sizes((yield from _all_blocks(choice.flavor, track)))
    timeline = _timeline(track, cuts)
    kept = recipe.clip.segments(timeline)
    found = packed_sizes(track, cuts.rows, sizes)[kept.start : kept.stop]
    rate = bitrate(found, recipe.clip.of(timeline), target)
    return declared_muxed(recipe.said_of(choice.flavor), rate, video=False, audio=True)


def _film(flavor: int, track: TrackIndex | None, bounds: Column) -> Needs[Film | None]:
    if track is None:
        return None
    samples = track.timed((yield from _all_blocks(flavor, track)))
    if track.kind is Kind.AUDIO:
        return Film(track, samples, framed_sizes(track, samples.size), bounds)
    sizes = samples.annexb if track.exact else annexb_bound(track, samples.size)
    return Film(track, samples, sizes, bounds)


def annexb_bound(track: TrackIndex, sizes: Column) -> Column:
    """No sample is larger as a byte stream: each NAL length may grow to 4 bytes, and a unit
    has at least one byte."""
    form = track.track.format
    assert isinstance(form, VideoFormat) and isinstance(form.config, AvcConfig)
    length_size = form.config.nal_length_size
    return sizes + sizes // (length_size + 1) * (4 - length_size)


def run_needs(needs: Needs[T], load: Callable[[Wanted], Blocks]) -> T:
    """Carry out *needs* with a *load* that does not wait."""
    try:
        wanted = next(needs)
        while True:
            wanted = needs.send(tuple(map(load, wanted)))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
