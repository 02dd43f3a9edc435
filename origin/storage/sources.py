"""Sources by their names: absolute paths, ``s3:// gs:// az://`` and ``http(s)://``."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit

from origin.config import OriginConfig
from origin.errors import SourceUnavailable
from origin.flights import Flights
from origin.storage import http
from origin.storage.allowed import SCHEMES as HTTP
from origin.storage.local import LocalFile, LocalFiles
from origin.storage.objects import SCHEMES, ObjectStores
from origin.storage.remote import Limits, Remote, RemoteSource, late_after

Stored = LocalFile | RemoteSource

_LIFE = 60.0
"""Seconds until a source that nobody reads is looked at again; a read notices at once."""


def is_remote(name: str) -> bool:
    """Whether *name* is the address of something that is not in the file system.

    >>> is_remote("/media/a.mp4"), is_remote("s3://media/a.mp4")
    (False, True)
    """
    return _scheme(name) in (*SCHEMES, *HTTP)


def _scheme(name: str) -> str:
    scheme, found, _ = name.partition("://")
    return scheme if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the operator allows to be read besides files."""

    object_stores: tuple[str, ...] = ()
    """``s3://bucket`` or ``s3://bucket/prefix``."""

    remote_hosts: tuple[str, ...] = ()
    """HTTP servers, ``host`` or ``host:port``, or addresses below which files are."""

    remote_private: bool = False
    """Whether those may be at private, loopback and link-local addresses."""

    upstreams: tuple[str, ...] = ()
    """Addresses below which are files of servers that may be."""

    @classmethod
    def of(cls, config: OriginConfig) -> "Access":
        elsewhere = [one for one in config.source_allow if is_remote(one)]
        stores = (one for one in elsewhere if _scheme(one) in SCHEMES)
        servers = (one for one in elsewhere if _scheme(one) in HTTP)
        upstream = config.remote_upstream
        return cls(
            object_stores=(*config.object_stores, *stores),
            remote_hosts=(*config.remote_hosts, *servers),
            remote_private=config.remote_private,
            upstreams=() if upstream is None else (upstream.partition("?")[0],),
        )

    @classmethod
    def to(cls, address: str) -> "Access":
        """To the place of *address* only."""
        scheme, _, rest = address.partition("://")
        if scheme in HTTP:
            host = urlsplit(address).netloc.rpartition("@")[2]
            return cls(remote_hosts=(host,), remote_private=True)
        return cls(object_stores=(f"{scheme}://{rest.partition('/')[0]}",))


class Sources:
    """Everything that can be opened, the least recently used let go of first."""

    def __init__(self, limit: int, access: Access, limits: Limits | None = None) -> None:
        """Keep up to *limit* files open, and know as many remote sources."""
        self._limit = limit
        self._limits = limits or Limits()
        self._files = LocalFiles(limit)
        self._http = http.HttpServers(
            access.remote_hosts, private=access.remote_private, upstreams=access.upstreams
        )
        self._objects = ObjectStores(access.object_stores)
        self._remote: OrderedDict[str, tuple[RemoteSource, float]] = OrderedDict()
        self._flights: Flights[str, RemoteSource] = Flights()
        self._gate = asyncio.Semaphore(self._limits.requests)

    def at_hand(self, name: str) -> Stored | None:
        """The source of that *name*, if it is open and, as far as is known, unchanged."""
        if name.startswith("/"):
            return self._files.at_hand(name)
        known = self._remote.get(name)
        if known is None or known[0].is_changed or known[1] <= time.monotonic():
            return None
        self._remote.move_to_end(name)
        return known[0]

    async def open(self, name: str, *, to_index: bool = False) -> Stored:
        """The source of that *name*; what is known to be read from its first byte on, *to
        index* it, is opened by that.

        Raises ``NotFound`` and ``SourceUnavailable``.
        """
        if name.startswith("/"):
            return await self._files.open(name)
        known = self.at_hand(name)
        if isinstance(known, RemoteSource):
            return known
        return await self._flights.join(name, lambda: self._open(name, to_index))

    async def _open(self, name: str, to_index: bool) -> RemoteSource:
        remote = self._find(name)
        async with late_after(self._limits.answer):
            if to_index:
                facts, begun = await remote.get(0, self._limits.span, None)
            else:
                facts, begun = await remote.head(), None
        found, _ = self._remote.get(name, (None, 0.0))
        if found is None or found.is_changed or found.facts != facts:
            found = RemoteSource(remote, facts, self._limits, self._gate, begun)
            asyncio.get_running_loop().call_later(self._limits.idle, found.close)
        elif begun is not None:
            begun.close()
        self._remote[name] = found, time.monotonic() + _LIFE
        self._remote.move_to_end(name)
        while len(self._remote) > self._limit:
            _, (old, _) = self._remote.popitem(last=False)
            old.close()
        return found

    def _find(self, name: str) -> Remote:
        if _scheme(name) in SCHEMES:
            return self._objects.find(name)
        if _scheme(name) in HTTP:
            return self._http.find(name)
        raise SourceUnavailable("no source has such a name")

    async def close(self) -> None:
        """Let go of what is remote."""
        while self._remote:
            _, (source, _) = self._remote.popitem()
            source.close()
        await self._http.close()
