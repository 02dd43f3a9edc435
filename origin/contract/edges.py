"""Edges before the CDN (contract §2.12): which are there, and how a URL leads through them.

    {edge}/kVOD/{its parent}/kVOD/…/{original host}/{path}

Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from metadata.errors import BadRow
from metadata.partner_records import NodeRecord

ACTIVE_NS = 120 * 1_000_000_000
"""How long an edge counts as there after its heartbeat."""

MOST = 4
"""Edges of one manifest: each brings all variants once more."""

_MOST_PARENTS = 8
_FOLDER = "kVOD"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Edge:
    id: int
    way: str
    """Hosts and folders up to the one that it asks last; the original host comes behind."""


def active_nodes(nodes: Iterable[NodeRecord], now: int) -> frozenset[int]:
    """The ids of those that were heard of within 120 s before *now* (ns since 1970)."""
    return frozenset(
        one.id
        for one in nodes
        if one.heartbeat_at is not None and now - one.heartbeat_at < ACTIVE_NS
    )


def edges_of(nodes: Sequence[NodeRecord], active: frozenset[int]) -> tuple[Edge, ...]:
    """Of each active node its way; parents that are not active are skipped."""
    known = {one.id: one for one in nodes}
    return tuple(Edge(one.id, _way(one, known, active)) for one in nodes if one.id in active)


def _way(edge: NodeRecord, known: dict[int, NodeRecord], active: frozenset[int]) -> str:
    hosts, seen = [_host(edge)], {edge.id}
    parent = known.get(edge.parent_id or 0)
    while parent is not None and parent.id not in seen and len(seen) <= _MOST_PARENTS:
        seen.add(parent.id)
        if parent.id in active:
            hosts.append(_host(parent))
        parent = known.get(parent.parent_id or 0)
    return f"/{_FOLDER}/".join([*hosts, ""])[:-1]


def _host(node: NodeRecord) -> str:
    host = node.playback_host_name or node.host_name
    if not _HOST.fullmatch(host):
        raise BadRow("server_node", node.id, "its name is not host or host:port")
    return host


def spread(edges: Iterable[Edge], ids: Iterable[int], entry: str) -> tuple[Edge, ...]:
    """Those of *ids*, in an order of *entry*'s own.

    Not shuffled for each request: a manifest is kept by caches for all who ask, and an edge
    meets the same entries again.  When an edge goes, only what was its own moves (rendezvous).
    """
    wanted = set(ids)

    def rank(edge: Edge) -> bytes:
        return blake2b(f"{entry}/{edge.id}".encode(), digest_size=8).digest()

    return tuple(sorted((one for one in edges if one.id in wanted), key=rank)[:MOST])
