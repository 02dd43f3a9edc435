"""Lines of an access log, whoever wrote it.

Taken are JSON objects (``method`` and ``target``, or nginx's ``request``, ``request_method``,
``request_uri``, ``uri`` and ``args``), any line with a quoted request line in it (nginx's
``combined`` and what is made of it), and lines that begin with a path or an address.
"""

import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from bench.errors import BenchError

MAX_LINE = 64 << 10
"""Bytes; nginx takes no longer request line unless it is told to."""

_MAGIC = b"\x1f\x8b"
_REQUEST = re.compile(r'"([A-Z]{1,20}) (\S+)(?: HTTP/[0-9.]+)?"(?: ([1-5][0-9]{2})\b)?')
_BARE = re.compile(r"(?:([A-Z]{1,20}) )?((?:https?://|/)\S*)")
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Logged:
    """A request as it was logged."""

    method: str
    target: str
    """Path and query."""

    status: int | None = None
    """What was answered then, where the line says it."""


@contextmanager
def open_log(name: str) -> Iterator[IO[bytes]]:
    """The log *name*, ``-`` for standard input, unpacked where it is gzip."""
    if name == "-":
        yield _unpacked(cast(io.BufferedReader, sys.stdin.buffer))
        return
    with Path(name).open("rb") as raw:
        yield _unpacked(raw)


def _unpacked(raw: io.BufferedReader) -> IO[bytes]:
    packed = raw.peek(2)[:2] == _MAGIC
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw


def read_lines(log: IO[bytes]) -> Iterator[str]:
    """Its lines; one that is too long is cut, and so means nothing."""
    try:
        while line := log.readline(MAX_LINE):
            text = line.decode("utf-8", "replace")
            while not line.endswith(b"\n") and (line := log.readline(MAX_LINE)):
                text = ""
            if text.strip():
                yield text
            elif not text:
                yield "(too long)"
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise BenchError(f"the log cannot be read to its end: {error}") from None


def parse_line(line: str) -> Logged | None:
    """What *line* asks for; None where it cannot be read.

    >>> parse_line('::1 - - [x] "GET /hls/a.mp4/seg-1.ts?t=1 HTTP/1.1" 200 5 "-" "-"')
    Logged(method='GET', target='/hls/a.mp4/seg-1.ts?t=1', status=200)
    >>> parse_line('{"method":"HEAD","target":"/hls/a.mp4/index.m3u8","status":404}')
    Logged(method='HEAD', target='/hls/a.mp4/index.m3u8', status=404)
    >>> parse_line("/hls/a.mp4/index.m3u8 0.012")
    Logged(method='GET', target='/hls/a.mp4/index.m3u8', status=None)
    """
    line = line.strip()
    if line.startswith("{"):
        return _of_json(line)
    if found := _REQUEST.search(line):
        return _logged(found[1], _unescaped(found[2]), found[3])
    if found := _BARE.match(line):
        return _logged(found[1] or "GET", found[2], None)
    return None


def _of_json(line: str) -> Logged | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    status = fields.get("status")
    if isinstance(request := fields.get("request"), str):
        method, _, rest = request.partition(" ")
        return _logged(method, rest.partition(" ")[0], status)
    method = _first(fields, "method", "request_method") or "GET"
    target = _first(fields, "target", "request_uri")
    if target is None and (target := _first(fields, "uri", "path")) and fields.get("args"):
        target = f"{target}?{fields['args']}"
    return None if target is None else _logged(method, target, status)


def _first(fields: dict[str, Any], *names: str) -> str | None:
    values = (fields.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), None)


def _logged(method: str, address: str, status: object) -> Logged | None:
    if "://" in address[:8]:
        try:
            parts = urlsplit(address)
        except ValueError:
            return None
        address = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    address = address.partition("#")[0]
    if not address.startswith("/") or not address.isprintable() or " " in address:
        return None
    number = str(status)
    known = number.isdecimal() and len(number) == 3
    return Logged(method, address, int(number) if known else None)


def _unescaped(text: str) -> str:
    """nginx writes quotes, backslashes and what is not ASCII as ``\\xHH``."""
    if "\\x" not in text:
        return text
    return _ESCAPED.sub(lambda one: f"%{one[1].upper()}", text)
