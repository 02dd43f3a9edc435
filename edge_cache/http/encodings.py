"""Accept-Encoding (RFC 9110 §12.5.3), folded to what an edge keeps apart: gzip or identity.

Browsers send a dozen spellings of it.  Kept as sent, each would be a variant of its own; so
the folded value is both the key of the variant and what is asked of the upstream.
"""

from edge_cache.http.fields import members

GZIP, IDENTITY = b"gzip", b"identity"


def preferred_encoding(accept_encoding: bytes | None) -> bytes:
    """``gzip`` if *accept_encoding* allows it, else ``identity``.

    >>> preferred_encoding(b"br;q=1.0, gzip;q=0.8"), preferred_encoding(b"gzip;q=0, *")
    (b'gzip', b'identity')
    """
    if accept_encoding is None:
        return IDENTITY
    weights = dict(map(_weight, members([accept_encoding.decode("latin-1")])))
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return GZIP if weight > 0 else IDENTITY


def _weight(member: str) -> tuple[str, float]:
    coding, _, parameter = member.lower().partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        return coding.strip(), float(value) if name == "q" else 1.0
    except ValueError:
        return coding.strip(), 0.0
