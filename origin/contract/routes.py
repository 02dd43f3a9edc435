"""Where the addresses of an answer begin: at which CDNs and edges, in which order.  Pure."""

from dataclasses import dataclass

from origin.contract.access import Access
from origin.contract.edges import Edge, spread
from origin.contract.formats import Output
from origin.contract.play_manifest import PlayManifest
from origin.contract.profiles import (
    FOLDERS,
    TYPES,
    Profile,
    Renders,
    Wanted,
    candidates,
    fill,
    streamer_type,
)
from origin.contract.refusals import Number, Refused
from origin.contract.terms import Terms

DC = "0"
"""``{DC}``: of this data centre."""


@dataclass(frozen=True, slots=True)
class Route:
    bases: tuple[str, ...]
    """``https://cdn.example/hls``, or ``/hls`` at the host of the request; the first is the one
    to use, players may fail over to the others."""

    redirects: bool = False
    """Not written here, whatever the format usually is."""

    legacy: bool = False
    """BANDWIDTH as it used to be computed."""

    pattern: str = ""
    """What becomes of an address behind the base: ``{url}`` in it stands for its path."""

    nodes: tuple[int, ...] = ()
    """Ids of the edges in it."""


def route(terms: Terms, asked: PlayManifest, access: Access) -> Route:
    """Raises ``Refused`` where nothing may deliver what is asked."""
    fills = {"DC": DC, **dict(asked.delivery.fills)}
    wanted = Wanted(
        partner=asked.partner,
        entry=asked.entry,
        streamer_type=streamer_type(asked.format.name),
        output=asked.output,
        scheme=asked.scheme,
        ids=asked.delivery.profiles,
        host=asked.delivery.host,
        secured=access.secured,
        fills=fills,
    )
    found = candidates(terms.profiles, terms.order, wanted)
    if not found:
        return _without_profile(asked.output)
    first = found[0]
    alike = [one for one in found if (one.type, one.pattern) == (first.type, first.pattern)]
    cdns = [_place(one, fills, asked.output) for one in alike]
    ids = access.edge_ids if first.edge_ids is None else first.edge_ids
    seamless = access.seamless if first.seamless is None else first.seamless
    edges = spread(terms.edges, ids, asked.entry) if first.host else ()
    through = [f"{edge.way}/{cdns[0]}" for edge in edges]
    if edges and not seamless:
        places = through
    else:
        places = [*through, *(cdns if terms.several_cdns else cdns[:1])]
    return Route(
        bases=tuple(dict.fromkeys(_absolute(asked.scheme, place) for place in places)),
        redirects=TYPES[first.type][1] is Renders.REDIRECT,
        legacy=first.legacy_bandwidth,
        pattern=first.pattern,
        nodes=_ids(edges),
    )


def _without_profile(output: Output) -> Route:
    if output in (Output.SMOOTH, Output.HDS):
        detail = f"{output} needs a delivery profile: it is packaged elsewhere"
        raise Refused(Number.DELIVERY_METHOD_NOT_ALLOWED, detail)
    return Route((FOLDERS[output],))


def _place(one: Profile, fills: dict[str, str], output: Output) -> str:
    """Host and folder; a folder alone where the profile names no host."""
    folder = one.folder if one.folder or one.pattern else FOLDERS[output]
    return fill(one.host + folder, fills)


def _absolute(scheme: str, place: str) -> str:
    return place if place.startswith("/") or not place else f"{scheme}://{place}"


def _ids(edges: tuple[Edge, ...]) -> tuple[int, ...]:
    return tuple(edge.id for edge in edges)
