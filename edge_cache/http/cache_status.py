"""Cache-Status (RFC 9211): what this cache did with a request, in a word or two.

A cache appends its own member to the list.  A further field line does just that, so an
upstream's value is passed on untouched and ours follows it.
"""

from dataclasses import dataclass
from enum import StrEnum

NAME = "headrace"
"""Our member of the list: a token, not a host name, which would tell the inside of a site."""


class Forward(StrEnum):
    """Why a request went upstream (§2.2)."""

    BYPASS = "bypass"
    METHOD = "method"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    STALE = "stale"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """One member.  Either a hit, or forwarded for a reason."""

    forward: Forward | None = None
    """None is a hit."""

    forward_status: int | None = None
    """What the upstream answered."""

    ttl: int | None = None
    """Seconds of freshness left; negative for what is stale (§2.4)."""

    stored: bool = False
    collapsed: bool = False
    detail: str | None = None
    """The name of a refusal or failure; a token."""

    key: str | None = None
    """The cache key, where a configuration wants it told."""

    def render(self) -> str:
        """The member as it stands on the wire."""
        parts = [NAME, "hit" if self.forward is None else f"fwd={self.forward}"]
        if self.forward_status is not None:
            parts.append(f"fwd-status={self.forward_status}")
        if self.ttl is not None:
            parts.append(f"ttl={self.ttl}")
        parts += [name for name in ("stored", "collapsed") if getattr(self, name)]
        if self.detail is not None:
            parts.append(f"detail={self.detail}")
        if self.key is not None:
            parts.append(f"key={_quoted(self.key)}")
        return "; ".join(parts)


def _quoted(text: str) -> str:
    """*text* as an sf-string (RFC 9651 §3.3.3), which holds printable ASCII only."""
    printable = "".join(one if " " <= one <= "~" else "?" for one in text)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
