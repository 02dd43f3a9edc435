"""Bars as inline SVG: the median, a whisker from the lowest run to the highest, the target."""

from collections.abc import Sequence
from html import escape

from bench.figures import Figure, show

_LABEL, _PLOT, _VALUE = 230, 430, 90
"""Widths."""
_ROW, _BAR, _TOP = 26, 14, 6


def bars(title: str, rows: Sequence[tuple[str, Figure]]) -> str:
    """One bar for each of *rows*, on a common scale from zero."""
    highest = max(max((*one.runs, one.at_most or 0)) for _, one in rows) or 1
    width, height = _LABEL + _PLOT + _VALUE, _TOP + _ROW * len(rows)
    scale = _PLOT / highest
    lines = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
        *(_row(number, label, one, scale) for number, (label, one) in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(lines)


def _row(number: int, label: str, one: Figure, scale: float) -> str:
    top = _TOP + number * _ROW
    middle, text = top + _BAR / 2, top + _BAR - 3
    length, low, high = (
        round(value * scale, 1) for value in (one.median, min(one.runs), max(one.runs))
    )
    parts = [
        f'<text class="label" x="{_LABEL - 8}" y="{text}">{escape(label)}</text>',
        f'<path class="bar {one.verdict}" d="M{_LABEL} {top}h{length}v{_BAR}h{-length}z"/>',
        f'<path class="whisker" d="M{_LABEL + low} {middle}H{_LABEL + high}"/>',
    ]
    if one.at_most is not None:
        at = round(_LABEL + one.at_most * scale, 1)
        parts.append(f'<path class="target" d="M{at} {top - 4}v{_BAR + 8}"/>')
    end = _LABEL + max(length, high) + 6
    parts.append(f'<text class="value" x="{end}" y="{text}">{show(one.median)}</text>')
    return "\n".join(parts)
