"""Captions of the entries that are stored in bulk: new ones in, known ones changed, by id."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from metadata.models import CaptionAsset

Columns = dict[str, Any]

_TABLE = cast(Table, CaptionAsset.__table__)
_ASKED_AT_ONCE = 5_000
_DEFAULTS: Columns = {
    "version": 1,
    "status": 2,
    "label": None,
    "is_default": False,
    "channel": None,
    "purpose": 1,
}
_CHANGEABLE = [
    *("version", "status", "format", "language", "label", "is_default", "path", "updated_at"),
    *("channel", "purpose"),
]
_UPDATE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("_id"))
    .values({name: bindparam(f"_{name}") for name in _CHANGEABLE})
)


class CaptionBatch:
    """What is known of some captions, and what rows change of them."""

    def __init__(self, session: Session, ids: Iterable[str], now: int) -> None:
        self._session, self._now = session, now
        self._known = self._stored(sorted(set(ids)))
        self._new: dict[str, Columns] = {}
        self._changed: dict[str, Columns] = {}

    def _stored(self, ids: list[str]) -> dict[str, Mapping[str, Any]]:
        return {
            row["id"]: dict(row)
            for start in range(0, len(ids), _ASKED_AT_ONCE)
            for row in self._session.execute(
                select(_TABLE).where(_TABLE.c.id.in_(ids[start : start + _ASKED_AT_ONCE]))
            ).mappings()
        }

    def refusal(self, entry_id: str, caption: Columns) -> str | None:
        """Why *caption* cannot be one of the entry's."""
        before = self._new.get(caption["id"]) or self._known.get(caption["id"])
        if before is not None and before["entry_id"] != entry_id:
            return f"captions {caption['id']} belong to entry {before['entry_id']}"
        return None

    def take(self, entry_id: str, caption: Columns) -> None:
        """Note what changes; another file is another version."""
        caption_id = caption["id"]
        if caption_id in self._new:  # named twice in a batch: the later one holds
            self._new[caption_id].update(caption)
            return
        stored = self._known.get(caption_id)
        if stored is None:
            times = {"created_at": self._now, "updated_at": self._now}
            self._new[caption_id] = {**_DEFAULTS, **caption, **times, "entry_id": entry_id}
            return
        before = self._changed.get(caption_id, stored)
        if all(before[name] == value for name, value in caption.items()):
            return
        told = {**before, **caption, "updated_at": max(self._now, stored["updated_at"] + 1)}
        if told["path"] != stored["path"]:
            told["version"] = stored["version"] + 1
        self._changed[caption_id] = told

    def write(self) -> None:
        """Send what was noted: a statement for each kind of change."""
        if self._new:
            self._session.execute(insert(_TABLE), list(self._new.values()))
        if self._changed:
            rows = [
                {f"_{name}": row[name] for name in ("id", *_CHANGEABLE)}
                for row in self._changed.values()
            ]
            self._session.connection().execute(_UPDATE, rows)
