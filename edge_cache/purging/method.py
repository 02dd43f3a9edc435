"""PURGE on the public port, for those who have it in their scripts.

It is off unless configured, and then an order to purge the URL that it names, in all its
variants: hard, or soft with ``Soft-Purge: 1``.  Without the administration's token it is
refused.
"""

from edge_cache.disk.errors import DiskError
from edge_cache.errors import Refused
from edge_cache.purging.names import Kind, normal
from edge_cache.purging.purges import Purges
from edge_cache.request import Request
from serving.tokens import bears

METHOD = b"PURGE"


async def purge(request: Request, purges: Purges, token: str | None) -> None:
    """Carry out *request*; Refused if it may not be, or could not be made durable."""
    if token is None:
        raise Refused(403, "no-token")
    if not bears(request.text(b"authorization") or "", token):
        raise Refused(401, "token")
    soft = any(
        name.lower() == b"soft-purge" and value == b"1" for name, value in request.fields
    )
    try:
        await purges.purge([(Kind.URL, normal(request.key))], soft=soft)
    except DiskError as error:
        raise Refused(503, error.reason) from error
