"""A client and pools without an edge around them."""

from typing import Any

from edge_cache.config import EdgeConfig
from edge_cache.upstream.build import make_client, upstream_names
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.metrics import upstream_metrics
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Response
from serving.counters import Counters

LIMIT = 5.0
"""Seconds for a piece of a body."""


def client(*upstreams: str, **fields: Any) -> UpstreamClient:
    config = EdgeConfig(upstreams=upstreams, **fields)
    counters = Counters(upstream_metrics(upstream_names(config)), 1)
    return make_client(config, counters.row(0))


def asking(target: bytes = b"/", *, method: bytes = b"GET", **more: Any) -> Outgoing:
    return Outgoing(method, target, (), **more)


async def whole(response: Response) -> bytes:
    pieces = []
    while piece := await response.read(LIMIT):
        pieces.append(piece)
    return b"".join(pieces)
