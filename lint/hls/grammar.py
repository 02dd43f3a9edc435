"""Lines of a playlist and attribute lists: RFC 8216 §4.1 to 4.3 (rules P-01, P-14)."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from lint.findings import Malformed, Say

LINES = 2_000_000

_SINGLE = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-ENDLIST",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-INDEPENDENT-SEGMENTS",
    "EXT-X-START",
    "EXT-X-SERVER-CONTROL",
)

_NAME = re.compile(r"[A-Z0-9-]+")
_QUOTED = re.compile(r'"[^"\r\n]*"')
_BARE = re.compile(r'[^",\s][^",\s]*')
_KINDS = (
    ("hex", re.compile(r"0[xX][0-9A-F]+")),
    ("resolution", re.compile(r"\d{1,20}x\d{1,20}")),
    ("integer", re.compile(r"\d{1,20}")),
    ("decimal", re.compile(r"-?\d{1,20}(\.\d{0,20})?")),
)
_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Value:
    text: str
    """Without quotes."""
    kind: str
    """``quoted``, ``hex``, ``resolution``, ``integer``, ``decimal`` or ``enum``."""


Attributes = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    tag: str
    """Empty of an address."""
    value: str

    @property
    def place(self) -> str:
        return f"line {self.number}"


@dataclass(slots=True)
class Playlist:
    lines: list[Line] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def tags(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.tag == name]

    @property
    def version(self) -> int:
        found = self.tags("EXT-X-VERSION")
        return int(found[0].value[:9]) if found and found[0].value.isdecimal() else 1


def read_lines(body: bytes, say: Say) -> Playlist:
    """Raises Malformed if it is no playlist at all."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        say("P-01.utf8", f"byte {error.start}", "not UTF-8")
        text = body.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        say("P-01.bom", "line 1", "a byte order mark")
        text = text[1:]
    rows = text.replace("\r\n", "\n").split("\n")
    if len(rows) > LINES:
        raise Malformed(f"line {LINES}", "more lines than we read")
    if rows[0].rstrip() != "#EXTM3U":
        raise Malformed("line 1", "it is not #EXTM3U")
    found = Playlist()
    for number, row in enumerate(rows, 1):
        if _CONTROL.search(row):
            say("P-01.control", f"line {number}", "a control character")
        if not row.strip():
            continue
        if row.startswith("#EXT"):
            tag, colon, value = row[1:].partition(":")
            found.lines.append(Line(number, tag.rstrip(), value.strip() if colon else ""))
        elif not row.startswith("#"):
            found.lines.append(Line(number, "", row.strip()))
    _once(found, say)
    return found


def _once(playlist: Playlist, say: Say) -> None:
    for name in _SINGLE:
        for line in playlist.tags(name)[1:]:
            say("P-01.twice", line.place, f"{name} again")


def attributes(line: Line, say: Say, variables: dict[str, str] | None = None) -> Attributes:
    """The attribute list of *line*; what cannot be read ends it, with a finding."""
    found: Attributes = {}
    text, at = line.value, 0
    while at < len(text):
        name = _NAME.match(text, at)
        if name is None or text[name.end() : name.end() + 1] != "=":
            say("P-01.attribute", line.place, f"no AttributeName= at {text[at : at + 30]!r}")
            break
        start = name.end() + 1
        value = _QUOTED.match(text, start) or _BARE.match(text, start)
        if value is None:
            say("P-01.attribute", line.place, f"no value of {name[0]}")
            break
        if name[0] in found:
            say("P-01.duplicate", line.place, f"{name[0]} twice")
        found[name[0]] = _value(value[0], line, say, variables or {})
        at = value.end()
        if at < len(text) and text[at] != ",":
            say("P-01.attribute", line.place, f"no comma behind {name[0]}")
            break
        at += 1
        if at == len(text):
            say("P-01.attribute", line.place, "a comma at the end")
    return found


def _value(text: str, line: Line, say: Say, variables: dict[str, str]) -> Value:
    if text.startswith('"'):
        return Value(substitute(text[1:-1], line, say, variables), "quoted")
    for kind, pattern in _KINDS:
        if pattern.fullmatch(text):
            return Value(text, kind)
    return Value(text, "enum")


def substitute(text: str, line: Line, say: Say, variables: dict[str, str]) -> str:
    """RFC 8216bis §4.3: an undefined variable is an error."""
    for name in _VARIABLE.findall(text):
        if name not in variables:
            say("P-14.undefined", line.place, f"variable {name!r}")
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)


def number(value: Value | None) -> Fraction | None:
    """A decimal attribute; None if it is absent or no number."""
    if value is None or value.kind not in ("integer", "decimal"):
        return None
    return Fraction(value.text)
