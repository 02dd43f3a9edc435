"""Large bodies: every byte, in order, whatever the client and the disk do."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
import uvloop

from edge_cache import direct_sending
from edge_cache.direct_sending import DirectSender, Piece
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from edge_cache.disk.stored import Stored
from edge_cache.file_part import FilePart

BODY = os.urandom(9 << 20)
LIMIT = 20.0


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    store = Store.open(tmp_path / "store", 64 << 20)
    writer = store.begin(b"key", len(BODY))
    writer.append(BODY)
    writer.commit(b"")
    found = store.find(b"key")
    assert found is not None
    return found


class Sending(asyncio.Protocol):
    """Sends one piece when a client comes; ends the connection when it is sent."""

    def __init__(self, piece: Piece, head: bytes) -> None:
        self.piece, self.head = piece, head
        self.ended: asyncio.Future[Exception | None] = (
            asyncio.get_running_loop().create_future()
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop has its own class
        self.sender = DirectSender(asyncio.get_running_loop(), self.transport)
        self.sender.start(self.head, self.piece, self.sent)

    def sent(self, error: Exception | None) -> None:
        self.ended.set_result(error)
        self.sender.close()
        self.transport.abort() if error else self.transport.close()


def exchange(
    piece: Piece, read: Callable[[socket.socket], bytes]
) -> tuple[bytes, Exception | None]:
    """What *read* makes of a connection, and how sending ended."""

    async def main() -> tuple[bytes, Exception | None]:
        loop = asyncio.get_running_loop()
        sending = Sending(piece, b"head ")
        server = await loop.create_server(lambda: sending, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        def client() -> bytes:
            with socket.create_connection(address, timeout=LIMIT) as connection:
                return read(connection)

        try:
            async with asyncio.timeout(LIMIT):
                got = await loop.run_in_executor(None, client)
                return got, await sending.ended
        finally:
            server.close()
            await asyncio.sleep(0)  # the transport's end is told in the next turn

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def everything(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def drop_by_drop(connection: socket.socket) -> bytes:
    """The socket is full again and again."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    return everything(connection)


@pytest.mark.parametrize("read", [everything, drop_by_drop])
@pytest.mark.parametrize(("start", "stop"), [(0, len(BODY)), (1, 2), (70_000, 6_000_001)])
@pytest.mark.parametrize("is_file", [True, False], ids=["file", "RAM"])
def test_the_bytes_of_a_part(
    stored: Stored,
    read: Callable[[socket.socket], bytes],
    start: int,
    stop: int,
    is_file: bool,
) -> None:
    piece = FilePart(stored, start, stop) if is_file else memoryview(BODY)[start:stop]
    got, error = exchange(piece, read)
    assert error is None
    assert len(got) == 5 + stop - start
    assert got.startswith(b"head ")
    assert memoryview(got)[5:] == memoryview(BODY)[start:stop]


def test_what_is_not_at_hand_is_read_on_a_thread(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is not the page cache: the look finds nothing, each time."""
    read: list[tuple[int, int]] = []
    real = direct_sending._read_ahead

    def note(part: FilePart, start: int, stop: int) -> None:
        read.append((start, stop))
        real(part, start, stop)

    monkeypatch.setattr(DirectSender, "_is_ready", lambda self, part, stop: False)
    monkeypatch.setattr(direct_sending, "_read_ahead", note)
    got, error = exchange(FilePart(stored, 5, len(BODY)), everything)
    assert (got, error) == (b"head " + BODY[5:], None)
    assert read[0] == (5, 5 + direct_sending.BURST)
    assert read[-1][1] == len(BODY)


def test_damage_found_on_the_way_cuts_the_answer(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stored, "is_verified", lambda self, start, stop: start < 3 << 20)

    def verify(self: Stored, start: int, stop: int) -> None:
        raise DiskError(Reason.DAMAGED)

    monkeypatch.setattr(Stored, "verify", verify)

    def read(connection: socket.socket) -> bytes:
        got = b""
        try:
            while piece := connection.recv(1 << 16):
                got += piece
        except ConnectionResetError:
            pass
        return got

    got, error = exchange(FilePart(stored, 0, len(BODY)), read)
    assert isinstance(error, DiskError)
    assert len(got) < len(BODY)
    assert (b"head " + BODY).startswith(got)


def test_a_client_that_leaves(stored: Stored) -> None:
    def leave(connection: socket.socket) -> bytes:
        return connection.recv(10)

    _, error = exchange(FilePart(stored, 0, len(BODY)), leave)
    assert isinstance(error, OSError)


def test_too_many_open_files_cut_the_answer(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dup(_number: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "dup", dup)

    def read(connection: socket.socket) -> bytes:
        with suppress(ConnectionResetError):
            return connection.recv(1 << 16)
        return b""

    got, error = exchange(FilePart(stored, 0, len(BODY)), read)
    assert got == b""
    assert isinstance(error, OSError)
