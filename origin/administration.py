"""What the administration listener of an origin has beside health and metrics."""

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from origin.contents import Contents
from origin.contract.admission import admitted
from origin.contract.path_only import mapping_of, parse_path_only
from origin.database import Database
from origin.errors import failure
from serving.admin import Routes
from serving.admin_http import Request, Response


def routes(database: Database, contents: Contents, clock: Callable[[], int], dc: int) -> Routes:
    """*clock* tells nanoseconds since 1970; *dc* is the number of our data centre."""

    async def path_only(request: Request) -> Response:
        from metadata.files import list_files  # not before a process listens: it takes 0.1 s

        try:
            asked = parse_path_only(quote(request.path), dict(request.query))
            admitted(await contents.find(asked.entry), asked.partner, clock())
            known = await database.ask(list_files, asked.entry, asked.flavors)
            found = msgspec.json.encode(mapping_of(asked, known, dc))
        except Exception as error:
            return _failed(error)
        return Response(200, found + b"\n", "application/json")

    return {("GET", "/p/"): path_only, ("GET", "/s/p/"): path_only}


def _failed(error: Exception) -> Response:
    """Raises *error* again where nobody foresaw it."""
    known = failure(error)
    if known is None:
        raise error
    fields = {name: value for name, value in known.fields.items() if name != "Cache-Control"}
    fields["X-Headrace-Error"] = known.reason
    if known.retry_after is not None:
        fields["Retry-After"] = str(known.retry_after)
    return Response(known.status, f"{known.reason}\n".encode(), headers=fields)
