"""Files on HTTP servers that answer byte ranges (RFC 9110 §14), by aiohttp.

Where a request may go is looked at twice: the host of each URL, redirects included, is one
that the operator allows, and the address that is connected to is a public one unless private
ones are allowed, so that no name service leads elsewhere.  A source is known by its strong
ETag, or else by Last-Modified and size; each further request asks for just that.

aiohttp is an extra, and imported when the first address is opened.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.remote import Facts, Stream

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

SCHEMES = {"http": 80, "https": 443}
"""And their ports."""

_CONNECT = 5.0
"""Seconds."""
_REDIRECTS = 4
_PAUSES = (0.1, 0.4)
"""Seconds before another try; only a request without an answer, or with 429 or 5xx, gets
one."""
_CONNECTIONS = 64
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


class _Again(SourceUnavailable):
    """What may be gone the next time."""


class HttpServers:
    """The hosts that the operator allows, and one pool of connections to them."""

    def __init__(self, hosts: tuple[str, ...], *, private: bool) -> None:
        """*hosts*: ``host``, at the usual ports, or ``host:port``; *private*: they may have
        private, loopback and link-local addresses."""
        self._hosts = {host.lower() for host in hosts}
        self._private = private
        self._pool: ClientSession | None = None

    def find(self, address: str) -> "HttpFile":
        """The file at *address*, which need not be there."""
        self.check(address)
        return HttpFile(self, address)

    def check(self, address: str) -> None:
        """Raises ``SourceUnavailable`` where *address* is none that may be asked."""
        try:
            parts = urlsplit(address)
            port = parts.port or SCHEMES[parts.scheme]
        except (ValueError, KeyError):
            raise SourceUnavailable("not an address of an HTTP server") from None
        host = parts.hostname or ""
        names = {f"{host}:{port}"} | ({host} if port == SCHEMES[parts.scheme] else set[str]())
        if parts.username is not None or not names & self._hosts:
            raise SourceUnavailable("the source is not on a server that is allowed here")

    def session(self) -> "ClientSession":
        if self._pool is None:
            try:
                import aiohttp
            except ImportError:
                raise SourceUnavailable(
                    "HTTP servers need the extra headrace[remote]"
                ) from None
            connector = aiohttp.TCPConnector(
                limit=_CONNECTIONS, socket_factory=self._socket, keepalive_timeout=30
            )
            times = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT)
            self._pool = aiohttp.ClientSession(
                connector=connector,
                timeout=times,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=128 << 10,
            )
        return self._pool

    def _socket(self, info: Any) -> socket.socket:
        """For a connection to the address in *info*, and to no other."""
        family, kind, protocol, _, place = info
        found = ip_address(place[0].partition("%")[0])
        found = getattr(found, "ipv4_mapped", None) or found
        if not self._private and not found.is_global:
            raise OSError("a private address")
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


class HttpFile:
    def __init__(self, servers: HttpServers, address: str) -> None:
        self._servers, self._address = servers, address

    async def head(self) -> Facts:
        # a range of one byte: HEAD is not answered everywhere, nor with the same validator
        facts, stream = await self.get(0, 1, None)
        with closing(stream):
            async for _ in stream:
                pass
        return facts

    async def get(self, start: int, stop: int, known: Facts | None) -> tuple[Facts, Stream]:
        fields = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        if known is not None:
            name = "If-Match" if known.validator.startswith('"') else "If-Unmodified-Since"
            fields[name] = known.validator
        for pause in (*_PAUSES, None):
            try:
                answer = await self._ask(fields)
                break
            except _Again:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        try:
            return _facts(answer, start, stop, known), _Body(answer)
        except BaseException:
            answer.close()
            raise

    async def _ask(self, fields: dict[str, str]) -> "ClientResponse":
        address = self._address
        for _ in range(_REDIRECTS + 1):
            with _told():
                answer = await self._servers.session().get(
                    address, headers=fields, allow_redirects=False
                )
            status = answer.status
            if status not in (301, 302, 303, 307, 308):
                if status == 429 or status >= 500:
                    answer.close()
                    raise _Again(f"the server answers {status}")
                return answer
            answer.close()
            target = urljoin(address, answer.headers.get("Location", ""))
            if address.startswith("https:") and not target.startswith("https:"):
                raise SourceUnavailable("the server leads from https elsewhere")
            self._servers.check(target)
            address = target
        raise SourceUnavailable("the server leads from one address to the next")


def _facts(answer: "ClientResponse", start: int, stop: int, known: Facts | None) -> Facts:
    """Raises what the status means, and where the answer is not the range."""
    status, headers = answer.status, answer.headers
    if status in (404, 410):
        raise NotFound("no such file on the server")
    if status == 412 or (status == 416 and known is not None):
        raise SourceChanged("the file was changed while it was read")
    if status in (401, 403):
        raise SourceUnavailable("the server refuses access")
    if status != 206:
        raise SourceUnavailable(f"the server answers {status} to a range")
    found = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None or headers.get("Content-Encoding", "identity") != "identity":
        raise SourceUnavailable("the server sends no range that can be used")
    first, last, size = map(int, found.groups())
    length = headers.get("Content-Length", str(last - first + 1))
    if (first, last) != (start, min(stop, size) - 1) or length != str(last - first + 1):
        raise SourceUnavailable("the server sends another range")
    validator = headers.get("ETag", "")
    if not validator.startswith('"'):
        validator = headers.get("Last-Modified", "")
    if not validator:
        raise SourceUnavailable("the server names neither a strong ETag nor a time")
    return Facts(size, validator)


class _Body:
    """The rest of an answer; read to its end, its connection is used again."""

    def __init__(self, answer: "ClientResponse") -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _told():
            piece = await self._answer.content.readany()
        if not piece:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _told() -> Iterator[None]:
    """aiohttp's errors as ours; they name addresses."""
    import aiohttp

    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError):
        raise _Again("the server cannot be reached") from None
