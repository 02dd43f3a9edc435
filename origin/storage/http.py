"""Files on HTTP servers that answer byte ranges (RFC 9110 §14), by aiohttp.

Where a request may go is looked at twice: each URL, redirects included, is on a host or below
an address that the operator allows, and the address that is connected to is a public one
unless private ones are allowed, so that no name service leads elsewhere.  A source is known by
its strong ETag, or else by Last-Modified and size; each further request asks for just that.

aiohttp is an extra, and imported when the first address is opened.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.allowed import Places, is_public, parts_of
from origin.storage.remote import Facts, Stream

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

_KEPT = "%/?#[]@!$&'()*+,;=:"
"""Beside letters, what stays as it is in an address that is sent."""

_CONNECT = 5.0
"""Seconds."""
_REDIRECTS = 4
_PAUSES = (0.1, 0.4)
"""Seconds before another try; only a request without an answer, or with 429 or 5xx, gets
one."""
_CONNECTIONS = 64
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


class Again(SourceUnavailable):
    """What may be gone the next time."""


class HttpServers:
    """What the operator allows, and pools of connections to it."""

    def __init__(
        self, hosts: tuple[str, ...], *, private: bool, upstreams: tuple[str, ...] = ()
    ) -> None:
        """*hosts*: ``host``, at the usual ports, ``host:port``, or all below an address such
        as ``https://host/path/``; *private*: they may have private, loopback and link-local
        addresses, as *upstreams*, which are written alike, always may."""
        self._allowed = Places(hosts)
        self._upstreams = Places(upstreams)
        self._private = private
        self._pools: dict[bool, ClientSession] = {}

    def find(self, address: str) -> "HttpFile":
        """The file at *address*, which need not be there."""
        self.check(address)
        return HttpFile(self, address)

    def check(self, address: str) -> bool:
        """Whether *address* may be a private one.  Raises ``SourceUnavailable`` where it is
        none that may be asked."""
        parts = parts_of(address)
        if self._upstreams.have(parts):
            return True
        if not self._allowed.have(parts):
            raise SourceUnavailable("the source is not on a server that is allowed here")
        return self._private

    async def ask(self, address: str, fields: dict[str, str]) -> "ClientResponse":
        """The answer to a GET; redirects are followed among what is allowed.

        Raises ``SourceUnavailable``; ``Again`` where another try may do better.
        """
        for _ in range(_REDIRECTS + 1):
            private = self.check(address)
            with _told():
                from yarl import URL

                # as it was checked: yarl would take out dots and decode letters
                answer = await self._session(private).get(
                    URL(quote(address, _KEPT), encoded=True),
                    headers=fields,
                    allow_redirects=False,
                )
            status = answer.status
            if status not in (301, 302, 303, 307, 308):
                if status == 429 or status >= 500:
                    answer.close()
                    raise Again(f"the server answers {status}")
                return answer
            answer.close()
            target = urljoin(address, answer.headers.get("Location", ""))
            if address.startswith("https:") and not target.startswith("https:"):
                raise SourceUnavailable("the server leads from https elsewhere")
            address = target
        raise SourceUnavailable("the server leads from one address to the next")

    async def fetch(self, address: str, most: int) -> tuple[int, bytes]:
        """Status and body of the answer to a GET; of another status than 200 no body.

        Raises ``SourceUnavailable`` too where the body has more than *most* bytes.
        """
        answer = await self.ask(address, {"Accept-Encoding": "identity"})
        with closing(answer):
            if answer.status != 200:
                return answer.status, b""
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise SourceUnavailable("the answer is encoded")
            body = bytearray()
            async for piece in _Body(answer):
                body += piece
                if len(body) > most:
                    raise SourceUnavailable(f"the answer is longer than {most} bytes")
            return 200, bytes(body)

    def _session(self, private: bool) -> "ClientSession":
        if (known := self._pools.get(private)) is not None:
            return known
        try:
            import aiohttp
        except ImportError:
            raise SourceUnavailable("HTTP servers need the extra headrace[remote]") from None
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS,
            socket_factory=_any_socket if private else _public_socket,
            keepalive_timeout=30,
        )
        times = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT)
        self._pools[private] = aiohttp.ClientSession(
            connector=connector,
            timeout=times,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=128 << 10,
        )
        return self._pools[private]

    async def close(self) -> None:
        while self._pools:
            await self._pools.popitem()[1].close()


def _any_socket(info: Any) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _public_socket(info: Any) -> socket.socket:
    """For a connection to the address in *info*, and to no other."""
    if not is_public(info[4][0]):
        raise OSError("a private address")
    return _any_socket(info)


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
                answer = await self._servers.ask(self._address, fields)
                break
            except Again:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        try:
            return _facts(answer, start, stop, known), _Body(answer)
        except BaseException:
            answer.close()
            raise


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
        raise Again("the server cannot be reached") from None
