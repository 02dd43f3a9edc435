"""A WebVTT storyboard: for each tile a cue whose text is where it is.

The address ends in ``#xywh=``, a spatial fragment (W3C Media Fragments 1.0 §4.2.2), as players
of thumbnails by WebVTT expect.
"""

from collections.abc import Callable
from fractions import Fraction

from packager.pictures.sheets import TILES, Sheets, place


def storyboard(sheets: Sheets, address: Callable[[int], str]) -> str:
    """Of *sheets*; *address* names one by its number, relative to the storyboard."""
    width, height = sheets.tile
    lines = ["WEBVTT\n"]
    for tile in range(sheets.tiles):
        column, row = place(tile)
        start = Fraction(tile * sheets.interval)
        stop = min(start + sheets.interval, sheets.duration)
        if _written(stop) == _written(start):
            continue  # less than a millisecond: no cue may be empty
        where = f"{column * width},{row * height},{width},{height}"
        lines.append(
            f"{_written(start)} --> {_written(stop)}\n"
            f"{address(tile // TILES + 1)}#xywh={where}\n"
        )
    return "\n".join(lines)


def _written(time: Fraction) -> str:
    seconds, thousandths = divmod(int(time * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"
