"""The JSON of a mapping: a file below a folder, or the answer of an upstream."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from origin.errors import NotFound, SourceUnavailable
from origin.mapping.errors import Fault
from origin.storage.http import Again, HttpServers

MOST = 256 << 10
"""Bytes of a mapping: 32 sequences with long names are a few KiB."""

LIMIT = 10.0
"""Seconds for an upstream, tries and redirects included."""

_PAUSE = 0.1
_SAFE = "/,:@!$&'()*+;=~"


class Fetcher(Protocol):
    async def fetch(self, name: str) -> bytes:
        """The mapping of that *name*.  Raises ``NotFound`` and ``Fault``."""

    async def close(self) -> None: ...


class Folder:
    """Mappings as files."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)

    async def fetch(self, name: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(None, self._read, name)

    def _read(self, name: str) -> bytes:
        path = os.path.realpath(os.path.join(self._root, name))  # noqa: PTH118
        if os.path.commonpath((path, self._root)) != self._root:
            raise NotFound("no such mapping")
        try:
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            if isinstance(error, PermissionError):
                raise Fault("the mapping cannot be read") from None
            raise NotFound("no such mapping") from None
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise NotFound("no such mapping")
            data = _read(opened)
        except OSError:
            raise Fault("the mapping cannot be read") from None
        finally:
            os.close(opened)
        if len(data) > MOST:
            raise Fault(f"the mapping is longer than {MOST} bytes")
        return data

    async def close(self) -> None:
        """Nothing is open."""


def _read(opened: int) -> bytes:
    """All of a file, or a byte more than ``MOST``."""
    data = bytearray()
    while len(data) <= MOST and (piece := os.read(opened, MOST + 1 - len(data))):
        data += piece
    return bytes(data)


class Upstream:
    """Mappings as answers to GET: the path of the request goes behind that of the address."""

    def __init__(self, address: str, servers: HttpServers, limit: float | None = None) -> None:
        """The query of *address* goes with every request."""
        parts = urlsplit(address)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"
        self._query = f"?{parts.query}" if parts.query else ""
        self._servers, self._limit = servers, limit or LIMIT

    async def fetch(self, name: str) -> bytes:
        address = f"{self._base}{quote(name, safe=_SAFE)}{self._query}"
        try:
            async with asyncio.timeout(self._limit):
                status, body = await self._ask(address)
        except TimeoutError:
            raise Fault("the upstream of mappings is late") from None
        except SourceUnavailable as error:
            raise Fault(f"the upstream of mappings: {error}") from None
        if status in (204, 404, 410):
            raise NotFound("no such mapping")
        if status != 200:
            raise Fault(f"the upstream of mappings answers {status}")
        return body

    async def _ask(self, address: str) -> tuple[int, bytes]:
        try:
            return await self._servers.fetch(address, MOST)
        except Again:
            await asyncio.sleep(_PAUSE)
            return await self._servers.fetch(address, MOST)

    async def close(self) -> None:
        await self._servers.close()
