"""A file as numbered lines, each of bounded length, with the place where the next begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE = 1 << 20
"""Bytes: 200 flavors with the longest paths, and room.  A longer line is left out."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    """From 1."""

    end: int
    """Bytes from the begin of the file to the line after."""

    data: bytes | None
    """Without its end; None of one that is too long."""


def read_lines(file: BinaryIO, *, position: int = 0, number: int = 0) -> Iterator[Line]:
    """The lines of *file* after *number* of them, which end at *position*."""
    while data := file.readline(MAX_LINE + 1):
        number += 1
        position += len(data)
        if len(data) <= MAX_LINE or data.endswith(b"\n"):
            bare = data.rstrip(b"\r\n")
            yield Line(number, position, bare.removeprefix(b"\xef\xbb\xbf"))
            continue
        while data and not data.endswith(b"\n"):
            data = file.readline(MAX_LINE)
            position += len(data)
        yield Line(number, position, None)
