"""Filter sets are never older than what changed before they were asked for."""

import asyncio
from types import SimpleNamespace

from metadata.enums import ChangeKind
from metadata.filter_sets import FilterSetRecord
from metadata.journal import Change, Seen
from origin.filters.rules import parse_rules
from origin.filters.sets import FilterSets
from origin.watch import Watch

OLD, NEW = "video_height:240", "video_height:480"


def test_an_answer_that_was_on_its_way_is_not_for_who_asks_after_the_change() -> None:
    async def asked() -> None:
        changes = [(), (Change(ChangeKind.PARTNER, "101"),)]
        late, begun = asyncio.Event(), asyncio.Event()
        rules = [OLD, NEW]

        async def read(_: str | None) -> Seen:
            return Seen("1 1", changes.pop(0) if changes else ())

        async def ask(*_: object) -> dict[str, FilterSetRecord]:
            own = rules.pop(0)
            begun.set()
            if own == OLD:
                await late.wait()
            return {"phone": FilterSetRecord("phone", 101, own)}

        watch = Watch(read)
        sets = FilterSets(SimpleNamespace(watch=watch, ask=ask))  # type: ignore[arg-type]
        await watch.look()
        before = asyncio.ensure_future(sets.find("phone", 101))
        await begun.wait()
        await watch.look()  # tells of the change
        assert await sets.find("phone", 101) == parse_rules(NEW)
        late.set()
        assert await before == parse_rules(OLD)
        assert await sets.find("phone", 101) == parse_rules(NEW)
        await watch.close()

    asyncio.run(asked())
