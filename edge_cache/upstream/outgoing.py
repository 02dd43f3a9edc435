"""A request on its way upstream."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from edge_cache.http.fields import Fields, serialise
from edge_cache.upstream.response import Interim

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))
"""RFC 9110 §9.2.2."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes upstream, all but its Host."""

    method: bytes
    target: bytes
    fields: Fields
    body: AsyncIterator[bytes] | None = None
    """Already framed: by Content-Length or in chunks.  It can be read once."""

    interim: Interim | None = None
    route_key: bytes | None = None
    """What chooses the shield; None for the one that ``routing`` makes of the target."""

    @property
    def is_repeatable(self) -> bool:
        return self.body is None and self.method in _IDEMPOTENT

    def head(self, authority: bytes) -> bytes:
        line = b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (self.method, self.target, authority)
        return line + serialise(self.fields) + b"\r\n"
