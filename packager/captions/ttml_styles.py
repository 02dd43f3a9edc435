"""Styles and regions of TTML as WebVTT markup and settings (TTML2 §10, WebVTT §4.2, §4.4)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Styles = dict[str, str]

_TEXT = ("color", "fontStyle", "fontWeight", "textDecoration", "textAlign", "direction")
_AREA = ("displayAlign", "origin", "extent", "display", "visibility")
_KNOWN = frozenset((*_TEXT, *_AREA))
_INHERITED = _KNOWN - {"origin", "extent", "display", "displayAlign"}
_MAX_STYLES = 10_000
_MAX_COLOURS = 256
"""That are not one of WebVTT's own: each is a rule in the head of every segment."""

_REFERENCES = 16
"""That one element follows, and how deep they go."""

_OWN = {
    "#ffffff": "white",
    "#00ff00": "lime",
    "#00ffff": "cyan",
    "#ff0000": "red",
    "#ffff00": "yellow",
    "#ff00ff": "magenta",
    "#0000ff": "blue",
    "#000000": "black",
}
"""Colours that WebVTT has classes for (§5.1)."""

_NAMED = {name: value for value, name in _OWN.items()} | {
    "aqua": "#00ffff",
    "fuchsia": "#ff00ff",
    "green": "#008000",
    "gray": "#808080",
    "silver": "#c0c0c0",
    "maroon": "#800000",
    "purple": "#800080",
    "olive": "#808000",
    "navy": "#000080",
    "teal": "#008080",
}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINE_PERCENT = 6
"""Height of a line of text, about: what players make of WebVTT."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What lengths are a part of."""

    cells: tuple[int, int] = (32, 15)
    pixels: tuple[int, int] | None = None

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Frame":
        """Of the attributes of ``tt``.  Raises ``ValueError``."""
        cells = re.fullmatch(
            r"([1-9][0-9]{0,4}) ([1-9][0-9]{0,4})", said.get("cellResolution", "32 15")
        )
        if cells is None:
            raise ValueError("cellResolution is not two numbers")
        pixels = re.fullmatch(
            r"([1-9][0-9]{0,4})px ([1-9][0-9]{0,4})px", said.get("extent", "")
        )
        return cls(
            (int(cells[1]), int(cells[2])),
            (int(pixels[1]), int(pixels[2])) if pixels else None,
        )

    def percents(self, text: str) -> tuple[float, float] | None:
        """Two lengths, across and down; None where they cannot be known."""
        parts = re.findall(r"(?:^| )([0-9]{1,6}(?:\.[0-9]{1,6})?)(%|px|c)(?= |$)", text)
        if len(parts) != 2:
            return None
        found = []
        for axis, (number, unit) in enumerate(parts):
            whole = {"%": 100, "c": self.cells[axis]}.get(unit) or (
                self.pixels[axis] if self.pixels else 0
            )
            if not whole:
                return None
            found.append(min(100 * float(number) / whole, 100.0))
        return found[0], found[1]


class Sheet:
    """The styles and regions of a document."""

    def __init__(self) -> None:
        self._styles: dict[str, tuple[Styles, tuple[str, ...]]] = {}
        self._regions: dict[str, Styles] = {}
        self._last_region = ""
        self._referred_to: dict[str, Styles] = {}
        """Styles with what they refer to, as far as they were asked for."""

        self._colours: dict[str, str] = {}

    def add_style(self, said: Mapping[str, str]) -> None:
        """Raises ``ValueError``."""
        if len(self._styles) >= _MAX_STYLES:
            raise ValueError(f"more than {_MAX_STYLES} styles")
        self._referred_to.clear()
        self._styles[said.get("id", "")] = _own(said), _references(said)

    def add_region(self, said: Mapping[str, str]) -> None:
        """Raises ``ValueError``."""
        if len(self._regions) >= _MAX_STYLES:
            raise ValueError(f"more than {_MAX_STYLES} regions")
        self._last_region = said.get("id", "")
        self._regions[self._last_region] = self.resolved({}, said)

    def add_to_region(self, said: Mapping[str, str]) -> None:
        """A ``style`` within the region that was added last."""
        self._regions[self._last_region] |= self.resolved({}, said)

    def region(self, name: str | None) -> Styles:
        return self._regions.get(name or "", {})

    def resolved(self, inherited: Styles, said: Mapping[str, str]) -> Styles:
        """What holds in an element: what is inherited, what it refers to, what it says."""
        own, references = _own(said), _references(said)
        if not own and not references:
            return inherited
        found = {name: value for name, value in inherited.items() if name in _INHERITED}
        for one in references:
            if one not in self._referred_to and one in self._styles:
                self._referred_to[one] = self._referred(one, _REFERENCES)
            found |= self._referred_to.get(one, {})
        return found | own

    def _referred(self, name: str, depth: int) -> Styles:
        """Of a style and the first that it refers to in turn."""
        own, more = self._styles.get(name, ({}, ()))
        if not more or not depth:
            return own
        return self._referred(more[0], depth - 1) | own

    def colour_class(self, value: str) -> str:
        """The class that shows a colour; none of one that is not known."""
        colour = _NAMED.get(value.lower(), value.lower())[:7]
        if not re.fullmatch("#[0-9a-f]{6}", colour):
            return ""
        if colour in _OWN:
            return "" if colour == "#ffffff" else _OWN[colour]
        if colour not in self._colours and len(self._colours) < _MAX_COLOURS:
            self._colours[colour] = f"c{colour[1:]}"
        return self._colours.get(colour, "")

    def blocks(self) -> tuple[str, ...]:
        """A STYLE block of the colours that text is in."""
        rules = [
            f"::cue(.{name}) {{ color: {colour} }}" for colour, name in self._colours.items()
        ]
        return ("\n".join(["STYLE", *rules]),) if rules else ()


def _own(said: Mapping[str, str]) -> Styles:
    return {name: value.strip() for name, value in said.items() if name in _KNOWN}


def _references(said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(said.get("style", "").split()[:_REFERENCES])


def marked_up(runs: Iterable[tuple[Styles, str, bool]], sheet: Sheet) -> str:
    """Runs of text, each with whether its white space is kept, as WebVTT cue text."""
    written, blank = [], True
    right_to_left = False
    for style, text, preserved in runs:
        if style.get("display") == "none" or style.get("visibility") == "hidden":
            continue
        text = text.replace("\r", " ")
        if not preserved:
            text = re.sub(r"[ \t\n]+", " ", text)
            text = text[1:] if blank and text.startswith(" ") else text
        if not text:
            continue
        blank = text.endswith((" ", "\n"))
        right_to_left |= style.get("direction") == "rtl"
        written.append(
            _tagged(re.sub("[&<>]", lambda one: _ESCAPES[one[0]], text), style, sheet)
        )
    lines = (line.strip(" \t") for line in "".join(written).split("\n"))
    joined = "\n".join(line for line in lines if re.sub("<[^>]*>", "", line).strip())
    return f"&rlm;{joined}" if joined and right_to_left else joined


def _tagged(text: str, style: Styles, sheet: Sheet) -> str:
    """Each line for itself, so that an empty one holds no tags."""
    names = [
        *(["i"] if style.get("fontStyle") in ("italic", "oblique") else []),
        *(["b"] if style.get("fontWeight") == "bold" else []),
        *(["u"] if "underline" in style.get("textDecoration", "").split() else []),
    ]
    colour = sheet.colour_class(style["color"]) if "color" in style else ""
    before = (f"<c.{colour}>" if colour else "") + "".join(f"<{name}>" for name in names)
    after = "".join(f"</{name}>" for name in reversed(names)) + ("</c>" if colour else "")
    if not before:
        return text
    return "\n".join(f"{before}{line}{after}" if line else "" for line in text.split("\n"))


_ALIGNS = {"left": "left", "start": "start", "right": "right", "end": "end", "center": "center"}


def settings(style: Styles, frame: Frame, lines: int) -> str:
    """WebVTT settings of a cue of *lines* in a region.

    What the region's place and ``textAlign`` say; without a region nothing is said, and text
    is below in the middle.  No alignments of lines or positions: some players drop settings
    that have them.
    """
    origin = frame.percents(style.get("origin", ""))
    extent = frame.percents(style.get("extent", ""))
    align = _ALIGNS.get(style.get("textAlign", ""), "")
    said = []
    if origin is not None and extent is not None:
        (left, top), (width, height) = origin, extent
        if line := _line(
            style.get("displayAlign", "before"), top, min(height, 100 - top), lines
        ):
            said.append(line)
        at = {"left": left, "start": left, "right": left + width, "end": left + width}
        align = align or "start"
        said.append(f"position:{_percent(at.get(align, left + width / 2))}")
        said.append(f"size:{_percent(width)}")
    return " ".join([*said, *([f"align:{align}"] if align else [])])


def _line(place: str, top: float, height: float, lines: int) -> str:
    """Text that stands on the bottom of the picture is there without a setting."""
    if place == "before":
        return f"line:{_percent(top)}"
    tall = min(lines * _LINE_PERCENT, height)
    if place == "center":
        return f"line:{_percent(top + (height - tall) / 2)}"
    return "" if top + height >= 75 else f"line:{_percent(top + height - tall)}"


def _percent(value: float) -> str:
    return f"{min(max(value, 0), 100):.2f}".rstrip("0").rstrip(".") + "%"
