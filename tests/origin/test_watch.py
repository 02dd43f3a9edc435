"""What changes in the catalog is followed for as long as a process lives."""

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from metadata.enums import ChangeKind
from metadata.journal import Change, Seen
from origin import watch
from origin.contents import Contents, Row
from origin.watch import Watch

CHANGE = Change(ChangeKind.ENTRY, "0_abcd1234")


def test_a_look_that_fails_in_a_way_that_nobody_foresaw_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A permission that is taken away for a moment is no error of the network."""
    monkeypatch.setattr(watch, "INTERVAL", 0.001)
    answers: list[Seen | Exception] = [
        Seen("1 1", ()),
        RuntimeError("permission denied for table change"),
        Seen("2 2", (CHANGE,)),
    ]

    async def read(position: str | None) -> Seen:
        answer = answers.pop(0) if answers else Seen("2 2", ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def followed() -> None:
        follower, told = Watch(read), asyncio.Event()
        follower.tell(lambda changes: told.set() if CHANGE in changes else None)
        await follower.started()
        async with asyncio.timeout(10):
            await told.wait()
        assert follower.problem is None
        await follower.close()

    asyncio.run(followed())


def rows(of: Sequence[int]) -> Contents:
    """Entries, each of another partner."""
    database = SimpleNamespace(watch=Watch(None))  # type: ignore[arg-type]
    contents = Contents(database, lambda: 0)  # type: ignore[arg-type]
    for number in of:
        stored = SimpleNamespace(partner_id=number, access_control_id=7, versions=(1,))
        contents._rows[f"0_{number}"] = Row(stored, None, None, 0, 0, 1)  # type: ignore[arg-type]
    return contents


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (Change(ChangeKind.ENTRY, "0_1"), [2, 3]),
        (Change(ChangeKind.PARTNER, "2"), [1, 3]),
        (Change(ChangeKind.ACCESS_CONTROL, "7"), []),
        (Change(ChangeKind.ACCESS_CONTROL, "8"), [1, 2, 3]),
        (Change(ChangeKind.NEW, ""), [1, 2, 3]),
        (Change(ChangeKind.ALL, ""), []),
    ],
)
def test_what_is_forgotten(change: Change, left: list[int]) -> None:
    contents = rows([1, 2, 3])
    contents._changed((change,))
    assert sorted(contents._rows) == [f"0_{number}" for number in left]


def test_many_changes_are_one_look_at_what_is_known() -> None:
    """The loop answers nobody meanwhile: a look for each of these took twenty seconds."""
    contents = rows(range(30_000))
    changes = [Change(ChangeKind.PARTNER, str(number)) for number in range(1_000)]
    began = time.process_time()
    contents._changed(tuple(changes))
    assert time.process_time() - began < 1
    assert len(contents._rows) == 29_000
