"""Video as AdaptationSets (ISO/IEC 23009-1 §5.3.3; D-08, I-10)."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from packager.codecs.h264 import Colour
from packager.dash.closed_captions import closed_captions
from packager.dash.element import Attributes, element
from packager.dash.role import Role, role
from packager.presentation import (
    ClosedCaptions,
    DynamicRange,
    Presentation,
    VideoRendition,
)

_SAME_ASPECT = Fraction(1, 50)
"""Encoders round a width to 2, 8 or 16 pixels: 848 by 480 is 0.6 % off 16:9.  The nearest
shapes that people tell apart, such as 1.85:1 from 16:9, differ by 4 %."""

_BT709 = Colour(1, 1, 1, full_range=False)
_UNSPECIFIED = 2
_SCTE_214 = "urn:scte:dash:scte214-extensions"


def video_sets(presentation: Presentation) -> list[tuple[VideoRendition, ...]]:
    """Renditions among which a player may switch at every segment.

    They start their segments together, are of one codec family, dynamic range and timescale
    and have one shape (I-10); a ladder that is not aligned gives a set to each rendition.
    """
    if not presentation.aligned:
        return [(video,) for video in presentation.video]
    sets: list[list[VideoRendition]] = []
    for video in presentation.video:
        kin = next((members for members in sets if _switchable(members[0], video)), None)
        if kin is None:
            sets.append([video])
        else:
            kin.append(video)
    return [tuple(members) for members in sets]


def switched_between(sets: Sequence[Sequence[VideoRendition]]) -> list[list[int]]:
    """For each of *sets*, which are aligned, the numbers of those that a player may switch to
    (§5.3.3.5): the same picture in another codec or on another timescale."""
    return [
        [
            number
            for number, other in enumerate(sets, 1)
            if other is not one and _same_picture(one[0], other[0])
        ]
        for one in sets
    ]


def main_pictures(sets: Sequence[Sequence[VideoRendition]]) -> list[bool]:
    """For each of *sets*, whether it is what to show when nobody chooses (D-08): flat SDR
    where there is any, in every codec that there is of it."""
    if not sets:
        return []

    def special(members: Sequence[VideoRendition]) -> tuple[bool, bool]:
        one = members[0]
        flat = not one.stereo and one.projection == "rect"
        return not flat, one.dynamic_range is not DynamicRange.SDR

    main = min(sets, key=special)
    return [members is main or _same_picture(members[0], main[0]) for members in sets]


def video_set(
    number: int,
    members: tuple[VideoRendition, ...],
    template: Callable[[VideoRendition], str],
    captions: Iterable[ClosedCaptions] = (),
    *,
    main: bool,
    switching: Iterable[int] = (),
) -> str:
    """AdaptationSet@id *number*; *template* makes a member's SegmentTemplate; *switching* are
    the numbers of ``switched_between``."""
    tallest = max(members, key=lambda video: video.height)
    alike = len({video.colour for video in members}) == 1
    rates = [video.frame_rate for video in members if video.frame_rate]
    attributes: Attributes = {
        "id": number,
        "contentType": "video",
        "mimeType": "video/mp4",
        "containerProfiles": "cmfc",
        "segmentAlignment": "true",
        "startWithSAP": 1,
        "par": _ratio(_aspect(tallest)),
        "maxWidth": max(video.width for video in members),
        "maxHeight": tallest.height,
        "maxFrameRate": str(max(rates)) if rates else None,
    }
    return element(
        "AdaptationSet",
        attributes,
        *(_colour(tallest) if alike else []),
        *_switching(switching),
        *closed_captions(captions),
        *([role(Role.MAIN)] if main else []),
        *(
            _representation(video, template(video), [] if alike else _colour(video))
            for video in members
        ),
    )


def _switching(numbers: Iterable[int]) -> list[str]:
    scheme = "urn:mpeg:dash:adaptation-set-switching:2016"
    value = ",".join(map(str, numbers))
    descriptor: Attributes = {"schemeIdUri": scheme, "value": value}
    return [element("SupplementalProperty", descriptor)] if value else []


def _colour(video: VideoRendition) -> list[str]:
    """Code points of ISO/IEC 23091-2, where they are not what players take for granted.

    Supplemental, so that a player that does not know them may still show the picture.
    """
    colour = video.colour
    if colour is None or colour == _BT709:
        return []
    points = {
        "ColourPrimaries": colour.primaries,
        "TransferCharacteristics": colour.transfer,
        "MatrixCoefficients": colour.matrix,
    }
    told = {name: value for name, value in points.items() if value != _UNSPECIFIED}
    if colour.full_range:
        told["VideoFullRangeFlag"] = 1
    return [
        element(
            "SupplementalProperty",
            {"schemeIdUri": f"urn:mpeg:mpegB:cicp:{name}", "value": value},
        )
        for name, value in told.items()
    ]


def _representation(video: VideoRendition, template: str, colour: list[str]) -> str:
    codec, _, brand = (video.supplemental_codec or "").partition("/")
    attributes: dict[str, str | int | None] = {
        "id": video.name,
        "codecs": video.codec,
        "bandwidth": video.bandwidth,
        "width": video.width,
        "height": video.height,
        # What str makes of a fraction, 25 or 30000/1001, is just the FrameRateType.
        "frameRate": str(video.frame_rate) if video.frame_rate else None,
        "sar": _ratio(video.pixel_aspect),
    }
    if codec:
        attributes |= {
            "xmlns:scte214": _SCTE_214,
            "scte214:supplementalCodecs": codec,
            "scte214:supplementalProfiles": brand,
        }
    return element("Representation", attributes, *colour, template)


def _switchable(one: VideoRendition, other: VideoRendition) -> bool:
    same_family = one.codec.partition(".")[0] == other.codec.partition(".")[0]
    same_kind = (
        bool(one.supplemental_codec) == bool(other.supplemental_codec)
        and one.timeline.timescale == other.timeline.timescale
        and one.turned == other.turned
    )
    return same_family and same_kind and _same_picture(one, other)


def _same_picture(one: VideoRendition, other: VideoRendition) -> bool:
    return (
        one.dynamic_range is other.dynamic_range
        and (one.stereo, one.projection) == (other.stereo, other.projection)
        and _nearly(Fraction(*one.shown), Fraction(*other.shown))
    )


def _nearly(one: Fraction, other: Fraction) -> bool:
    return abs(one / other - 1) < _SAME_ASPECT


def _aspect(video: VideoRendition) -> Fraction:
    return Fraction(video.width, video.height) * video.pixel_aspect


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"
