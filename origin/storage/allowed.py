"""Which addresses of HTTP servers may be asked, and which IP addresses connected to.  Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from origin.errors import SourceUnavailable

SCHEMES = {"http": 80, "https": 443}
"""And their ports."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052 §2.1."""


def parts_of(address: str) -> SplitResult:
    """*address*, if it is one whose meaning nobody can mistake.

    Raises ``SourceUnavailable``: dots or a backslash would be read one way here and another
    way by the server.
    """
    try:
        parts = urlsplit(address)
        known = parts.port != 0 and parts.scheme in SCHEMES
    except ValueError:
        raise SourceUnavailable("not an address of an HTTP server") from None
    plain = address.isprintable() and parts.netloc.isascii() and "\\" not in unquote(address)
    if not known or not plain or {".", ".."} & set(unquote(parts.path).split("/")):
        raise SourceUnavailable("not an address of an HTTP server")
    if parts.username is not None or not parts.hostname:
        raise SourceUnavailable("the source is not on a server that is allowed here")
    return parts


class Places:
    """Hosts, and addresses below which everything is allowed."""

    def __init__(self, written: tuple[str, ...]) -> None:
        self._hosts = {one.lower() for one in written if "://" not in one}
        self._prefixes = [parts_of(one) for one in written if "://" in one]

    def have(self, parts: SplitResult) -> bool:
        usual, (_, host, port) = SCHEMES[parts.scheme], _server(parts)
        if f"{host}:{port}" in self._hosts or (port == usual and host in self._hosts):
            return True
        return any(
            _server(one) == _server(parts)
            and f"{parts.path}/".startswith(f"{one.path.rstrip('/')}/")
            for one in self._prefixes
        )


def _server(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or SCHEMES[parts.scheme]


def is_public(address: str) -> bool:
    """Whether everybody may be sent to this IP address.  What stands in an IPv6 address for
    one of IPv4 (mapped, 6to4, NAT64) is judged as that.

    >>> is_public("93.184.215.14"), is_public("::ffff:10.0.0.1"), is_public("64:ff9b::a00:1")
    (True, False, False)
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        within = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            within = IPv4Address(int(found) & 0xFFFFFFFF)
        if within is not None:
            return is_public(str(within))
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast
