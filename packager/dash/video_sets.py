"""Video as AdaptationSets (ISO/IEC 23009-1 §5.3.3; D-08, I-10)."""

from collections.abc import Callable, Iterable
from fractions import Fraction

from packager.dash.closed_captions import closed_captions
from packager.dash.element import Attributes, element
from packager.dash.role import Role, role
from packager.presentation import ClosedCaptions, DynamicRange, Presentation, VideoRendition

_SAME_ASPECT = Fraction(1, 50)
"""Encoders round a width to 2, 8 or 16 pixels: 848 by 480 is 0.6 % off 16:9.  The nearest
shapes that people tell apart, such as 1.85:1 from 16:9, differ by 4 %."""

_TRANSFERS = {DynamicRange.HDR10: 16, DynamicRange.HLG: 18}
"""TransferCharacteristics of ISO/IEC 23091-2."""


def video_sets(presentation: Presentation) -> list[tuple[VideoRendition, ...]]:
    """Renditions among which a player may switch at every segment.

    They start their segments together, are of one codec family and have one shape; a ladder
    that is not aligned gives a set to each rendition.
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


def video_set(
    number: int,
    members: tuple[VideoRendition, ...],
    template: Callable[[VideoRendition], str],
    captions: Iterable[ClosedCaptions] = (),
) -> str:
    """AdaptationSet@id *number*; *template* makes a member's SegmentTemplate."""
    tallest = max(members, key=lambda video: video.height)
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
        *closed_captions(captions),
        *_transfer(tallest),
        # The first set is what to show when nobody chooses (D-08).
        *([role(Role.MAIN)] if number == 1 else []),
        *(_representation(video, template(video)) for video in members),
    )


def _transfer(video: VideoRendition) -> list[str]:
    """Supplemental, so that a player that does not know it may still show the picture."""
    value = _TRANSFERS.get(video.dynamic_range)
    scheme = "urn:mpeg:mpegB:cicp:TransferCharacteristics"
    descriptor: Attributes = {"schemeIdUri": scheme, "value": value}
    return [element("SupplementalProperty", descriptor)] if value else []


def _representation(video: VideoRendition, template: str) -> str:
    attributes: Attributes = {
        "id": video.name,
        "codecs": video.codec,
        "bandwidth": video.bandwidth,
        "width": video.width,
        "height": video.height,
        # What str makes of a fraction, 25 or 30000/1001, is just the FrameRateType.
        "frameRate": str(video.frame_rate) if video.frame_rate else None,
        "sar": _ratio(video.pixel_aspect),
    }
    return element("Representation", attributes, template)


def _switchable(one: VideoRendition, other: VideoRendition) -> bool:
    same_family = one.codec.partition(".")[0] == other.codec.partition(".")[0]
    same_range = one.dynamic_range is other.dynamic_range
    return same_family and same_range and abs(_aspect(one) / _aspect(other) - 1) < _SAME_ASPECT


def _aspect(video: VideoRendition) -> Fraction:
    return Fraction(video.width, video.height) * video.pixel_aspect


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"
