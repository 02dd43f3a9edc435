"""Bytes of an address: HTTP or a file, bounded in size, number, redirects and time."""

import asyncio
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

MANIFEST_LIMIT = 16 << 20
MEDIA_LIMIT = 256 << 20
TOTAL_LIMIT = 4 << 30
"""Bytes of one run."""
COUNT_LIMIT = 20_000
"""Requests of one run."""
REDIRECTS = 5


class Unreachable(Exception):
    """Why an address gave nothing."""


@dataclass(frozen=True, slots=True)
class Range:
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Resource:
    address: str
    """Where it was found, after redirects."""
    body: bytes
    headers: Mapping[str, str] | None
    """Of HTTP, by lower-case name; None of a file."""


@dataclass(slots=True)
class Fetcher:
    """Gets addresses one after the other; *headers* go to the first address's server only."""

    timeout: float
    """Seconds that one answer may take as a whole."""
    headers: Mapping[str, str] = field(default_factory=dict)
    home: str | None = None
    """``scheme://host`` of the first address."""
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _bytes: int = 0
    _count: int = 0

    def close(self) -> None:
        self._runner.close()

    def get(
        self, address: str, limit: int = MEDIA_LIMIT, part: Range | None = None
    ) -> Resource:
        """Raises Unreachable."""
        self._count += 1
        if self._count > COUNT_LIMIT:
            raise Unreachable(f"more than {COUNT_LIMIT} requests in one run")
        limit = min(limit, TOTAL_LIMIT - self._bytes)
        if limit <= 0:
            raise Unreachable(f"more than {TOTAL_LIMIT} bytes in one run")
        if part is not None and part.length > limit:
            raise Unreachable(f"range of {part.length} bytes, above the limit of {limit}")
        try:
            remote = urlsplit(address).scheme in ("http", "https")
            path = None if remote else file_of(address)
        except ValueError as error:
            raise Unreachable(str(error)) from error
        if path is None:
            found = self._http(address, limit, part)
        else:
            found = Resource(address, _read(path, limit, part), None)
        self._bytes += len(found.body)
        if part is not None and len(found.body) != part.length:
            text = f"{len(found.body)} bytes instead of {part.length} at {part.start}"
            raise Unreachable(f"the range gives {text}")
        return found

    def _http(self, address: str, limit: int, part: Range | None) -> Resource:
        if self.home is None:
            self.home = _server(address)
        for _ in range(REDIRECTS + 1):
            status, headers, body = self._runner.run(self._ask(address, limit, part))
            if status not in (301, 302, 303, 307, 308):
                break
            address = _redirected(address, headers.get("location", ""))
        else:
            raise Unreachable(f"more than {REDIRECTS} redirects")
        if status not in (200, 206):
            raise Unreachable(f"status {status}")
        if part is not None and status == 200:
            raise Unreachable("status 200 for a range: the server ignores Range")
        return Resource(address, _plain(body, headers, limit), headers)

    async def _ask(
        self, address: str, limit: int, part: Range | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Accept-Encoding": "gzip"} if part is None else {}
        if part is not None:
            headers["Range"] = f"bytes={part.start}-{part.start + part.length - 1}"
        if _server(address) == self.home:
            headers |= self.headers
        client: AsyncHTTPClient = SimpleAsyncHTTPClient(
            force_instance=True, max_body_size=limit, max_buffer_size=limit + (1 << 16)
        )
        try:
            request = HTTPRequest(
                address,
                headers=headers,
                follow_redirects=False,
                decompress_response=False,
                connect_timeout=self.timeout,
                request_timeout=self.timeout,
            )
            got = await client.fetch(request, raise_error=False)
        except (HTTPClientError, OSError, ValueError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        finally:
            client.close()
        if got.code == 599:
            raise Unreachable(str(got.error) or "no answer")
        return got.code, {k.lower(): v for k, v in got.headers.items()}, got.body or b""


def _server(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _redirected(address: str, location: str) -> str:
    try:
        target = urljoin(address, location)
        if location and urlsplit(target).scheme in ("http", "https"):
            return target
    except ValueError as error:
        raise Unreachable(f"redirect to {location[:200]!r}: {error}") from error
    raise Unreachable(f"redirect to {location[:200]!r}")


def _plain(body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Unreachable(f"Content-Encoding {coding!r} was not asked for")
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, limit)
    except zlib.error as error:
        raise Unreachable(f"gzip body: {error}") from error
    if inflater.unconsumed_tail:
        raise Unreachable(f"gzip body of more than {limit} bytes")
    if not inflater.eof:
        raise Unreachable("gzip body is cut off")
    return plain


def file_of(address: str) -> Path:
    """The path that *address* names: a ``file:`` URL or a path."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return Path(address)


def _read(path: Path, limit: int, part: Range | None) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unreachable("not a regular file")
        with path.open("rb") as file:
            if part is not None:
                file.seek(part.start)
                return file.read(part.length)
            body = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise Unreachable(getattr(error, "strerror", None) or str(error)) from error
    if len(body) > limit:
        raise Unreachable(f"more than {limit} bytes")
    return body


def resolve(base: str, reference: str) -> str:
    """*reference* as seen from *base*; only HTTP leads to HTTP.  Raises Unreachable."""
    if not reference:
        return base
    if urlsplit(base).scheme not in ("http", "https") and "://" not in reference:
        name = unquote(reference.partition("?")[0].partition("#")[0])
        return str(file_of(base).parent / name)
    try:
        target = urljoin(base, reference)
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise Unreachable(f"{reference!r}: {error}") from error
    if scheme not in ("http", "https"):
        raise Unreachable(f"{reference!r} is not an HTTP address")
    return target
