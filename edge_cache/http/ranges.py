"""Byte ranges (RFC 9110 §14).  Half-open inside, inclusive only on the wire."""

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
_FAR = 10**18
"""No representation is as long as this (bytes); longer digit strings mean the same."""


class RangeNotSatisfiable(Exception):
    """The range starts past the end of the representation (§15.5.17)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    stop: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def unsatisfied_range(size: int) -> str:
    """The Content-Range of a 416 (§14.4)."""
    return f"bytes */{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range that *header* asks of *size* bytes; None means send everything.

    A malformed or multi-part Range is ignored, as §14.2 allows.

    >>> parse_range("bytes=0-99", 1000)
    ByteRange(start=0, stop=100)
    >>> parse_range("bytes=-100", 1000)
    ByteRange(start=900, stop=1000)
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = size - min(_position(last), size), size
    else:
        start, stop = _position(first), min(_position(last) + 1, size) if last else size
        if last and _position(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, stop)


def _position(digits: str) -> int:
    """*digits* as a number, bounded before ``int`` is asked to read a whole header of them."""
    digits = digits.lstrip("0")
    return min(int(digits or "0"), _FAR) if len(digits) <= 19 else _FAR
