"""SegmentTemplate with a SegmentTimeline (ISO/IEC 23009-1 §5.3.9.4, §5.3.9.6; D-04, D-05)."""

from itertools import groupby

from packager.dash.element import Attributes, element
from packager.presentation import Timeline


def segment_template(
    timeline: Timeline, *, media: str, initialization: str, presentation_time_offset: int = 0
) -> str:
    """The segments of one Representation.

    *media* and *initialization* are templates, in which ``$Number$`` stands for the number and
    a dollar sign is ``$$``.  *presentation_time_offset*, in ticks, is the media time that plays
    at the start of the whole; 0 where the init segment's edit list says that already.  A clip
    keeps the times of the whole, so its own start is taken off too.
    """
    attributes: Attributes = {
        "timescale": timeline.timescale,
        "presentationTimeOffset": presentation_time_offset + timeline.zero or None,
        "startNumber": timeline.first,
        "initialization": initialization,
        "media": media,
    }
    runs = _runs(timeline, presentation_time_offset)
    return element("SegmentTemplate", attributes, element("SegmentTimeline", {}, *runs))


def _runs(timeline: Timeline, offset: int) -> list[str]:
    """An S for each run of equal durations; only the first says when, the rest follow on."""
    lines = []
    when = f' t="{timeline.starts[0] + offset}"'
    for duration, run in groupby(timeline.durations):
        again = sum(1 for _ in run) - 1
        repeat = f' r="{again}"' if again else ""
        lines.append(f'<S{when} d="{duration}"{repeat}/>')
        when = ""
    return lines
