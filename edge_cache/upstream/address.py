"""Where an upstream is: ``http://host:port``, ``https://host``, ``unix:///path``.  Pure."""

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
MAX_WEIGHT = 1000.0
_LONGEST_PATH = 107
"""Bytes of a socket's address, unix(7)."""


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    """The URL without its weight: what logs, metrics and the ring call it."""
    scheme: str
    host: str
    """A name or an IP address; of a socket in the file system, its path."""
    port: int
    authority: bytes
    """What Host says."""
    weight: float = 1.0
    """Share of the keys, relative to the other shields'."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that *text*, ``URL`` or ``URL|weight``, names.  ValueError."""
        url, bar, weight = text.partition("|")
        url = url.removesuffix("/")
        parts = urlsplit(url)
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("a host and a port, and nothing after them")
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/"):
                raise ValueError("not unix:///path")
            if len(parts.path.encode(errors="surrogateescape")) > _LONGEST_PATH:
                raise ValueError(f"a path of more than {_LONGEST_PATH} bytes")
            return cls(url, "unix", parts.path, 0, b"localhost", _weight(bar, weight))
        if parts.scheme not in _PORTS or not parts.hostname or parts.port == 0:
            raise ValueError("not http://host:port")
        if parts.path:
            raise ValueError("a host and a port, and nothing after them")
        port = parts.port or _PORTS[parts.scheme]
        authority = parts.netloc.encode("ascii" if parts.netloc.isascii() else "idna")
        return cls(url, parts.scheme, parts.hostname, port, authority, _weight(bar, weight))

    @property
    def is_literal(self) -> bool:
        """Whether there is nothing to look up."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.scheme == "unix"
        return True


def _weight(bar: str, text: str) -> float:
    if not bar:
        return 1.0
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= MAX_WEIGHT:
        raise ValueError(f"weight {text!r} is not above 0 and at most {MAX_WEIGHT:g}")
    return weight
