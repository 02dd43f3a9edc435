"""Byte ranges (RFC 9110 §14).  Half-open inside, inclusive only on the wire."""

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
_CONTENT = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII | re.IGNORECASE)
_FAR = 10**18
"""No representation is as long as this (bytes); longer digit strings mean the same."""


class RangeNotSatisfiable(Exception):
    """The range starts past the end of the representation (§15.5.17)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{size}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One range as a client asks for it, before the size is known (§14.1.2)."""

    start: int | None
    """None for the last ``stop`` bytes."""

    stop: int | None
    """None for all the rest."""

    def of(self, size: int) -> ByteRange:
        """What it selects of *size* bytes; RangeNotSatisfiable if nothing."""
        if self.start is None:
            start, stop = size - min(self.stop or 0, size), size
        else:
            start, stop = self.start, size if self.stop is None else min(self.stop, size)
        if start >= size:
            raise RangeNotSatisfiable
        return ByteRange(start, stop)


def parse_asked(header: str | None) -> Asked | None:
    """The one range that *header* asks for; None if there is none.

    A malformed or multi-part Range is ignored, as §14.2 allows.

    >>> parse_asked("bytes=0-99"), parse_asked("bytes=-100")
    (Asked(start=0, stop=100), Asked(start=None, stop=100))
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return Asked(None, _position(last))
    start, stop = _position(first), _position(last) + 1 if last else None
    return None if stop is not None and stop <= start else Asked(start, stop)


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range that *header* asks of *size* bytes; None means send everything.

    >>> parse_range("bytes=0-99", 1000)
    ByteRange(start=0, stop=100)
    >>> parse_range("bytes=-100", 1000)
    ByteRange(start=900, stop=1000)
    """
    asked = parse_asked(header)
    return None if asked is None else asked.of(size)


def parse_content_range(header: str | None) -> tuple[ByteRange, int] | None:
    """The range of a 206 and the size of the whole (§14.4); None unless both are told.

    >>> parse_content_range("bytes 0-9/100")
    (ByteRange(start=0, stop=10), 100)
    """
    match = _CONTENT.fullmatch(header or "")
    if match is None:
        return None
    first, last, size = map(int, match.groups())
    return (ByteRange(first, last + 1), size) if first <= last < size else None


def unsatisfied_range(size: int) -> str:
    """The Content-Range of a 416 (§14.4)."""
    return f"bytes */{size}"


def _position(digits: str) -> int:
    """*digits* as a number, bounded before ``int`` is asked to read a whole header of them."""
    digits = digits.lstrip("0")
    return min(int(digits or "0"), _FAR) if len(digits) <= 19 else _FAR
