"""What answers about a partner's entries depend on besides the entries: plain values."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery profile (§2.3)."""

    id: int
    partner_id: int | None
    """None: of all partners."""

    parent_id: int | None
    is_active: bool
    """One that is not may still be the parent of others."""

    type: int
    streamer_type: str
    url: str
    host_name: str | None
    media_protocols: str | None
    """Between commas; None is all."""

    is_default: bool
    priority: int
    tokenizer: dict[str, Any] | None
    recognizer: dict[str, Any] | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StorageRecord:
    """A remote storage; its id stands as ``dc`` in ``file_sync``."""

    id: int
    status: int
    protocol: int
    url: str
    base_dir: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """An edge that is not disabled."""

    id: int
    parent_id: int | None
    host_name: str
    playback_host_name: str | None
    heartbeat_at: int | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Each by id, in order; those of a partner that is not there are only everybody's."""

    partner_id: int
    settings: dict[str, Any]
    deliveries: tuple[DeliveryRecord, ...]
    storages: tuple[StorageRecord, ...]
    nodes: tuple[NodeRecord, ...]
