"""Recipes to manifests: the names in them, and which tracks go together."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from origin.carrying import carried
from origin.filters.listing import EVERYTHING, Listing
from origin.urls import (
    FileKind,
    Target,
    key_name,
    media_folder,
    segment_name,
    selectors,
    sheet_folder,
    sheet_name,
    text_name,
)
from packager.bandwidth import minimum_buffer
from packager.captions.fmp4 import CODECS, milliseconds, most_bandwidth
from packager.captions.rendition import (
    CaptionTrack,
    clip_mark,
    text_renditions,
    text_timeline,
)
from packager.dash.mpd import Period, mpd
from packager.dash.text_sets import TextSegments
from packager.errors import UnknownSegment
from packager.hls.closed_captions import with_closed_captions
from packager.hls.images import image_stream
from packager.hls.media_playlist import (
    Stretch,
    iframe_playlist,
    media_playlist,
    target_duration,
)
from packager.hls.multivariant import MultivariantPlaylist
from packager.hls.subtitles import with_subtitles
from packager.hls.variants import (
    audio_apart,
    i_frame_variants,
    muxed_variants,
    separate_variants,
)
from packager.pictures.sheets import Sheets
from packager.presentation import (
    AudioRendition,
    Bitrate,
    Presentation,
    TextRendition,
    Timeline,
    VideoRendition,
)
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    clipped,
    decoded,
    merged_audio,
    mux,
    muxed_bitrate,
    packed_bitrate,
    packed_suffix,
    presentation,
    track_cuts,
)
from packager.tracks import Kind
from packager.trick import pictures

_Rendition = VideoRendition | AudioRendition
Tracks = tuple[CaptionTrack, ...]

_MEDIA = (FileKind.INIT, FileKind.SEGMENT, FileKind.KEY)

HLS_TYPE = "application/vnd.apple.mpegurl"


def contained(target: Target, recipe: Recipe) -> Target:
    """*target* in fMP4 where MPEG-TS does not carry all that the protocol does of *recipe* (all
    of it, since a player switches between variants of one container alone).

    Raises ``UnknownSegment`` for the name of a segment in the other container, and what
    ``carried`` does.
    """
    if target.fmp4:
        return target
    file, fmp4 = target.file, not carried(recipe, target).in_ts
    media = file.kind in _MEDIA and file.text is None
    if media and file.fmp4 != fmp4:
        raise UnknownSegment(f"the segments are {'fMP4' if fmp4 else 'MPEG-TS'}")
    return replace(target, fmp4=True) if fmp4 else target


def asked_of(recipe: Recipe, target: Target) -> Recipe:
    """The part of *recipe* that is asked for, as far as the protocol carries it."""
    return clipped(
        carried(recipe, target), target.parameters.clip_from, target.parameters.clip_to
    )


def master_playlist(
    recipe: Recipe,
    target: Target,
    listing: Listing = EVERYTHING,
    text: Tracks = (),
    sheets: Sheets | None = None,
) -> Needs[str]:
    """The multivariant playlist as text."""
    playlist = yield from multivariant(recipe, target, listing, text)
    if sheets is not None and any(one.resolution for one in playlist.variants):
        images = image_stream(sheets, f"{listing.folder}images.m3u8")
        playlist = replace(playlist, images=images)
    return with_closed_captions(playlist, recipe.closed_captions).render()


def _whole(recipe: Recipe, text: Tracks, *, fmp4: bool) -> Needs[Presentation]:
    """Everything that could be listed."""
    every = yield from presentation(recipe)
    return replace(every, text=(yield from text_renditions(recipe, text, fmp4=fmp4)))


def multivariant(
    recipe: Recipe, target: Target, listing: Listing = EVERYTHING, text: Tracks = ()
) -> Needs[MultivariantPlaylist]:
    """The multivariant playlist; its addresses are beside it, or in the listing's folder."""
    playlist, videos = yield from _variants(asked_of(recipe, target), target, listing, text)
    if not target.parameters.trick_play:
        return playlist
    listed = []
    for video in videos:
        found = yield from pictures(asked_of(recipe, target), _choice(video), fmp4=target.fmp4)
        if found is not None:
            listed.append((video, found.bitrate))

    def name(one: _Rendition) -> str:
        return f"{listing.folder}iframes{selectors(_choice(one))}.m3u8"

    return replace(playlist, i_frames=i_frame_variants(listed, name))


_Made = tuple[MultivariantPlaylist, tuple[VideoRendition, ...]]


def _variants(recipe: Recipe, target: Target, listing: Listing, text: Tracks) -> Needs[_Made]:
    """With the video that is listed."""
    whole = yield from _whole(recipe, text, fmp4=target.fmp4)
    kept, folder = listing.keep(whole), listing.folder

    def text_index(one: TextRendition) -> str:
        return folder + text_name(FileKind.INDEX, one.track)

    # What is left out of a list changes neither its media nor their rates.
    seconds = target_of(whole)
    if target.fmp4 or audio_apart(kept):
        merged = listing.edit(merged_audio(kept))
    else:
        edited = listing.edit(kept)
        if not audio_apart(edited):
            muxed = yield from _muxed_master(recipe, edited, seconds, folder)
            return with_subtitles(muxed, edited.text, text_index), edited.video
        merged = merged_audio(edited)

    def name(one: _Rendition) -> str:
        return f"{folder}index{selectors(_choice(one))}.m3u8"

    if target.fmp4:
        fmp4 = separate_variants(merged, name)
        return with_subtitles(fmp4, merged.text, text_index), merged.video
    rates: dict[str, Bitrate] = {}
    apart: tuple[_Rendition, ...] = (*merged.video, *merged.audio)
    for one in apart:
        rate_of = muxed_bitrate if isinstance(one, VideoRendition) else packed_bitrate
        rates[one.name] = yield from rate_of(recipe, _choice(one), seconds)
    playlist = separate_variants(merged, name, lambda one: rates[one.name])
    return with_subtitles(playlist, merged.text, text_index), merged.video


def _muxed_master(
    recipe: Recipe, every: Presentation, seconds: int, folder: str
) -> Needs[MultivariantPlaylist]:
    own = {one.flavor: one for one in every.audio}
    rates: dict[int, Bitrate] = {}
    for video in every.video:
        choice = _together(video, own.get(video.flavor))
        rate = yield from muxed_bitrate(recipe, choice, seconds)
        rates[video.flavor] = max(rate, rates.get(video.flavor, rate), key=lambda one: one.peak)

    def name(video: VideoRendition, audio: AudioRendition | None) -> str:
        return f"{folder}index{selectors(_together(video, audio))}.m3u8"

    return muxed_variants(every, rates, name)


def _choice(one: _Rendition) -> Choice:
    if isinstance(one, VideoRendition):
        return Choice(one.flavor, video=one.track)
    return Choice(one.flavor, audio=one.track)


def _together(video: VideoRendition, audio: AudioRendition | None) -> Choice:
    return Choice(video.flavor, video.track, None if audio is None else audio.track)


def target_of(of: Presentation) -> int:
    """The target duration of its lists, seconds."""
    return target_duration(one.timeline for one in of.renditions)


def index_playlist(recipe: Recipe, target: Target, choice: Choice, token: str) -> Needs[str]:
    """The media playlist of the tracks in *choice*."""
    made, seconds = yield from stretch(recipe, target, choice, token, media_folder(target))
    return media_playlist(made.timeline, made.uri, target=seconds, map_uri=made.map_uri)


def key_frame_playlist(
    recipe: Recipe, target: Target, choice: Choice, token: str
) -> Needs[str]:
    """The list of the key frames of the video in *choice*."""
    found = yield from pictures(asked_of(recipe, target), choice, fmp4=target.fmp4)
    if found is None:
        raise UnknownSegment("the video has no key frames to list")
    tail, folder = f"{selectors(choice)}-x{token}", media_folder(target)
    return iframe_playlist(
        found.timeline,
        lambda number: folder + key_name(target.fmp4, number, tail),
        map_uri=f"{folder}init{tail}.mp4" if target.fmp4 else None,
    )


def stretch(
    recipe: Recipe, target: Target, choice: Choice, token: str, folder: str
) -> Needs[tuple[Stretch, int]]:
    """The segments of the tracks in *choice*, which are in *folder*, and the target duration
    of all lists."""
    recipe = asked_of(recipe, target)
    if target.fmp4:
        timeline = yield from _cmaf_timeline(recipe, choice)
    else:
        timeline = (yield from mux(recipe, choice)).timeline
    timeline = recipe.clip.of(timeline)
    seconds = target_duration([timeline, *(yield from _timelines(recipe, fmp4=target.fmp4))])
    tail = f"{selectors(choice)}-x{token}"
    packed = None if target.fmp4 else packed_suffix(recipe, choice)

    def name(number: int) -> str:
        return folder + segment_name(target.protocol, target.fmp4, number, tail, packed)

    header = f"{folder}init{tail}.mp4" if target.fmp4 else None
    return Stretch(timeline, name, header), seconds


def text_playlist(
    recipe: Recipe, target: Target, track: CaptionTrack, token: str
) -> Needs[str]:
    """The media playlist of captions."""
    timeline = recipe.clip.of((yield from text_timeline(recipe)))
    seconds = target_duration([timeline, *(yield from _timelines(recipe, fmp4=target.fmp4))])
    folder, mark = media_folder(target, text=True), token + track.mark
    return media_playlist(
        timeline,
        lambda number: folder + text_name(FileKind.SEGMENT, track.number, mark, number),
        target=seconds,
    )


def _cmaf_timeline(recipe: Recipe, choice: Choice) -> Needs[Timeline]:
    if (choice.video is None) == (choice.audio is None):
        raise UnknownSegment("an fMP4 playlist has one track")
    kind = Kind.AUDIO if choice.video is None else Kind.VIDEO
    track = recipe.track(choice.flavor, kind, choice.video or choice.audio or 0)
    return decoded(track, (yield from track_cuts(recipe, choice.flavor, track)))


def _timelines(recipe: Recipe, *, fmp4: bool) -> Needs[list[Timeline]]:
    """Of every track on its own, so that all lists agree on one target duration (P-02)."""
    found = []
    for flavor, index in enumerate(recipe.flavors, 1):
        for track in index.tracks:
            cuts = yield from track_cuts(recipe, flavor, track)
            own = Timeline(track.track.timescale, cuts.starts, cuts.end)
            line = decoded(track, cuts) if fmp4 else own
            if recipe.clip.segments(line):
                found.append(recipe.clip.of(line))
    return found


def media_presentation(
    recipe: Recipe,
    target: Target,
    token: str,
    listing: Listing = EVERYTHING,
    text: Tracks = (),
    sheets: Sheets | None = None,
) -> Needs[str]:
    """The MPD."""
    period, min_buffer = yield from media_period(
        recipe, target, token, listing.folder + media_folder(target), listing, text
    )
    if sheets is not None and period.presentation.video:
        sheet = sheet_name("$Number$", token + sheets.mark)
        sheet = listing.folder + sheet_folder(target) + sheet
        period = replace(period, sheets=sheets, sheet=sheet)
    return mpd(period, min_buffer=min_buffer)


def media_period(
    recipe: Recipe,
    target: Target,
    token: str,
    folder: str,
    listing: Listing = EVERYTHING,
    text: Tracks = (),
) -> Needs[tuple[Period, Fraction]]:
    """A period of an MPD whose segments are in *folder*, and its buffer in seconds."""
    recipe = asked_of(recipe, target)
    whole = yield from _whole(recipe, text, fmp4=True)
    marks = {one.number: token + clip_mark(one.mark, recipe.clip) for one in text}
    form, plain = target.parameters.captions_as, {one.number: one.mark for one in text}
    merged = listing.edit(merged_audio(listing.keep(whole)))

    def named(make: Callable[[str], str]) -> Callable[[_Rendition], str]:
        return lambda one: make(f"{selectors(_choice(one))}-x{token}")

    tricks = {}
    for video in merged.video if target.parameters.trick_play else ():
        found = yield from pictures(recipe, _choice(video), fmp4=True)
        if found is not None:
            tricks[video.name] = replace(
                video, timeline=found.timeline, bandwidth=found.bitrate.peak
            )

    within = listing.folder + media_folder(target, text=True)

    def segments(one: TextRendition) -> TextSegments | None:
        if form is None:
            return None
        line, mark = milliseconds(one.timeline), token + plain[one.track]
        media = text_name(FileKind.SEGMENT, one.track, mark, "$Number$", form)
        header = text_name(FileKind.INIT, one.track, mark, form=form)
        rate = most_bandwidth(one.bitrate.peak, line)
        return TextSegments(CODECS[form], line, within + media, within + header, rate)

    period = Period(
        presentation=merged,
        media=named(
            lambda tail: folder + segment_name(target.protocol, True, "$Number$", tail)
        ),
        initialization=named(lambda tail: f"{folder}init{tail}.mp4"),
        # Of a clip they are its own, with other times.
        captions=lambda one: (
            listing.folder + text_name(FileKind.SUBTITLES, one.track, marks[one.track])
        ),
        text_segments=segments,
        tricks=tricks,
        keys=named(lambda tail: folder + key_name(True, "$Number$", tail)),
    )
    return period, minimum_buffer(one.timeline for one in whole.renditions)


def default_choice(recipe: Recipe, target: Target, choice: Choice) -> Choice:
    """*choice*, or the first tracks of its flavor where it names none."""
    if choice.video is not None or choice.audio is not None:
        return choice
    alone = target.fmp4 or target.file.kind in (FileKind.I_FRAMES, FileKind.KEY)
    flavor = carried(recipe, target).flavor(choice.flavor)
    video = next((track.number for track in flavor.of_kind(Kind.VIDEO)), None)
    audio = next((track.number for track in flavor.of_kind(Kind.AUDIO)), None)
    return Choice(choice.flavor, video, None if alone and video else audio)
