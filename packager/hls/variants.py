"""From a presentation to its variants: which renditions play together (rules P-08 to P-10).

Variants keep the order of the flavors, group after group of audio, those that most players
take first; text renditions are added by ``subtitles.with_subtitles``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from packager.bandwidth import combine
from packager.hls.audio_groups import AudioGroup, audio_groups, family
from packager.hls.multivariant import MultivariantPlaylist, Variant
from packager.presentation import (
    AudioRendition,
    Bitrate,
    DynamicRange,
    Presentation,
    VideoRendition,
)

_Rendition = VideoRendition | AudioRendition


def audio_apart(presentation: Presentation) -> bool:
    """Whether audio must not be muxed into the video's segments.

    So it is when there are two languages or more, or two families of codecs, between which a
    player would have to change its decoder, when one flavor alone brings several tracks to
    choose from, when a video flavor has no audio of its own while others have, and when
    there is no video.
    """
    flavors = [audio.flavor for audio in presentation.audio]
    return (
        len({audio.language for audio in presentation.audio}) > 1
        or len({family(audio.codec) for audio in presentation.audio}) > 1
        or len(set(flavors)) < len(flavors)
        or bool(flavors and {video.flavor for video in presentation.video} - set(flavors))
        or not presentation.video
    )


def muxed_variants(
    presentation: Presentation,
    bitrates: Mapping[int, Bitrate],
    playlist_uri: Callable[[VideoRendition, AudioRendition | None], str],
) -> MultivariantPlaylist:
    """One variant per video rendition, with the audio of its own flavor in its segments.

    *bitrates* are those of the muxed segments, by flavor.  The presentation must list the
    audio of every flavor, and ``audio_apart`` must not hold of it.
    """
    audio = {one.flavor: one for one in presentation.audio}
    return MultivariantPlaylist(
        _told_apart(
            [
                _video_variant(
                    video,
                    uri=playlist_uri(video, own := audio.get(video.flavor)),
                    bitrate=bitrates[video.flavor],
                    audio_codecs=(own.codec,) if own else (),
                )
                for video in presentation.video
            ]
        )
    )


def separate_variants(
    presentation: Presentation,
    playlist_uri: Callable[[_Rendition], str],
    bitrate: Callable[[_Rendition], Bitrate] = lambda rendition: rendition.bitrate,
) -> MultivariantPlaylist:
    """Every video rendition with every audio group; audio groups alone if there is no video.

    *bitrate* is asked for a rendition in segments of its own, which are CMAF unless the caller
    knows of others.
    """
    groups = audio_groups(presentation.audio)
    if not presentation.video:
        return _audio_only(groups, playlist_uri, bitrate)
    variants = [
        _video_variant(
            video,
            uri=playlist_uri(video),
            bitrate=combine(
                [bitrate(video)], *([map(bitrate, group.members)] if group else [])
            ),
            audio_codecs=group.codecs if group else (),
            audio=group.name if group else None,
        )
        for group in groups or (None,)
        for video in sorted(presentation.video, key=_start_with)
    ]
    media = [line for group in groups for line in group.media(playlist_uri)]
    return MultivariantPlaylist(_told_apart(variants), tuple(media))


def i_frame_variants(
    listed: Sequence[tuple[VideoRendition, Bitrate]], playlist_uri: Callable[[_Rendition], str]
) -> tuple[Variant, ...]:
    """Lists of the key frames of each, with their rates."""
    return _told_apart(
        [
            _video_variant(video, uri=playlist_uri(video), bitrate=rate, audio_codecs=())
            for video, rate in listed
        ]
    )


def _audio_only(
    groups: tuple[AudioGroup, ...],
    playlist_uri: Callable[[_Rendition], str],
    bitrate: Callable[[_Rendition], Bitrate],
) -> MultivariantPlaylist:
    """The default of each group is the variant; tags only where there is a choice beside it."""
    choice = len(groups[0].members) > 1
    variants = [
        Variant(
            uri=playlist_uri(group.default),
            bitrate=combine(map(bitrate, group.members)),
            codecs=group.codecs,
            audio=group.name if choice else None,
        )
        for group in groups
    ]
    media = [line for group in groups for line in group.media(playlist_uri)] if choice else []
    return MultivariantPlaylist(tuple(variants), tuple(media))


def _video_variant(
    video: VideoRendition,
    *,
    uri: str,
    bitrate: Bitrate,
    audio_codecs: tuple[str, ...],
    audio: str | None = None,
) -> Variant:
    return Variant(
        uri=uri,
        bitrate=bitrate,
        codecs=(video.codec, *audio_codecs),
        resolution=video.shown,
        frame_rate=video.frame_rate,
        audio=audio,
        supplemental_codecs=video.supplemental_codec,
        video_range=_video_range(video),
        video_layout=_video_layout(video),
    )


_VIDEO_RANGES = {
    DynamicRange.HDR10: "PQ",
    DynamicRange.HLG: "HLG",
    DynamicRange.DOLBY_VISION: "PQ",
}


_HLG_TRANSFER = 18


def _video_range(video: VideoRendition) -> str | None:
    """Dolby Vision is PQ, but where its base layer is HLG."""
    is_vision = video.dynamic_range is DynamicRange.DOLBY_VISION
    if is_vision and video.colour is not None and video.colour.transfer == _HLG_TRANSFER:
        return "HLG"
    return _VIDEO_RANGES.get(video.dynamic_range)


_PROJECTIONS = {"equi": "PROJ-EQUI", "hequ": "PROJ-HEQU", "prim": "PROJ-PRIM"}


def _video_layout(video: VideoRendition) -> str | None:
    """What a client must be able to show; one flat picture goes without saying."""
    said = ("CH-STEREO" if video.stereo else None, _PROJECTIONS.get(video.projection))
    return "/".join(one for one in said if one) or None


_COMPATIBLE = ("avc1", "hvc1", "vp09", "av01")
"""Entries in the order of how many players take them."""


def _start_with(video: VideoRendition) -> tuple[bool, bool, int]:
    """Players may start with the first variant: what most of them can show goes first, and
    else the order of the flavors is kept."""
    entry = video.codec.partition(".")[0]
    known = _COMPATIBLE.index(entry) if entry in _COMPATIBLE else len(_COMPATIBLE)
    return _video_layout(video) is not None, video.dynamic_range is not DynamicRange.SDR, known


def _told_apart(variants: list[Variant]) -> tuple[Variant, ...]:
    """Where one variant tells its VIDEO-RANGE all do (Apple's authoring specification §9.12);
    SDR alone goes without saying."""
    if not any(one.video_range for one in variants):
        return tuple(variants)
    return tuple(replace(one, video_range=one.video_range or "SDR") for one in variants)
