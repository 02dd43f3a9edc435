"""Key frames alone as an AdaptationSet (DASH-IF IOP 4.3 §3.2.9).

Players that do not know the property leave the set alone, as it is essential.
"""

from collections.abc import Callable
from fractions import Fraction

from packager.dash.element import Attributes, element
from packager.presentation import VideoRendition

_SCHEME = "http://dashif.org/guidelines/trickmode"


def trick_set(
    number: int,
    main: int,
    members: list[VideoRendition],
    template: Callable[[VideoRendition], str],
) -> str:
    """AdaptationSet@id *number*, for fast play of the set *main*; *members* have the timelines
    and rates of their key frames."""
    attributes: Attributes = {
        "id": number,
        "contentType": "video",
        "mimeType": "video/mp4",
        "segmentAlignment": "false",
        "startWithSAP": 1,
        "codingDependency": "false",
    }
    what = element("EssentialProperty", {"schemeIdUri": _SCHEME, "value": main})
    return element("AdaptationSet", attributes, what, *(_one(one, template) for one in members))


def _one(video: VideoRendition, template: Callable[[VideoRendition], str]) -> str:
    line = video.timeline
    rate = Fraction(len(line.starts) * line.timescale, line.end - line.starts[0])
    fastest = max(2, int((video.frame_rate or 30) / rate))
    attributes: Attributes = {
        "id": f"{video.name}-keys",
        "codecs": video.codec,
        "bandwidth": video.bandwidth,
        "width": video.width,
        "height": video.height,
        "maxPlayoutRate": fastest,
        "codingDependency": "false",
    }
    return element("Representation", attributes, template(video))
