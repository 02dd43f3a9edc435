"""SubStation Alpha, as text (ASS, v4.00+, and SSA, v4.00).

    [Script Info]
    [V4+ Styles]   Format: Name, …, Bold, Italic, Underline, …, Alignment, …    Style: …
    [Events]       Format: Layer, Start, End, Style, …, Text                    Dialogue: …

Of styles and overrides ``b i u``, and the place (``\\an``, ``\\a``) stay;
colours, drawings, karaoke, movement and fonts go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packager.captions.cues import MAX_CUES, Captions, Cue, MalformedCaptions
from packager.captions.encodings import decode

SECTIONS = ("[Script Info]", "[V4+ Styles]", "[V4 Styles]", "[Events]")
"""That a file may begin with."""

_MAX_STYLES = 10_000
_TIME = re.compile(r"([0-9]{1,4}):([0-5]?[0-9]):([0-5]?[0-9])[.:]([0-9]{2,3})")
_OVERRIDE = re.compile(r"\{[^{}]{0,2000}\}")
_TAG = re.compile(r"\\(an?|[biu]|p|r)(-?[0-9]{0,4})(?![a-zA-Z(])")
_EVENTS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LEGACY = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
"""Places of SSA, as those of ASS: a numeric keypad."""


@dataclass(frozen=True, slots=True)
class _Style:
    tags: frozenset[str] = frozenset()
    place: int = 2


def parse(data: bytes) -> Captions:
    """Raises ``MalformedCaptions``."""
    text, encoding = decode(data)
    found = sorted(_cues(text.split("\n")), key=lambda cue: cue.start)
    return Captions(tuple(found), (), encoding)


def _cues(lines: list[str]) -> Iterator[Cue]:
    section, columns, count = "", _columns(_EVENTS), 0
    styles: dict[str, _Style] = {}
    style_columns: list[str] = []
    seen = False
    for number, line in enumerate(lines, 1):
        key, _, value = line.strip().removeprefix("\ufeff").partition(":")
        if key.startswith("[") and key.endswith("]"):
            section = key.lower()
            seen |= section == "[events]"
        elif section.endswith("styles]") and key == "Format":
            style_columns = _columns(value)
        elif section.endswith("styles]") and key == "Style" and len(styles) < _MAX_STYLES:
            fields = _fields(value, style_columns)
            styles[fields.get("name", "")] = _style(fields, legacy="+" not in section)
        elif section == "[events]" and key == "Format":
            columns = _columns(value)
            if not {"start", "end", "text"} <= set(columns) or columns[-1] != "text":
                raise MalformedCaptions(number, "Format has no Start and End before its Text")
        elif section == "[events]" and key == "Dialogue":
            count += 1
            if count > MAX_CUES:
                raise MalformedCaptions(number, f"more than {MAX_CUES} cues")
            yield from _cue(number, _fields(value, columns), styles)
    if not seen:
        raise MalformedCaptions(len(lines), "there are no [Events]")


def _columns(text: str) -> list[str]:
    return [name.strip().lower() for name in text[:2000].split(",")]


def _fields(text: str, columns: list[str]) -> dict[str, str]:
    """The last one holds all the commas that are left."""
    values = text.split(",", max(len(columns) - 1, 0))
    return {name: value.strip() for name, value in zip(columns, values, strict=False)}


def _style(fields: dict[str, str], *, legacy: bool) -> _Style:
    tags = {tag for tag, name in zip("biu", ("bold", "italic", "underline"), strict=True)
            if fields.get(name, "0") not in ("0", "")}  # fmt: skip
    digits = re.fullmatch("[0-9]{1,2}", fields.get("alignment", "2"))
    place = int(digits[0]) if digits else 2
    return _Style(frozenset(tags), _LEGACY.get(place, 2) if legacy else place)


def _cue(number: int, fields: dict[str, str], styles: dict[str, _Style]) -> Iterator[Cue]:
    if "text" not in fields:
        raise MalformedCaptions(number, "a Dialogue has fewer fields than its Format")
    start, end = (_time(number, fields[name]) for name in ("start", "end"))
    style = styles.get(fields.get("style", "").lstrip("*"), _Style())
    text, place = _text(fields["text"], style)
    if text and end > start:
        yield Cue(start, end, text, "", _settings(place))


def _time(number: int, text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise MalformedCaptions(number, f"{text[:20]!r} is not a time")
    hours, minutes, seconds = (int(one) for one in found.groups()[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(found[4].ljust(3, "0"))


def _text(text: str, style: _Style) -> tuple[str, int]:
    """As WebVTT cue text, and its place on a numeric keypad."""
    tags, place, drawing = set(style.tags), style.place, False
    lines: list[str] = [""]
    position = 0
    for found in (*_OVERRIDE.finditer(text), None):
        stop = len(text) if found is None else found.start()
        if not drawing:
            plain = re.sub("[&<>]", lambda one: _ESCAPES[one[0]], text[position:stop])
            first, *more = re.split(r"\\[Nn]", plain.replace("\\h", "\u00a0"))
            lines[-1] += _tagged(first, tags)
            lines += [_tagged(one, tags) for one in more]
        if found is None:
            break
        position = found.end()
        for name, digits in _TAG.findall(found[0]):
            value = int(digits) if digits not in ("", "-") else None
            if name == "an":
                place = value or place
            elif name == "a":
                place = _LEGACY.get(value or 0, place)
            elif name == "p":
                drawing = bool(value)
            elif name == "r":
                tags = set(style.tags)
            elif (name in style.tags) if value is None else value != 0:
                tags.add(name)
            else:
                tags.discard(name)
    return "\n".join(line for one in lines if (line := one.strip(" \t"))), place


def _tagged(text: str, tags: set[str]) -> str:
    if not tags or not text.strip(" \t"):
        return text
    names = sorted(tags)
    before = "".join(f"<{name}>" for name in names)
    return before + text + "".join(f"</{name}>" for name in reversed(names))


def _settings(place: int) -> str:
    """Below in the middle is where captions are anyway."""
    if not 1 <= place <= 9:
        return ""
    row, column = divmod(place - 1, 3)
    said = (
        ("", "line:50%", "line:0")[row],
        ("position:0% align:left", "", "position:100% align:right")[column],
    )
    return " ".join(one for one in said if one)
