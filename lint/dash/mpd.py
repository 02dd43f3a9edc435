"""The XML of an MPD: elements with their place, without entities and bounded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from xml.parsers import expat

from lint.findings import Malformed, Say

DEPTH, ELEMENTS = 40, 200_000
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,12})?)S)?)?"
)


@dataclass(slots=True)
class Element:
    name: str
    """Without a namespace."""
    attributes: dict[str, str]
    line: int
    path: str
    parent: "Element | None" = None
    children: list["Element"] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Children by name."""
    text: str = ""

    @property
    def place(self) -> str:
        return f"{self.path} (line {self.line})"

    def all(self, name: str) -> list["Element"]:
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Element | None":
        return next(iter(self.all(name)), None)

    def descendants(self) -> Iterator["Element"]:
        for child in self.children:
            yield child
            yield from child.descendants()

    def inherited(self, name: str) -> str:
        """An attribute of it or of the nearest element above that has it."""
        at: Element | None = self
        while at is not None:
            if name in at.attributes:
                return at.attributes[name]
            at = at.parent
        return ""


def parse(body: bytes) -> Element:
    """The root.  Raises Malformed; a DTD is refused before it can declare an entity."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: reader.start(
        name, attributes, parser.CurrentLineNumber
    )
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Malformed(f"line {error.lineno}", expat.ErrorString(error.code)) from error
    except (ValueError, LookupError) as error:
        raise Malformed("line 1", str(error)) from error
    if reader.root is None or reader.root.name != "MPD":
        raise Malformed("line 1", "the root is not MPD")
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.texts: list[list[str]] = []
        """Pieces of the text of each element that is open."""
        self.count = 0

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.count += 1
        if self.count > ELEMENTS or len(self.stack) > DEPTH:
            raise Malformed(f"line {line}", "more elements than we read, or nested too deep")
        own = name.rpartition(" ")[2]
        above = self.stack[-1] if self.stack else None
        short = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        position = 1
        if above is not None:
            position = above.counts[own] = above.counts.get(own, 0) + 1
        path = f"{above.path}/{own}[{position}]" if above else own
        element = Element(own, short, line, path, above)
        if above is None:
            self.root = element
        else:
            above.children.append(element)
        self.stack.append(element)
        self.texts.append([])

    def end(self, _name: str) -> None:
        self.stack.pop().text = "".join(self.texts.pop())

    def data(self, text: str) -> None:
        if self.texts:
            self.texts[-1].append(text)

    def doctype(self, *_: object) -> None:
        raise Malformed("line 1", "a DTD, which an MPD does not have")


def seconds(element: Element, name: str, say: Say) -> Fraction | None:
    """An xs:duration; None if it is absent or cannot be read."""
    text = element.attributes.get(name)
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip()[-1:] in "PT":
        say("D-03.form", element.place, f"@{name} {text[:60]!r}")
        return None
    if found[2] or found[3]:
        say("D-03.months", element.place, f"@{name} {text}")
    units = (365 * 86400, 30 * 86400, 86400, 3600, 60, 1)
    parts = found.groups()[1:]
    total = sum((Fraction(p) * u for p, u in zip(parts, units, strict=True) if p), Fraction(0))
    return -total if found[1] else total


def whole(element: Element | None, name: str, default: int) -> int:
    """An unsigned attribute.  Raises Malformed."""
    text = "" if element is None else element.attributes.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise Malformed(element.place if element else "", f"@{name} {text[:40]!r}")
    return int(text)
