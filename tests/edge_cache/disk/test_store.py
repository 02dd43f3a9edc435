"""What is stored is found as it was; what is not committed is never found."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random
from timeit import timeit

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.record import BLOCK, GRAIN, MAX_KEY, MAX_META
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import body_of, disk, get, put

CAPACITY = 64 << 20
MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "store", CAPACITY)
    yield store
    store.close()


SIZES = [0, 1, GRAIN - 1, GRAIN, BLOCK - 1, BLOCK, BLOCK + 1, 262_144, 262_145, 3 * MIB + 5]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("known", [True, False])
def test_a_body_comes_back(store: Store, size: int, known: bool) -> None:
    body = Random(size).randbytes(size)
    put(store, b"/a", body, known=known)
    assert get(store, b"/a") == body
    assert get(store, b"/b") is None


@pytest.mark.parametrize("length", [1, 478, 479, 480, 494, 495, 496, 511, 512, 8192, MAX_KEY])
def test_keys_of_any_length(store: Store, length: int) -> None:
    keys = [b"k" * (length - 1) + last for last in (b"a", b"b")]
    for key in keys:
        put(store, key, key)
    assert [get(store, key) for key in keys] == keys
    assert sorted(store.scan()) == keys
    assert sorted(store.scan(keys[0])) == keys[:1]
    assert store.remove(keys[0])
    assert [get(store, key) for key in keys] == [None, keys[1]]


@pytest.mark.parametrize("key", [b"", b"k" * (MAX_KEY + 1)], ids=["empty", "long"])
def test_keys_that_are_refused(store: Store, key: bytes) -> None:
    with pytest.raises(ValueError, match="a key of"):
        store.begin(key, 1)
    assert store.find(key) is None
    assert not store.remove(key)


def test_what_is_in_the_page_cache_is_remembered_for_a_moment(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, b"/a", bytes(MIB))
    stored, now = store.find(b"/a"), [100.0]
    assert stored is not None
    monkeypatch.setattr("edge_cache.disk.stored.time.monotonic", lambda: now[0])
    looks: list[int] = []

    def preadv(_fd: int, _buffers: object, offset: int, _flags: int) -> int:
        looks.append(offset - stored.offset)
        return int(offset < stored.offset + MIB // 2)  # the rest is not there

    monkeypatch.setattr(os, "preadv", preadv)
    for start, stop, is_there, looked in (
        (0, MIB // 2, True, [0, MIB // 4, MIB // 2 - 1]),
        (5, MIB // 4, True, []),
        (0, MIB, False, [0, MIB // 4, MIB // 2]),
        (MIB // 2, MIB, False, [MIB // 2]),
    ):
        looks.clear()
        assert stored.is_cached(start, stop) is is_there
        assert looks == looked
    looks.clear()
    now[0] += 1
    assert stored.is_cached(7, 8)
    assert looks == [7, 7]


def test_a_handle_is_what_sendfile_wants(store: Store) -> None:
    put(store, b"/other", b"-" * 5000)
    put(store, b"/a", b"0123456789" * 1000)
    stored = store.find(b"/a")
    assert stored is not None
    left, right = socket.socketpair()
    with left, right:
        assert os.sendfile(left.fileno(), stored.fd, stored.offset + 15, 10) == 10
        assert right.recv(100) == b"5678901234"
    stored.release()
    with pytest.raises(ValueError, match="released"):
        stored.read(0, 1)


def test_the_descriptor_goes_with_the_last_handle(store: Store) -> None:
    put(store, b"/a", b"body")
    stored = store.find(b"/a")
    assert stored is not None
    fd = stored.fd
    store._files.clear()
    os.fstat(fd)
    stored.release()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_found_before_the_commit(store: Store, known: bool) -> None:
    writer = store.begin(b"/a", 8 if known else None)
    writer.append(b"half")
    assert store.find(b"/a") is None
    writer.append(b"rest")
    assert store.find(b"/a") is None
    writer.commit(b"meta")
    stored = store.find(b"/a")
    assert stored is not None
    assert (stored.meta, stored.read(0, 8)) == (b"meta", b"halfrest")


@pytest.mark.parametrize("known", [True, False])
def test_an_aborted_body_is_never_found(store: Store, known: bool) -> None:
    put(store, b"/a", b"before")
    writer = store.begin(b"/b", 8 if known else None)
    writer.append(b"half")
    reader = writer.reader()
    writer.abort()
    writer.abort()
    assert store.find(b"/b") is None
    assert reader.read(0, 4) == b"half"  # who follows it may finish what there is
    with pytest.raises(DiskError):
        writer.append(b"more")
    with pytest.raises(DiskError):
        writer.commit(b"")


def test_a_body_of_another_length_than_announced(store: Store) -> None:
    writer = store.begin(b"/a", 8)
    writer.append(b"half")
    with pytest.raises(ValueError, match="4 bytes of 8"):
        writer.commit(b"")
    assert store.find(b"/a") is None
    writer = store.begin(b"/a", 8)
    with pytest.raises(ValueError, match="grew to 9"):
        writer.append(b"too much.")
    writer.abort()


def test_metadata_is_bounded(store: Store) -> None:
    writer = store.begin(b"/a", 0)
    writer.commit(bytes(MAX_META))
    stored = store.find(b"/a")
    assert stored is not None
    assert len(stored.meta) == MAX_META
    writer = store.begin(b"/a", 0)
    with pytest.raises(ValueError, match="of metadata"):
        writer.commit(bytes(MAX_META + 1))


def test_a_growing_body_can_be_read_and_followed_to_its_end(store: Store) -> None:
    writer = store.begin(b"/a")
    reader = writer.reader()
    writer.append(b"one")
    assert reader.read(0, writer.size) == b"one"
    writer.append(b"two")
    writer.commit(b"")  # it is small, and moves in with others
    assert reader.read(0, 6) == b"onetwo"


def test_a_later_body_takes_the_place_of_an_earlier_one(store: Store) -> None:
    put(store, b"/a", b"first")
    held = store.find(b"/a")
    put(store, b"/a", b"second")
    assert get(store, b"/a") == b"second"
    assert held is not None
    assert held.read(0, 5) == b"first"
    assert store.statistics().objects == 1


def test_writers_at_once_in_one_volume(store: Store) -> None:
    writers = [(b"/%d" % n, store.begin(b"/%d" % n, 30_000)) for n in range(50)]
    for piece in range(3):
        for key, writer in writers:
            writer.append((key + b"-%d" % piece).ljust(10_000))
    for key, writer in writers:
        writer.commit(key)
    for key, _ in writers:
        stored = store.find(key)
        assert stored is not None
        assert stored.read(0, 30_000) == b"".join(
            (key + b"-%d" % piece).ljust(10_000) for piece in range(3)
        )


def test_scan_by_prefix_and_across_batches(store: Store) -> None:
    for number in range(600):
        put(store, b"/v/%d" % number, b"")
    put(store, b"/w", b"")
    assert len(list(store.scan(b"/v/"))) == 600
    assert len(list(store.scan(b"/v/1"))) == 111
    assert set(store.scan(b"/w")) == {b"/w"}
    assert set(store.scan(b"/x")) == set()
    assert len(set(store.scan())) == 601


def test_what_is_larger_than_may_be_is_refused(store: Store) -> None:
    with pytest.raises(DiskError) as refused:
        store.begin(b"/a", store.largest + 1)
    assert refused.value.reason is Reason.NO_ROOM
    writer = store.begin(b"/a")
    with pytest.raises(DiskError) as refused:
        for _ in range(store.largest // MIB + 1):
            writer.append(bytes(MIB))
    assert refused.value.reason is Reason.NO_ROOM
    assert not store.statistics().is_resting
    put(store, b"/a", b"next")
    assert get(store, b"/a") == b"next"


def test_eviction_keeps_to_the_capacity_and_takes_the_oldest(
    store: Store, tmp_path: Path
) -> None:
    random = Random(1)
    bodies = {}
    held = None
    for number in range(600):
        key = b"/%d" % number
        bodies[key] = body_of(random)
        put(store, key, bodies[key], known=bool(number % 3))
        held = held or store.find(key)
        assert disk(tmp_path / "store") <= CAPACITY
    there = [key for key in bodies if get(store, key) is not None]
    assert all(get(store, key) == bodies[key] for key in there)
    assert set(list(bodies)[-50:]) <= set(there)
    assert b"/0" not in there
    assert held is not None
    assert held.read(0, held.length) == bodies[b"/0"]
    statistics = store.statistics()
    assert statistics.objects == len(there)
    assert statistics.evictions == len(bodies) - len(there)
    assert statistics.used <= CAPACITY
    assert disk(tmp_path / "store") > CAPACITY // 2


def test_an_evicted_volume_is_let_go_when_tended(store: Store) -> None:
    put(store, b"/a", bytes(1000))
    stored = store.find(b"/a")
    assert stored is not None
    for number in range(700):
        put(store, b"/%d" % number, bytes(100_000))
    assert store.find(b"/a") is None
    fd = stored.fd
    stored.release()
    os.fstat(fd)
    store.tend()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_bodies_on_their_way_count(store: Store) -> None:
    writers = [store.begin(b"/%d" % number, 3 * MIB) for number in range(20)]
    with pytest.raises(DiskError) as refused:
        store.begin(b"/a", 4 * MIB)
    assert refused.value.reason is Reason.NO_ROOM
    assert store.statistics().used > 60 * MIB
    for writer in writers:
        writer.abort()
    put(store, b"/a", bytes(3 * MIB))


def test_the_directory_is_for_us_alone(store: Store, tmp_path: Path) -> None:
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_another_version_is_refused_by_name(tmp_path: Path) -> None:
    Store.open(tmp_path, CAPACITY).close()
    (tmp_path / "format").write_bytes(b"headrace disk store 0\n")
    with pytest.raises(DiskError, match="headrace disk store 0") as refused:
        Store.open(tmp_path, CAPACITY)
    assert refused.value.reason is Reason.FORMAT


def test_files_of_unknown_format_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "volumes").mkdir()
    (tmp_path / "volumes" / "0000000000000001").write_bytes(b"precious")
    with pytest.raises(DiskError):
        Store.open(tmp_path, CAPACITY)
    assert (tmp_path / "volumes" / "0000000000000001").read_bytes() == b"precious"


def test_finding_takes_microseconds(store: Store) -> None:
    put(store, b"/a", bytes(100_000))
    seconds = min(timeit(lambda: store.find(b"/a"), number=2000) for _ in range(5)) / 2000
    assert seconds < 100e-6  # 3.5 µs on a quiet machine
