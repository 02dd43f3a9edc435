"""Captions of line 21 as text: the pairs of bytes of one channel to cues (ANSI/CTA-608-E).

Pop-on captions are cues from their end-of-caption to what erases or replaces them; of roll-up
and paint-on ones, a cue lasts until a line is finished, so that words do not come one by one.
Colours, flashing and text mode are left out, italics and underlines stay.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from packager.captions.cea608_characters import (
    EXTENDED,
    SPECIAL,
    basic,
)
from packager.captions.cues import Cue

ROWS, COLUMNS = 15, 32
_LONGEST = Fraction(16)
"""Seconds that a caption nobody erases is shown (CTA-608-E Annex C.9)."""

_ROW_OF = (10, 0, 2, 11, 13, 4, 6, 8)
"""The upper row, from 0, of the pair that the first byte of a preamble names (Table 53)."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_Cell = tuple[str, bool, bool]
"""A character, italic, underlined."""

_Screen = dict[tuple[int, int], _Cell]


def cues(pairs: Iterable[tuple[Fraction, int, int]], channel: int = 1) -> Iterator[Cue]:
    """Of *pairs*, each with the second at which it is shown, those of *channel*: 1 or 2 of the
    field.  Parity is not looked at."""
    decoder = _Decoder(channel)
    last = Fraction(0)
    for at, first, second in pairs:
        last = at
        yield from decoder.take(at, first & 0x7F, second & 0x7F)
    yield from decoder.end(last)


class _Decoder:
    def __init__(self, channel: int) -> None:
        self._second = channel == 2
        self._ours = not self._second
        """What was selected last is our channel."""

        self._before: tuple[int, int] | None = None
        self._shown: _Screen = {}
        self._hidden: _Screen = {}
        self._since = Fraction(0)
        self._mode = ""
        self._depth = 2
        self._row, self._column = ROWS - 1, 0
        self._italic = self._underlined = False

    def take(self, at: Fraction, first: int, second: int) -> Iterator[Cue]:
        if not first and not second:
            self._before = None
            return
        if first < 0x10:
            return  # of extended data services
        if first < 0x20:
            if (first, second) == self._before:
                self._before = None  # sent twice, to be seen once
                return
            self._before = first, second
            self._ours = bool(first & 0x08) == self._second
            if self._ours:
                yield from self._control(at, first & ~0x08, second)
            return
        self._before = None
        if self._ours:
            for code in (first, second):
                if code >= 0x20:
                    self._put(at, basic(code))

    def end(self, at: Fraction) -> Iterator[Cue]:
        """What is shown at last goes on for a while."""
        yield from self._finish(max(at, self._since + _LONGEST))

    # -- codes

    def _control(self, at: Fraction, first: int, second: int) -> Iterator[Cue]:
        if second >= 0x40:
            self._preamble(first, second)
        elif first == 0x11 and second in range(0x20, 0x30):
            self._put(at, " ")
            self._italic = second in (0x2E, 0x2F)
            self._underlined = bool(second & 1)
        elif first == 0x11 and second >= 0x30:
            self._put(at, SPECIAL[second - 0x30])
        elif first in (0x12, 0x13) and second >= 0x20:
            self._column = max(self._column - 1, 0)  # it stands for the character before it
            self._put(at, EXTENDED[first - 0x12][second - 0x20])
        elif first in (0x14, 0x15):
            yield from self._command(at, second)
        elif first == 0x17 and second in (0x21, 0x22, 0x23):
            self._column = min(self._column + second - 0x20, COLUMNS - 1)

    def _command(self, at: Fraction, code: int) -> Iterator[Cue]:
        match code:
            case 0x20:
                self._mode = "pop"
            case 0x21:
                self._column = max(self._column - 1, 0)
                self._screen.pop((self._row, self._column), None)
            case 0x24:
                for column in range(self._column, COLUMNS):
                    self._screen.pop((self._row, column), None)
            case 0x25 | 0x26 | 0x27:
                yield from self._roll_up(at, code - 0x23)
            case 0x29:
                yield from self._restart(at)
                self._mode = "paint"
            case 0x2A | 0x2B:
                self._mode = "text"
            case 0x2C:
                yield from self._finish(at)
                self._shown = {}
            case 0x2D if self._mode == "roll":
                yield from self._restart(at)
                self._scroll()
            case 0x2E:
                self._hidden = {}
            case 0x2F:
                yield from self._finish(at)
                self._shown, self._hidden = self._hidden, self._shown
                self._since, self._mode = at, "pop"

    def _roll_up(self, at: Fraction, depth: int) -> Iterator[Cue]:
        if self._mode != "roll":
            yield from self._finish(at)
            self._shown, self._hidden = {}, {}
            self._row = ROWS - 1
        self._mode, self._depth, self._column = "roll", depth, 0
        self._italic = self._underlined = False

    def _scroll(self) -> None:
        """The lines of the window go up, and the topmost leaves."""
        top = max(self._row - self._depth + 1, 0)
        self._shown = {
            (row - 1, column): cell
            for (row, column), cell in self._shown.items()
            if top < row <= self._row
        }
        self._column = 0
        self._italic = self._underlined = False

    def _preamble(self, first: int, second: int) -> None:
        """Where the text goes on, and how it looks (Tables 53 to 55)."""
        row = min(_ROW_OF[first & 7] + (second >> 5 & 1), ROWS - 1) if first != 0x10 else 10
        code = second & 0x1F
        if self._mode == "roll" and row != self._row:
            self._shown = {
                (moved, column): cell
                for (was, column), cell in self._shown.items()
                if 0 <= (moved := was + row - self._row) < ROWS
            }
        self._row, self._column = row, 4 * (code - 0x10 >> 1) if code >= 0x10 else 0
        self._italic, self._underlined = code in (0x0E, 0x0F), bool(code & 1)

    # -- the screen

    @property
    def _screen(self) -> _Screen:
        return self._hidden if self._mode == "pop" else self._shown

    def _put(self, at: Fraction, character: str) -> None:
        if self._mode in ("", "text"):
            return
        if self._mode != "pop" and not self._shown:
            self._since = at
        self._screen[self._row, self._column] = character, self._italic, self._underlined
        self._column = min(self._column + 1, COLUMNS - 1)

    def _restart(self, at: Fraction) -> Iterator[Cue]:
        yield from self._finish(at)
        self._since = at

    def _finish(self, at: Fraction) -> Iterator[Cue]:
        """The cue of what was shown until now."""
        start = int(self._since * 1000 + Fraction(1, 2))
        stop = min(at, self._since + _LONGEST) if self._mode == "pop" else at
        end = int(stop * 1000 + Fraction(1, 2))
        rows = sorted({row for row, _ in self._shown})
        lines = {row: text for row in rows if (text := self._line(row))}
        if lines and end > start:
            left = min(column for (row, column), cell in self._shown.items() if cell[0] != " ")
            yield Cue(start, end, "\n".join(lines.values()), "", _place(min(lines), left))

    def _line(self, row: int) -> str:
        """The text of a row; cells that nothing was written to are spaces."""
        written = {column: cell for (of, column), cell in self._shown.items() if of == row}
        text, open_tags = "", (False, False)
        blank = (" ", False, False)
        columns = [column for column, cell in written.items() if cell[0] != " "]
        if not columns:
            return ""
        for column in range(min(columns), max(columns) + 1):
            character, *look = written.get(column, blank)
            wanted = (look[0], look[1])
            if character != " " and wanted != open_tags:
                text += _closed(open_tags) + _opened(wanted)
                open_tags = wanted
            text += _ESCAPES.get(character, character)
        return text + _closed(open_tags)


def _opened(look: tuple[bool, bool]) -> str:
    return ("<i>" if look[0] else "") + ("<u>" if look[1] else "")


def _closed(look: tuple[bool, bool]) -> str:
    return ("</u>" if look[1] else "") + ("</i>" if look[0] else "")


def _place(row: int, column: int) -> str:
    """Of the safe area, which is 80 of 100 parts of the picture (CTA-608-E Annex C.13)."""
    return f"line:{10 + 80 * row // ROWS}% position:{10 + 80 * column // COLUMNS}% align:start"
