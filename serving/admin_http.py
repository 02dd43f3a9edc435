"""The little HTTP/1.1 that administration needs: one request per connection, strictly read.

Refused rather than guessed at: chunked bodies, folded or repeated fields, bare line ends.
RFC 9112 is the grammar, RFC 9110 the statuses.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

import msgspec

HEAD_LIMIT = 16 * 1024
"""Bytes of request line and header fields together."""
BODY_LIMIT = 1024 * 1024
FIELD_LIMIT = 100
"""Header fields, and fields of a query."""

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)


TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Percent-decoded, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = TEXT
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request is answered with *status* and not carried out."""

    def __init__(self, status: int, reason: str = "", **headers: str) -> None:
        super().__init__(reason)
        self.response = text(status, reason or HTTPStatus(status).phrase, headers)
        self.path = ""
        """Of the request, as far as it was read."""


def text(status: int, line: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, f"{line}\n".encode(), headers=headers or {})


def as_error(response: Response) -> Response:
    """*response*, a failure in one line of text, as an interface for programs tells it."""
    if response.status < 400 or response.content_type != TEXT:
        return response
    content = {"error": response.body.decode().removesuffix("\n")}
    body = msgspec.json.encode(content) + b"\n"
    return replace(response, body=body, content_type="application/json")


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next request; None if the client left without one.  The caller limits the time."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise Refused(431) from error
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Refused(400, "the header section does not end") from error
        return None
    method, target, headers = parse_head(head)
    path, _, query = target.partition("?")
    try:
        body = await _read_body(reader, writer, headers)
        return Request(method, unquote(path), _parse_query(query), headers, body)
    except Refused as refused:
        refused.path = path
        raise


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and header fields."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(first)
    if request is None:
        raise Refused(400, "not a request line of HTTP/1.1")
    if len(lines) > FIELD_LIMIT:
        raise Refused(431)
    headers: dict[str, str] = {}
    for line in lines:
        _add_field(headers, line)
    if "host" not in headers and first.endswith(b"1"):
        raise Refused(400, "no Host")  # RFC 9112 §3.2
    return request[1].decode(), request[2].decode(), headers


def _add_field(headers: dict[str, str], line: bytes) -> None:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise Refused(400, "not a header field")
    name = found[1].decode().lower()
    if name in headers:
        raise Refused(400, f"more than one {name}")
    headers[name] = found[2].strip(b" \t").decode("latin-1")


async def _read_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str]
) -> bytes:
    if "transfer-encoding" in headers:
        raise Refused(411, "give the body's length")
    length = headers.get("content-length", "0")
    if not _DIGITS.fullmatch(length):
        raise Refused(400, "Content-Length is not a number")
    if int(length) > BODY_LIMIT:
        raise Refused(413)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise Refused(400, "the body is shorter than its length") from error


def _parse_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError as error:
        raise Refused(400, "too many fields in the query") from error
    return dict(pairs)


def encode_response(response: Response, *, head_only: bool) -> bytes:
    """The bytes of *response*; the connection ends with it."""
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *(f"{name.replace('_', '-')}: {value}" for name, value in response.headers.items()),
    ]
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return head if head_only else head + response.body
