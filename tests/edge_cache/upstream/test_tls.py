"""Upstreams behind TLS: the name is sent, certificate and name are checked."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.client import UpstreamClient
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import origin, plain
from tests.edge_cache.upstream.support import asking, client, whole

NO_STORE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"


class Server:
    def __init__(self, port: int) -> None:
        self.port = port
        self.names: list[str | None] = []
        self.connections = 0


@asynccontextmanager
async def serving(
    ca: trustme.CA, *names: str, answer: bytes = NO_STORE
) -> AsyncIterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    running = Server(0)

    def note(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        running.names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    context.sni_callback = note
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()


@asynccontextmanager
async def trusting(ca: trustme.CA, folder: Path, url: str) -> AsyncIterator[UpstreamClient]:
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    asked = client(url, upstream_ca=str(path))
    try:
        yield asked
    finally:
        asked.close()
        await until(lambda: not any(member.pool.open for member in asked.members))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_its_own_authority(tmp_path: Path, host: str) -> None:
    async def scenario() -> None:
        ca = trustme.CA()
        async with (
            serving(ca, host) as up,
            trusting(ca, tmp_path, f"https://{host}:{up.port}") as asked,
        ):
            for _ in range(4):
                assert await whole(await asked.send(asking())) == b"secret"
            assert up.connections < 4  # some have been used again
            assert set(up.names) == {None if host == "127.0.0.1" else host}

    run(scenario())


@pytest.mark.parametrize(("issuer", "name"), [("another", "localhost"), ("same", "else.where")])
def test_what_is_not_vouched_for_is_not_asked(tmp_path: Path, issuer: str, name: str) -> None:
    async def scenario() -> None:
        ca = trustme.CA()
        async with (
            serving(ca if issuer == "same" else trustme.CA(), name) as up,
            trusting(ca, tmp_path, f"https://localhost:{up.port}") as asked,
        ):
            with pytest.raises(UpstreamError) as told:
                await asked.send(asking())
            assert told.value.failure is Failure.TLS and not told.value.sent
            assert up.connections == 0

    run(scenario())


def test_plain_where_tls_was_expected(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            origin(plain()) as up,
            trusting(trustme.CA(), tmp_path, f"https://127.0.0.1:{up.port}") as asked,
        ):
            with pytest.raises(UpstreamError) as told:
                await asked.send(asking())
            assert not told.value.sent and up.seen == []

    run(scenario())
