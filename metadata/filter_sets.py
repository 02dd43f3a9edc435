"""Filters that have a name: of one partner, or of all.

What the rules mean is not known here; whoever stores one has parsed it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, bindparam, delete, insert, or_, select, update

from metadata.errors import BadRow, Conflict
from metadata.sessions import Reader
from metadata.tables import FilterSet, Partner

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST = 1_000
"""Sets of a partner, those of all included."""

_TABLE = FilterSet.__clause_element__()
_LIST = (
    select(FilterSet.name, FilterSet.partner_id, FilterSet.rules)
    .where(or_(FilterSet.partner_id.is_(None), FilterSet.partner_id == bindparam("partner_id")))
    .order_by(FilterSet.name, FilterSet.partner_id)
    .limit(MOST)
)


@dataclass(frozen=True, slots=True)
class FilterSetRecord:
    name: str
    partner_id: int | None
    """None: of all partners."""

    rules: str

    def __post_init__(self) -> None:
        if not all(isinstance(one, str) and one for one in (self.name, self.rules)):
            raise BadRow("filter_set", self.name, "name and rules are no text")


def find_filter_sets(reader: Reader, partner_id: int | None) -> dict[str, FilterSetRecord]:
    """By name, those that hold for a partner: its own before those of all."""
    rows = reader.execute(_LIST, {"partner_id": partner_id}).all()
    found = [FilterSetRecord(*row) for row in rows]
    return {one.name: one for one in sorted(found, key=lambda one: one.partner_id is not None)}


def list_filter_sets(session: "Session") -> list[FilterSetRecord]:
    """All there are, by name, those of all partners first."""
    rows = session.execute(select(FilterSet.name, FilterSet.partner_id, FilterSet.rules))
    found = [FilterSetRecord(*row) for row in rows]
    return sorted(found, key=lambda one: (one.name, one.partner_id or -1))


def put_filter_set(session: "Session", record: FilterSetRecord, *, now: int) -> bool:
    """Store *record* in place of the one of its name; False where it is stored already."""
    partner_id, place = record.partner_id, _is(record.name, record.partner_id)
    if partner_id is not None:
        partner = session.execute(select(Partner.id).where(Partner.id == partner_id))
        if partner.first() is None:
            raise Conflict(f"there is no partner {partner_id}")
    known = session.execute(select(FilterSet.rules).where(*place)).scalar_one_or_none()
    if known == record.rules:
        return False
    stated = {"rules": record.rules, "updated_at": now}
    if known is not None:
        session.execute(update(_TABLE).where(*place).values(stated))
        return True
    others = len(find_filter_sets(session, partner_id))
    if others >= MOST:
        raise Conflict(f"there are {others} filter sets, no more are read")
    stored = {"name": record.name, "partner_id": partner_id, **stated}
    session.execute(insert(_TABLE).values(stored))
    return True


def delete_filter_set(session: "Session", name: str, partner_id: int | None) -> bool:
    """Whether there was one."""
    done = session.execute(delete(_TABLE).where(*_is(name, partner_id)).returning(FilterSet.id))
    return done.first() is not None


def _is(name: str, partner_id: int | None) -> tuple[ColumnElement[bool], ...]:
    of = FilterSet.partner_id
    return FilterSet.name == name, of.is_(None) if partner_id is None else of == partner_id
