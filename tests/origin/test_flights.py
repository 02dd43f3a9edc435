"""Concurrent loads of one key are one load, and belong to nobody."""

import asyncio

import pytest

from origin.flights import Flights


def test_a_herd_is_one_load() -> None:
    async def scenario() -> None:
        flights: Flights[str, int] = Flights()
        loads: list[str] = []

        async def load() -> int:
            loads.append("a")
            await asyncio.sleep(0)
            return 7

        found = await asyncio.gather(*(flights.join("a", load) for _ in range(50)))
        assert (set(found), loads) == ({7}, ["a"])
        assert await flights.join("a", load) == 7  # the next one is a load of its own
        assert loads == ["a", "a"]

    asyncio.run(scenario())


def test_who_hangs_up_cancels_nobody_else() -> None:
    async def scenario() -> None:
        flights: Flights[str, int] = Flights()
        gate = asyncio.Event()

        async def load() -> int:
            await gate.wait()
            return 7

        first, second = (asyncio.create_task(flights.join("a", load)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.set()
        assert await second == 7

    asyncio.run(scenario())


def test_an_error_is_everybodys_and_kept_by_nobody() -> None:
    async def scenario() -> None:
        flights: Flights[str, int] = Flights()

        async def fail() -> int:
            await asyncio.sleep(0)
            raise KeyError("a")

        async def load() -> int:
            return 7

        results = await asyncio.gather(
            *(flights.join("a", fail) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [KeyError] * 3
        assert await flights.join("a", load) == 7

    asyncio.run(scenario())


def test_an_error_that_nobody_waits_for_is_no_complaint() -> None:
    complaints: list[object] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        flights: Flights[str, int] = Flights()
        gate = asyncio.Event()

        async def fail() -> int:
            await gate.wait()
            raise KeyError("a")

        task = asyncio.create_task(flights.join("a", fail))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert complaints == []
