"""Objects of a server that speaks S3: what is read, in how many requests, and never mixed."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from origin.config import OriginConfig
from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.remote import RemoteSource
from origin.storage.sources import Access, Sources
from origin.windows import Read
from tests.support.s3 import BUCKET, ObjectServer, object_server

SIZE = 3_000_000
CONTENT = os.urandom(SIZE)
ACCESS = Access(object_stores=(f"s3://{BUCKET}",))


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with object_server() as one:
        yield one


@pytest.fixture
def objects(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.put("a.bin", CONTENT)
    server.requests()
    return server


async def read(source: Any, *reads: Read) -> bytes:
    buffer = memoryview(bytearray(max(stop for _, _, stop in reads)))
    await source.read(reads, buffer)
    return bytes(buffer)


async def opened(key: str = "a.bin") -> RemoteSource:
    source = await Sources(10, ACCESS).open(f"s3://{BUCKET}/{key}")
    assert isinstance(source, RemoteSource)
    return source


def test_neighbours_are_one_request(objects: ObjectServer) -> None:
    async def scenario() -> None:
        source = await opened()
        assert source.size == SIZE and source.sendable(0, 10) is None
        assert objects.requests() == [("HEAD", f"/{BUCKET}/a.bin")]
        # the second lies before the first, the third within the gap, the last far away
        data = await read(
            source, (50_000, 0, 70_000), (10, 70_000, 70_100), (200_000, 70_100, 80_000),
            (2_900_000, 80_000, 180_000),
        )  # fmt: skip
        assert data == (
            CONTENT[50_000:120_000] + CONTENT[10:110] + CONTENT[200_000:209_900]
            + CONTENT[2_900_000:]
        )  # fmt: skip
        assert objects.requests() == [("GET", f"/{BUCKET}/a.bin")] * 2

    asyncio.run(scenario())


def test_an_object_that_changes_is_never_mixed(objects: ObjectServer) -> None:
    async def scenario() -> None:
        sources = Sources(10, ACCESS)
        address = f"s3://{BUCKET}/a.bin"
        source = await sources.open(address)
        assert await sources.open(address) is source is sources.at_hand(address)
        objects.put("a.bin", CONTENT[::-1])
        with pytest.raises(SourceChanged):
            await read(source, (0, 0, 100))
        with pytest.raises(SourceChanged):
            source.check()
        assert sources.at_hand(address) is None
        other = await sources.open(address)
        assert other.stamp != source.stamp and other.validator != source.validator
        assert await read(other, (0, 0, 100)) == CONTENT[::-1][:100]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "error"),
    [
        (f"s3://{BUCKET}/none.bin", NotFound),
        (f"s3://{BUCKET}/", NotFound),
        (f"s3://{BUCKET}/x/../a.bin", NotFound),
        ("s3://other/a.bin", SourceUnavailable),
        (f"s3://{BUCKET}-two/a.bin", SourceUnavailable),
        (f"gs://{BUCKET}/a.bin", SourceUnavailable),
        ("ftp://host/a.bin", SourceUnavailable),
        ("a.bin", SourceUnavailable),
    ],
)
def test_what_is_refused(objects: ObjectServer, address: str, error: type[Exception]) -> None:
    with pytest.raises(error) as found:
        asyncio.run(Sources(10, ACCESS).open(address))
    assert "127.0.0.1" not in str(found.value) and "bin" not in str(found.value)


def test_a_prefix_is_all_that_is_allowed(objects: ObjectServer) -> None:
    objects.put("in/a.bin", CONTENT)

    async def scenario() -> None:
        sources = Sources(10, Access(object_stores=(f"s3://{BUCKET}/in",)))
        assert (await sources.open(f"s3://{BUCKET}/in/a.bin")).size == SIZE
        for key in ("a.bin", "in.bin", "inner/a.bin"):
            with pytest.raises(SourceUnavailable):
                await sources.open(f"s3://{BUCKET}/{key}")

    asyncio.run(scenario())


def test_a_store_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-told-to-anyone")
    with pytest.raises(SourceUnavailable) as found:
        asyncio.run(opened())
    assert found.value.__cause__ is None and "not-told" not in str(found.value)


@pytest.mark.parametrize(
    "store", ["media", "http://media", "s3://", "s3://key@media", "s3:///x"]
)
def test_a_store_that_is_none_is_told(store: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="object_store"):
        OriginConfig(data=tmp_path, object_stores=(store,))
