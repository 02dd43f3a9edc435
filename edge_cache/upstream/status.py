"""``GET /api/v1/upstreams``: what one worker knows of its upstreams, as JSON."""

import time

import msgspec

from edge_cache.upstream.client import UpstreamClient
from serving.admin import Routes
from serving.admin_http import Request, Response

PATH = "/api/v1/upstreams"


def routes(client: UpstreamClient, worker: int) -> Routes:
    """For the administration listener of *worker*."""

    async def show(_request: Request) -> Response:
        body = {"worker": worker, "upstreams": described(client, time.time())}
        return Response(200, msgspec.json.encode(body), "application/json")

    return {("GET", PATH): show}


def described(client: UpstreamClient, wall: float) -> list[dict[str, object]]:
    """Each upstream as JSON can hold it; *wall* in seconds since 1970."""
    return [
        {
            "address": member.name,
            "state": member.state,
            "since": round(wall - member.seconds_in_state, 3),
            "failures": member.failures,
            "last_failure": member.last_failure,
            "connections": member.pool.open,
        }
        for member in client.members
    ]
