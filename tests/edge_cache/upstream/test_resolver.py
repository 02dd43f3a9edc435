"""Names: looked up once for all who wait, kept, and kept on when nobody answers."""

import asyncio

import pytest

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.address import Address
from edge_cache.upstream.exchange import exchange
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.resolver import MAX_ADDRESSES, Resolver
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import origin, plain
from tests.edge_cache.upstream.support import asking, whole

HOST = Address.parse("http://name.example")


class Names:
    """A name server that says what it is told; None for a failure."""

    def __init__(self, *answers: list[str] | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.go = asyncio.Event()
        self.go.set()

    async def look_up(self, host: str, port: int) -> list[str]:
        self.asked += 1
        await self.go.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise OSError("no such name")
        return answer


def test_one_question_for_all_who_wait() -> None:
    async def scenario() -> None:
        names = Names(["192.0.2.1", "192.0.2.2", "192.0.2.1"])
        resolver = Resolver(HOST, interval=60, lookup=names.look_up)
        names.go.clear()
        waiting = [asyncio.create_task(resolver.addresses()) for _ in range(20)]
        await until(lambda: names.asked)
        waiting[0].cancel()  # takes the answer from nobody else
        names.go.set()
        for task in waiting[1:]:
            assert await task == ("192.0.2.1", "192.0.2.2")
        assert await resolver.addresses() == ("192.0.2.1", "192.0.2.2")
        assert names.asked == 1

    run(scenario())


def test_past_the_interval_it_is_asked_again_and_nobody_waits() -> None:
    async def scenario() -> None:
        names = Names(["192.0.2.1"], ["192.0.2.2"])
        resolver = Resolver(HOST, interval=0.05, lookup=names.look_up)
        assert await resolver.addresses() == ("192.0.2.1",)
        names.go.clear()
        await asyncio.sleep(0.1)  # the interval
        assert await resolver.addresses() == ("192.0.2.1",)
        names.go.set()
        await until(lambda: resolver.has("192.0.2.2"))
        assert not resolver.has("192.0.2.1")

    run(scenario())


def test_old_addresses_are_better_than_none() -> None:
    async def scenario() -> None:
        names = Names(["192.0.2.1"], None)
        resolver = Resolver(HOST, interval=0.02, lookup=names.look_up)
        await resolver.addresses()

        async def asked_again() -> None:
            while names.asked < 4:
                assert await resolver.addresses() == ("192.0.2.1",)
                await asyncio.sleep(0.01)

        await asked_again()

    run(scenario())


@pytest.mark.parametrize("answer", [None, []])
def test_a_name_that_is_not_found(answer: list[str] | None) -> None:
    async def scenario() -> None:
        names = Names(answer, ["127.0.0.1"])
        resolver = Resolver(HOST, interval=60, lookup=names.look_up)
        with pytest.raises(OSError):
            await resolver.addresses()
        assert await resolver.addresses() == ("127.0.0.1",)  # it is there by now

    run(scenario())


def test_many_addresses_are_bounded() -> None:
    async def scenario() -> None:
        names = Names([f"192.0.2.{number}" for number in range(200)])
        resolver = Resolver(HOST, interval=60, lookup=names.look_up)
        assert len(await resolver.addresses()) == MAX_ADDRESSES

    run(scenario())


def test_literals_are_not_looked_up() -> None:
    async def scenario() -> None:
        names = Names(None)
        for text in ("http://127.0.0.1", "http://[::1]", "unix:///run/a"):
            address = Address.parse(text)
            resolver = Resolver(address, interval=0.001, lookup=names.look_up)
            assert await resolver.addresses() == (address.host,)
        assert names.asked == 0

    run(scenario())


async def get(pool: Pool) -> bytes:
    deadline = asyncio.get_running_loop().time() + 5
    return await whole(await exchange(pool, asking(), first_byte_timeout=5, deadline=deadline))


def test_the_next_address_after_one_that_refuses_and_the_good_one_first_from_then_on() -> None:
    async def scenario() -> None:
        async with origin(plain(b"good", "Connection: close")) as up:
            names = Names(["127.0.0.2", "127.0.0.3", "127.0.0.1"])
            pool = pool_of(up.port, names)
            for _ in range(2):
                assert await get(pool) == b"good"
            names.answers = [["127.0.0.2"]]
            pool.close()

    run(scenario())


def pool_of(port: int, names: Names, **more: float) -> Pool:
    url = f"http://name.example:{port}"
    limits = {"connect_timeout": 2.0, "idle_timeout": 60.0, **more}
    return Pool(url, lookup=names.look_up, **limits)  # type: ignore[arg-type]


def test_no_address_that_takes_connections() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up:
            pool = pool_of(up.port, Names(["127.0.0.2", "127.0.0.3"]))
            with pytest.raises(UpstreamError) as told:
                await get(pool)
            assert told.value.failure is Failure.CONNECT and not told.value.sent
            pool.close()

    run(scenario())


def test_a_name_server_that_hangs_is_a_connect_timeout() -> None:
    async def scenario() -> None:
        names = Names(["127.0.0.1"])
        names.go.clear()
        pool = pool_of(80, names, connect_timeout=0.1)
        with pytest.raises(UpstreamError) as told:
            await get(pool)
        assert told.value.failure is Failure.CONNECT_TIMEOUT and not told.value.sent
        pool.close()

    run(scenario())


def test_a_connection_to_an_address_that_is_gone_is_not_kept() -> None:
    async def scenario() -> None:
        async with origin(plain(b"good")) as up:
            names = Names(["127.0.0.1"], ["127.0.0.2"])
            pool = pool_of(up.port, names, dns_interval=0.05)
            assert await get(pool) == b"good"
            assert pool.open == 1
            await asyncio.sleep(0.1)  # the interval
            assert await get(pool) == b"good"  # on the old one, which makes it look again
            await until(lambda: names.asked == 2)
            assert await get(pool) == b"good"
            await until(lambda: pool.open == 0)
            assert up.connections == 1
            pool.close()

    run(scenario())
