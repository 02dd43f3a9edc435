"""A partner's terms of delivery: what its rows say, checked and ready to be used.  Pure."""

from dataclasses import dataclass, field

from metadata.enums import StorageProtocol, StorageStatus
from metadata.errors import BadRow
from metadata.partner_records import Surroundings
from origin.contract import settings
from origin.contract.edges import Edge, edges_of
from origin.contract.profiles import Order, Profile, profiles_of, streamer_type
from origin.contract.selection import Priority, Storages


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

    storages: Storages = field(default_factory=Storages)
    remote: frozenset[int] = frozenset()
    """Ids of the remote storages that may be used."""

    origins: frozenset[str] = frozenset()
    """Of pages that may ask; empty: all."""


def terms_of(rows: Surroundings, active: frozenset[int]) -> Terms:
    """Of rows, and the ids of the edges that are *active*.  Raises ``BadRow``."""
    said = rows.settings
    try:
        priority = settings.number(said, "storageServePriority")
        if priority is not None and priority not in set(Priority):
            raise settings.BadSetting("storageServePriority", "one of 1 to 4")
        remote = {one.id: one for one in rows.storages if one.protocol != _OWN}
        disabled = {id_ for id_, one in remote.items() if one.status == StorageStatus.DISABLED}
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
            storages=Storages(
                Priority.OWN_FIRST if priority is None else Priority(priority),
                frozenset(disabled),
            ),
            remote=frozenset(set(remote) - disabled),
            origins=settings.origins(said, "allowedOrigins"),
        )
    except settings.BadSetting as error:
        raise BadRow("partner", rows.partner_id, str(error)) from None


_OWN = StorageProtocol.DATA_CENTRE
