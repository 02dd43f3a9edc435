"""Cues as a document of IMSC 1 text (W3C TTML Profiles for Internet Media Subtitles 1.0.1).

What ``ttml`` reads of it are the same cues: i, b, u, colours of WebVTT's own classes, and
places.  Voices, ruby and times within a cue are left out.
"""

import re
from collections.abc import Iterable
from html import unescape
from xml.sax.saxutils import escape, quoteattr

from packager.captions.cues import Cue

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml"'
    ' xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
    ' xmlns:tts="http://www.w3.org/ns/ttml#styling"'
    ' ttp:profile="http://www.w3.org/ns/ttml/profile/imsc1/text" xml:lang={}><head><layout>\n'
)
_TAG = re.compile(r"<(/?)([a-z]*)((?:\.[^ \t\n.>]+)*)[^>]*>")
_STYLES = {
    "i": 'tts:fontStyle="italic"',
    "b": 'tts:fontWeight="bold"',
    "u": 'tts:textDecoration="underline"',
}
_COLOURS = frozenset(["white", "lime", "cyan", "red", "yellow", "magenta", "blue", "black"])
_OWN = re.compile(r"c([0-9a-f]{6})")
_SETTING = re.compile(r"(line|position|size|align):(-?[0-9]{1,3}(?:\.[0-9]{1,6})?%?|[a-z]+)")
_LINES = 15
"""On a picture: what WebVTT's numbers of lines are a part of, about."""

_MOST_REGIONS = 200


def document(cues: Iterable[Cue], start: int, stop: int, language: str | None) -> bytes:
    """Of what is shown in ``[start, stop)`` ms, whose times are cut to that."""
    regions: dict[str, str] = {}
    lines = []
    for cue in cues:
        place = _region(cue.settings)
        if place not in regions and len(regions) >= _MOST_REGIONS:
            place = _region("")
        name = regions.setdefault(place, f"r{len(regions)}")
        begin, end = _clock(max(cue.start, start)), _clock(min(cue.end, stop))
        lines.append(
            f'<p region="{name}" begin="{begin}" end="{end}">{_inline(cue.text)}</p>\n'
        )
    layout = "".join(f'<region xml:id="{name}" {said}/>\n' for said, name in regions.items())
    body = "".join(("</layout></head><body><div>\n", *lines, "</div></body></tt>\n"))
    return (_HEAD.format(quoteattr(language or "")) + layout + body).encode()


def _clock(time: int) -> str:
    seconds, thousandths = divmod(time, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"


def _inline(text: str) -> str:
    """WebVTT cue text as spans and breaks; end tags close what is open of their name."""
    written, opened = [], list[str]()
    position = 0
    for found in _TAG.finditer(text):
        written.append(_plain(text[position : found.start()]))
        position = found.end()
        closes, name, classes = found.groups()
        if not closes and (style := _style(name, classes)):
            written.append(f"<span {style}>")
            opened.append(name)
        elif closes and name in opened:
            while opened:
                written.append("</span>")
                if opened.pop() == name:
                    break
    return "".join((*written, _plain(text[position:]), "</span>" * len(opened)))


def _style(name: str, classes: str) -> str:
    if name in _STYLES:
        return _STYLES[name]
    for one in classes.split(".") if name == "c" else ():
        if one in _COLOURS:
            return f'tts:color="{one}"'
        if own := _OWN.fullmatch(one):
            return f'tts:color="#{own[1]}"'
    return "" if name != "c" else 'tts:fontStyle="normal"'


def _plain(text: str) -> str:
    """Without what XML has no place for (§2.2)."""
    kept = re.sub("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", unescape(text))
    return escape(kept).replace("\n", "<br/>")


def _region(settings: str) -> str:
    """Of WebVTT settings, as attributes of a region."""
    said = dict(_SETTING.findall(settings))
    align = said.get("align", "center")
    align = align if align in ("left", "right", "start", "end", "center") else "center"
    width = min(_percent(said.get("size", ""), 80), 100)
    middle = {"left": 10, "start": 10, "right": 90, "end": 90}.get(align, 50)
    at = _percent(said.get("position", ""), middle)
    back = {"left": 0, "start": 0, "right": width, "end": width}.get(align, width / 2)
    left = min(max(at - back, 0), 100 - min(width, 100))
    line = said.get("line", "")
    if line.endswith("%"):
        top = min(_percent(line, 0), 90)
    elif re.fullmatch("-?[0-9]+", line):
        number = int(line)
        top = 100 * max(min(number if number >= 0 else _LINES + number, _LINES - 1), 0) / _LINES
    else:
        top = -1
    place, y, height = ("before", top, 100 - top) if top >= 0 else ("after", 10, 80)
    return (
        f'tts:origin="{left:g}% {y:g}%" tts:extent="{width:g}% {height:g}%"'
        f' tts:displayAlign="{place}" tts:textAlign="{align}"'
    )


def _percent(text: str, otherwise: float) -> float:
    return abs(float(text[:-1])) if text.endswith("%") else otherwise
