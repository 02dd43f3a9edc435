"""What answers about a partner's entries depend on besides the entries: one question.

Delivery profiles, storages and edges of the partner and those of all, and its settings.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    Text,
    bindparam,
    cast,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from metadata.column_types import Number, Tree
from metadata.enums import DeliveryStatus, NodeStatus
from metadata.errors import BadRow
from metadata.partner_records import (
    DeliveryRecord,
    NodeRecord,
    StorageRecord,
    Surroundings,
)
from metadata.sessions import Reader
from metadata.tables import DeliveryProfile, Partner, ServerNode, StorageProfile

MOST_ROWS = 5_000
"""Of one partner and of all together; more are not what anyone configures."""


_NAMES = (
    "kind", "id", "parent_id", "partner_id", "status", "type", "flag", "number",
    "text_1", "text_2", "text_3", "text_4", "tree_1", "tree_2", "settings",
)  # fmt: skip
_TYPES: dict[str, Any] = {"text": Text(), "tree": Tree}
_PARTNER, _DELIVERY, _STORAGE, _NODE = range(4)


def _rows(kind: int, **columns: Any) -> Select[Any]:
    """*columns* under names that all four kinds of rows share; of others NULL."""
    found: list[Label[Any]] = []
    for name in _NAMES[1:]:
        form = _TYPES.get(name.partition("_")[0], Number)
        # what is there is not cast: SQLite would make a number of JSON
        found.append(columns.get(name, cast(null(), form)).label(name))
    return select(literal_column(str(kind), Integer).label("kind"), *found)


def _own(column: Any) -> ColumnElement[bool]:
    return or_(column.is_(None), column == bindparam("partner_id", type_=Number))


_PARENTS = select(DeliveryProfile.parent_id).where(DeliveryProfile.parent_id.is_not(None))
_LOAD = union_all(
    _rows(_PARTNER, id=Partner.id, settings=Partner.settings).where(
        Partner.id == bindparam("partner_id", type_=Number)
    ),
    _rows(
        _DELIVERY,
        id=DeliveryProfile.id,
        partner_id=DeliveryProfile.partner_id,
        parent_id=DeliveryProfile.parent_id,
        status=DeliveryProfile.status,
        type=DeliveryProfile.type,
        flag=cast(DeliveryProfile.is_default, Integer),
        number=DeliveryProfile.priority,
        text_1=DeliveryProfile.streamer_type,
        text_2=DeliveryProfile.url,
        text_3=DeliveryProfile.host_name,
        text_4=DeliveryProfile.media_protocols,
        tree_1=DeliveryProfile.tokenizer,
        tree_2=DeliveryProfile.recognizer,
        settings=DeliveryProfile.settings,
    ).where(
        _own(DeliveryProfile.partner_id),
        or_(
            DeliveryProfile.status == literal_column(str(int(DeliveryStatus.ACTIVE))),
            DeliveryProfile.id.in_(_PARENTS),
        ),
    ),
    _rows(
        _STORAGE,
        id=StorageProfile.id,
        status=StorageProfile.status,
        type=StorageProfile.protocol,
        text_1=StorageProfile.url,
        text_2=StorageProfile.base_dir,
        settings=StorageProfile.settings,
    ).where(_own(StorageProfile.partner_id)),
    _rows(
        _NODE,
        id=ServerNode.id,
        parent_id=ServerNode.parent_id,
        number=ServerNode.heartbeat_at,
        text_1=ServerNode.host_name,
        text_2=ServerNode.playback_host_name,
        settings=ServerNode.settings,
    ).where(
        _own(ServerNode.partner_id),
        ServerNode.status == literal_column(str(int(NodeStatus.ACTIVE))),
    ),
).order_by("kind", "id").limit(MOST_ROWS)  # fmt: skip


def load_surroundings(reader: Reader, partner_id: int) -> Surroundings:
    """Raises ``BadRow``."""
    rows: Iterable[Any] = reader.execute(_LOAD, {"partner_id": partner_id}).all()
    settings: dict[str, Any] = {}
    deliveries: list[DeliveryRecord] = []
    storages: list[StorageRecord] = []
    nodes: list[NodeRecord] = []
    for row in rows:
        _check(row)
        match row.kind:
            case 0:
                settings = row.settings
            case 1:
                deliveries.append(_delivery(row))
            case 2:
                storages.append(
                    StorageRecord(
                        row.id, row.status, row.type, row.text_1, row.text_2, row.settings
                    )
                )
            case _:
                nodes.append(
                    NodeRecord(row.id, row.parent_id, row.text_1, row.text_2, row.number)
                )
    return Surroundings(partner_id, settings, tuple(deliveries), tuple(storages), tuple(nodes))


def _delivery(row: Any) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        partner_id=row.partner_id,
        parent_id=row.parent_id,
        is_active=row.status == DeliveryStatus.ACTIVE,
        type=row.type,
        streamer_type=row.text_1,
        url=row.text_2,
        host_name=row.text_3,
        media_protocols=row.text_4,
        is_default=bool(row.flag),
        priority=row.number,
        tokenizer=row.tree_1,
        recognizer=row.tree_2,
        settings=row.settings,
    )


_TABLES = ("partner", "delivery_profile", "storage_profile", "server_node")
_NEEDED = (
    ("settings",),
    ("status", "type", "number", "text_1", "text_2", "settings"),
    ("status", "type", "text_1", "text_2", "settings"),
    ("text_1",),
)


def _check(row: Any) -> None:
    """SQLite keeps any type in any column, and files get edited by hand."""
    for name in _NAMES[1:]:
        value = getattr(row, name)
        kind = {"text": str, "tree": dict, "settings": dict}.get(name.partition("_")[0], int)
        wrong = name in _NEEDED[row.kind] if value is None else not isinstance(value, kind)
        if wrong:
            raise BadRow(_TABLES[row.kind], row.id, f"a column is {type(value).__name__}")
