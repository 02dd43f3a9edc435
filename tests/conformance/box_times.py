"""When access units are presented, by the boxes of segments alone.

FFmpeg delays what has negative composition offsets and no edit list, so that decode times
need not be negative; its reading cannot be compared across packagers.
"""

from fractions import Fraction

from lint.isobmff.boxes import boxes
from lint.isobmff.header import read_header
from lint.isobmff.runs import read_run
from tests.conformance.judging import Media


def box_times(media: Media) -> list[Fraction]:
    """Seconds of the media, less what an edit list takes off, in order."""
    header = read_header(media.init, _nothing, hls=False)
    found = []
    for segment in media.segments:
        view = memoryview(segment)
        for moof in boxes(view, 0, len(view)):
            if moof.kind != "moof":
                continue
            for traf in moof.children():
                run = read_run(traf, moof, header, _nothing) if traf.kind == "traf" else None
                if run is None:
                    continue
                at = run.base - max(run.track.media_time, 0)
                for lasting, shift in zip(run.durations, run.shifts, strict=True):
                    found.append(Fraction(at + shift, run.track.timescale))
                    at += lasting
    return sorted(found)


def _nothing(check: str, place: str, text: str) -> None:
    """What lint finds in another packager's boxes is not the question."""
