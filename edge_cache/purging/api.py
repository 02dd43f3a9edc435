"""``/api/v1/purge`` and ``/api/v1/purges`` of the administration listener."""

import heapq

import msgspec

from edge_cache.disk.errors import DiskError
from edge_cache.purging.names import EVERYTHING, Name
from edge_cache.purging.order import Malformed, parse_order
from edge_cache.purging.purges import Purges
from edge_cache.purging.records import Mark
from serving.admin import Routes
from serving.admin_http import Request, Response

MAX_LISTED = 1000


def routes(purges: Purges) -> Routes:
    async def purge(request: Request) -> Response:
        try:
            order = parse_order(request.body)
        except Malformed as error:
            return _json(400, {"error": str(error)})
        try:
            sequence = await purges.purge(order.names, soft=order.soft)
        except DiskError as error:
            return _json(503, {"error": f"the purge may be incomplete: {error.reason}"})
        return _json(200, {"sequence": sequence, "purged": len(order.names)})

    async def listed(_request: Request) -> Response:
        purges.catch_up()
        rows = heapq.nlargest(MAX_LISTED, purges.rules, key=lambda row: row[1].newest)
        return _json(
            200,
            {
                "sequence": purges.known,
                "count": len(purges.rules),
                "purges": [_rule(name, mark) for name, mark in rows],
            },
        )

    return {("POST", "/api/v1/purge"): purge, ("GET", "/api/v1/purges"): listed}


def _rule(name: Name, mark: Mark) -> dict[str, object]:
    kind, value = name
    rule: dict[str, object] = {"kind": "all" if name == EVERYTHING else kind}
    if name != EVERYTHING:
        rule["value"] = value.decode("ascii")
    if mark.hard:
        rule["hard"] = mark.hard
    if mark.soft:
        rule |= {"soft": mark.soft, "softened": round(mark.softened, 3)}
    return rule


def _json(status: int, content: object) -> Response:
    return Response(status, msgspec.json.encode(content) + b"\n", "application/json")
