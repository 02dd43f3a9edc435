"""What of a target chooses its shield: the key without what differs from viewer to viewer.

A token in the key would send every viewer's copy of a segment to another shield.  Only the
choice is made by this key: what is asked for, and what is stored, keeps its query.  Pure.
"""

from collections.abc import Collection
from urllib.parse import unquote_to_bytes

TOKENS = (
    *("token", "hdnts", "hdnea", "hdntl", "hmac", "expires", "exp", "signature", "policy"),
    *("key-pair-id", "x-amz-signature", "x-amz-date", "x-amz-credential", "x-goog-signature"),
    *("sig", "se", "sp", "cmcd", "cmsd", "sessionid", "session", "uiconfid", "playsessionid"),
    *("utm_source", "utm_medium", "utm_campaign"),
)
"""Names of query parameters that are left out, in lower case.  ``_HLS_msn`` and its kin are
none of them: they choose what a playlist holds."""


def route_key(
    target: bytes, ignored: Collection[bytes], allowed: Collection[bytes] | None = None
) -> bytes:
    """The path of *target* and its query, sorted, without the parameters *ignored*, or with
    those *allowed* alone.  Both are in lower case.

    >>> route_key(b"/a.ts?token=1&b=2&_HLS_msn=3&Policy=x", {b"token", b"policy"})
    b'/a.ts?_HLS_msn=3&b=2'
    >>> route_key(b"/a.ts?b=2&a=1&c=3", (), {b"a"})
    b'/a.ts?a=1'
    """
    path, mark, query = target.partition(b"?")
    if not mark:
        return path
    kept = []
    for pair in query.split(b"&"):
        name = unquote_to_bytes(pair.partition(b"=")[0]).lower()
        if pair and (name not in ignored if allowed is None else name in allowed):
            kept.append(pair)
    return path + b"?" + b"&".join(sorted(kept)) if kept else path
