"""What a cold lookup in a large catalog costs: ``headrace bench catalog``.

A lookup is what a manifest asks of the content tier: the entry with its flavors, then the
headers and blocks of their indexes.  CPU is that of this process, driver and thread included;
that of a PostgreSQL server is not.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

FRAMES = (
    (426, 240, 400_000), (640, 360, 800_000), (960, 540, 1_500_000),
    (1280, 720, 2_800_000), (1920, 1080, 5_000_000),
)  # fmt: skip
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_IDS = len(_DIGITS) ** 8
_WARM = 100
"""Lookups that do not count: connections and statements are made by the first ones."""


def ids(count: int) -> Iterator[str]:
    """The second halves of *count* ids, in no order; always the same ones."""
    for number in random.Random(count).sample(range(_IDS), count):
        text = ""
        for _ in range(8):
            number, digit = divmod(number, len(_DIGITS))
            text += _DIGITS[digit]
        yield text


def lines(count: int) -> Iterator[str]:
    """*count* entries of five flavors each, as ``headrace import`` reads them."""
    for own in ids(count):
        flavors = [
            {
                "id": f"{place}_{own}", "path": f"/srv/media/{own[:2]}/{own}-{height}.mp4",
                "size": rate * 75, "width": width, "height": height,
                "codecs": "avc1.64001f,mp4a.40.2", "duration_ms": 600_000, "bitrate": rate,
                "tags": "mbr,web,ipadnew,dash", "frame_rate": 25,
            }
            for place, (width, height, rate) in enumerate(FRAMES)
        ]  # fmt: skip
        yield json.dumps({"id": f"0_{own}", "name": f"Film {own}", "flavors": flavors})


def measure(where: str, entries: int, lookups: int) -> dict[str, Any]:
    """*lookups* of different entries in the catalog at *where*, made of ``lines(entries)``."""
    return asyncio.run(_measure(where, entries, lookups))


async def _measure(where: str, entries: int, lookups: int) -> dict[str, Any]:
    from sqlalchemy import event

    from metadata.asking import open_asker
    from metadata.content import find_content
    from metadata.indexes import load_indexes

    chosen = random.Random(1).sample(list(ids(entries)), lookups + _WARM)
    asker = open_asker(where)
    statements, costs, walls = 0, [], []

    def seen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal statements
        statements += not statement.startswith("BEGIN")

    event.listen(asker.engine, "before_cursor_execute", seen)
    try:
        for number, own in enumerate(chosen):
            if number == _WARM:
                statements = 0
            began, cpu = time.perf_counter(), time.process_time()
            found = await asker.ask(find_content, f"0_{own}", replaced_after=0)
            if found is None or len(found.flavors) != len(FRAMES):
                raise LookupError(f"0_{own} is not there with its flavors")
            await asker.ask(load_indexes, [one.int_id for one in found.flavors])
            if number >= _WARM:
                costs.append((time.process_time() - cpu) * 1000)
                walls.append((time.perf_counter() - began) * 1000)
    finally:
        await asker.close()
    return {
        "entries": entries,
        "lookups": lookups,
        "statements": statements / lookups,
        "cpu_ms": _spread(costs),
        "wall_ms": _spread(walls),
    }


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(median(ordered), 3),
        "p99": round(ordered[len(ordered) * 99 // 100], 3),
    }
