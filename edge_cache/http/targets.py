"""Request targets (RFC 9112 §3.2): from what a client sent to the path and query we use."""

import re
from urllib.parse import urljoin, urlsplit

_ABSOLUTE = re.compile(rb"https?://[^/?#]+([/?].*)?", re.IGNORECASE | re.DOTALL)


def path_and_query(target: bytes) -> bytes | None:
    """The path and query of *target*, byte for byte; None if it is not a target.

    Origin-form is itself, absolute-form loses its scheme and authority (§3.2.2).  A fragment
    never travels (§3.2), so a target that has one is refused.

    >>> path_and_query(b"http://example.org?a=1")
    b'/?a=1'
    """
    if b"#" in target:
        return None
    if target.startswith(b"/"):
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    rest: bytes = match[1] or b"/"
    return rest if rest.startswith(b"/") else b"/" + rest


def same_origin_target(reference: str, base: bytes, authority: bytes) -> bytes | None:
    """The path and query that *reference* in a response names, if on the same origin.

    *base* is the path and query asked for, *authority* what Host said.

    >>> same_origin_target("b?x#y", b"/dir/a", b"h"), same_origin_target("//other/", b"/", b"h")
    (b'/dir/b?x', None)
    """
    host = authority.decode("latin-1").lower()
    try:
        joined = urljoin(f"http://{host}{base.decode('latin-1')}", reference)
        parts = urlsplit(joined)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return target.encode("latin-1", "replace")
