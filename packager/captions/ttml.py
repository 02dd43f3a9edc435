"""TTML, DFXP and IMSC 1 text (W3C TTML2; the subset that a player shows as text).

    <tt ttp:tickRate="10000000">  <head> <styling> <style/> … <layout> <region/> …
    <body> <div> <p begin="10s" end="00:00:12:15" region="r"> text <span> … <br/>

Every ``p`` is a cue, or several where spans within it have times of their own.  Colours,
italics, bold and underlines become WebVTT markup; regions become cue settings.  Pictures and
animation are left out.  A document type is refused: with it go entities, and their growth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from xml.parsers import expat

from packager.captions.cues import MAX_BYTES, MAX_CUES, Captions, Cue, MalformedCaptions
from packager.captions.ttml_styles import Frame, Sheet, Styles, marked_up, settings
from packager.captions.ttml_times import Clock, clock_of, parse_time, whole_milliseconds

_MAX_DEPTH = 64
_MAX_ELEMENTS = 1_000_000
_MAX_SHOWN = 2_000_000
"""Pieces of text in all cues: those that go on beside others are in several."""

_MAX_TIMED_SPANS = 128
"""In one ``p``: each of their times is a cue of its own."""

_TIMED = ("body", "div", "p", "span")
_HEAD = ("style", "region")


@dataclass(slots=True)
class _Run:
    """Text of one style, and when it is shown."""

    begin: Fraction
    end: Fraction | None
    style: Styles
    text: str
    preserved: bool
    """Its white space is to be kept."""


@dataclass(slots=True)
class _Open:
    """An element that is being read."""

    name: str
    begin: Fraction = Fraction(0)
    end: Fraction | None = None
    style: Styles = field(default_factory=dict)
    region: str | None = None
    preserved: bool = False
    sequential: bool = False
    next_begin: Fraction = Fraction(0)
    """When the next child of a sequence begins."""


def parse(data: bytes) -> Captions:
    """Raises ``MalformedCaptions``."""
    if len(data) > MAX_BYTES:
        raise MalformedCaptions(1, f"{len(data)} bytes are more than {MAX_BYTES}")
    return _Reader().read(data)


class _Reader:
    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._stop
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._clock = Clock()
        self._frame = Frame()
        self._sheet = Sheet()
        self._open: list[_Open] = []
        self._skipped = 0
        self._elements = 0
        self._runs: list[_Run] = []
        self._timed_spans = 0
        self._shown = 0
        self._cues: list[Cue] = []

    def read(self, data: bytes) -> Captions:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise MalformedCaptions(error.lineno, expat.ErrorString(error.code)) from None
        except (LookupError, UnicodeError):
            raise self._refusal("its encoding is not known") from None
        cues = tuple(sorted(self._cues, key=lambda cue: cue.start))
        return Captions(cues, self._sheet.blocks())

    def _refusal(self, reason: str) -> MalformedCaptions:
        return MalformedCaptions(self._parser.CurrentLineNumber, reason)

    def _doctype(self, *_: object) -> None:
        raise self._refusal("a document type, which TTML has none of")

    # -- elements

    def _start(self, qualified: str, given: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise self._refusal(f"more than {_MAX_ELEMENTS} elements")
        if len(self._open) + self._skipped >= _MAX_DEPTH:
            raise self._refusal(f"elements are nested more than {_MAX_DEPTH} deep")
        namespace, _, name = qualified.rpartition(" ")
        if not self._open and not self._skipped:
            self._root(namespace, name, given)
        foreign = namespace != "" and not _of_ttml(namespace)
        if self._skipped or foreign or name in ("metadata", "set", "animate"):
            self._skipped += 1
            return
        attributes = {_local(key): value for key, value in given.items()}
        self._open.append(self._opened(name, attributes, self._open[-1:]))

    def _root(self, namespace: str, name: str, given: dict[str, str]) -> None:
        if name != "tt" or (namespace and not _of_ttml(namespace)):
            raise self._refusal(f"the root is {name[:40]!r} and not 'tt'")
        said = {_local(key): value for key, value in given.items()}
        try:
            self._clock = clock_of(said)
            self._frame = Frame.of(said)
        except ValueError as error:
            raise self._refusal(str(error)) from None

    def _opened(self, name: str, said: dict[str, str], above: list[_Open]) -> _Open:
        parent = above[0] if above else _Open("")
        if name in _HEAD:
            self._take_style(name, said, parent)
        one = _Open(
            name,
            parent.begin,
            parent.end,
            parent.style,
            said.get("region", parent.region),
            {"preserve": True, "default": False}.get(said.get("space", ""), parent.preserved),
        )
        if name in _TIMED:
            one.style = self._sheet.resolved(parent.style, said)
            one.sequential = said.get("timeContainer") == "seq"
            self._set_times(one, said, parent)
        if name == "p":
            self._runs, self._timed_spans = [], 0
        elif name == "span" and {"begin", "end", "dur"} & said.keys():
            self._timed_spans += 1
            if self._timed_spans > _MAX_TIMED_SPANS:
                raise self._refusal(f"more than {_MAX_TIMED_SPANS} spans with times in one p")
        elif name == "br":
            self._runs.append(_Run(parent.begin, parent.end, parent.style, "\n", True))
        return one

    def _take_style(self, name: str, said: dict[str, str], parent: _Open) -> None:
        """Of a ``style`` or a ``region``, or a ``style`` within a region."""
        try:
            if name == "region":
                self._sheet.add_region(said)
            elif parent.name == "region":
                self._sheet.add_to_region(said)
            else:
                self._sheet.add_style(said)
        except ValueError as error:
            raise self._refusal(str(error)) from None

    def _set_times(self, one: _Open, said: dict[str, str], parent: _Open) -> None:
        """Times count from the parent's begin, or in a sequence from the end of the element
        before (TTML2 §12.2)."""
        zero = max(parent.next_begin, parent.begin) if parent.sequential else parent.begin
        try:
            begin, end, lasting = (
                None if (value := said.get(key)) is None else parse_time(value, self._clock)
                for key in ("begin", "end", "dur")
            )
        except ValueError as error:
            raise self._refusal(str(error)) from None
        one.begin = zero + (begin or 0)
        ends = [
            *([] if parent.end is None else [parent.end]),
            *([] if end is None else [zero + end]),
            *([] if lasting is None else [one.begin + lasting]),
        ]
        one.end = min(ends) if ends else None
        one.next_begin = one.begin
        if parent.sequential:
            parent.next_begin = one.begin if one.end is None else one.end

    def _stop(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        one = self._open.pop()
        if one.name == "p":
            self._cues.extend(self._made(one))
            self._runs = []
            if len(self._cues) > MAX_CUES:
                raise self._refusal(f"more than {MAX_CUES} cues")

    def _text(self, text: str) -> None:
        if self._skipped or not self._open or not any(one.name == "p" for one in self._open):
            return
        one = self._open[-1]
        if one.name in ("p", "span"):
            self._runs.append(_Run(one.begin, one.end, one.style, text, one.preserved))

    # -- cues

    def _made(self, p: _Open) -> Iterator[Cue]:
        """The cues of *p*: one for each time in which it shows the same."""
        if self._timed_spans:
            ends = {one.end for one in self._runs if one.text.strip()}
            times = ends | {one.begin for one in self._runs}
            spans = list(pairwise(sorted(time for time in times if time is not None)))
        else:
            ends, spans = {p.end}, [(p.begin, p.end or p.begin)]
        if None in ends and any(one.text.strip() for one in self._runs):
            raise self._refusal("a text that is shown has no end")
        for start, stop in spans:
            shown = [
                one
                for one in self._runs
                if one.begin <= start and (one.end is None or one.end >= stop)
            ]
            self._shown += len(shown)
            if self._shown > _MAX_SHOWN:
                raise self._refusal(f"more than {_MAX_SHOWN} pieces of text in its cues")
            yield from self._cue(p, start, stop, shown)

    def _cue(
        self, p: _Open, start: Fraction, stop: Fraction, runs: list[_Run]
    ) -> Iterator[Cue]:
        region = self._sheet.region(p.region)
        text = marked_up(
            ((region | one.style, one.text, one.preserved) for one in runs), self._sheet
        )
        begin, end = whole_milliseconds(start), whole_milliseconds(stop)
        if text and end > begin:
            placed = settings(region | p.style, self._frame, text.count("\n") + 1)
            yield Cue(begin, end, text, "", placed)


def _of_ttml(namespace: str) -> bool:
    """TTML, or its drafts that DFXP was; not their metadata."""
    return namespace.startswith("http://www.w3.org/") and (
        namespace.endswith(("/ns/ttml", "/ttaf1", "/ttaf1#styling", "/ttaf1#style"))
    )


def _local(qualified: str) -> str:
    return qualified.rpartition(" ")[2]
