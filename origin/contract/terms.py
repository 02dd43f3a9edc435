"""A partner's terms of delivery: what its rows say, checked and ready to be used.  Pure."""

from dataclasses import dataclass, field

from metadata.errors import BadRow
from metadata.partner_records import Surroundings
from origin.contract import settings
from origin.contract.edges import Edge, edges_of
from origin.contract.places import Storing, storages_of
from origin.contract.profiles import Order, Profile, profiles_of, streamer_type
from origin.contract.selection import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    profiles: tuple[Profile, ...] = ()
    order: Order = field(default_factory=Order)
    several_cdns: bool = False
    """The variants of other CDNs follow, for players to fail over to."""

    edges: tuple[Edge, ...] = ()
    """Those that are there."""

    edge_ids: tuple[int, ...] = ()
    """Of those that this partner's viewers are to be sent to."""

    seamless: bool = False
    """The CDN's variants follow those of the edges."""

    origins: frozenset[str] = frozenset()
    """Of pages that may ask; empty: all."""

    storing: Storing = field(default_factory=Storing)


def terms_of(rows: Surroundings, active: frozenset[int]) -> Terms:
    """Of rows, and the ids of the edges that are *active*.  Raises ``BadRow``."""
    said = rows.settings
    try:
        ids = settings.ids_by_name(said, "delivery_profile_ids")
        return Terms(
            profiles=profiles_of(rows.deliveries),
            order=Order(
                ids={streamer_type(name): own for name, own in ids.items()},
                weights=settings.weights(said, "cdn_ratios"),
            ),
            several_cdns=bool(settings.flag(said, "cdnFallback")),
            edges=edges_of(rows.nodes, active),
            edge_ids=settings.ids(said, "edgeServerIds") or (),
            seamless=bool(settings.flag(said, "seamlessFallback")),
            origins=settings.origins(said, "allowedOrigins"),
            storing=Storing(
                priority=_priority(settings.number(said, "storageServePriority")),
                known=storages_of(rows.storages),
            ),
        )
    except settings.BadSetting as error:
        raise BadRow("partner", rows.partner_id, str(error)) from None


def _priority(number: int | None) -> Priority:
    try:
        return Priority.OWN_FIRST if number is None else Priority(number)
    except ValueError:
        raise settings.BadSetting("storageServePriority", "1 to 4") from None
