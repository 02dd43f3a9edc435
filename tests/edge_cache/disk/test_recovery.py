"""What is found after a stop: all of it if it was clean, nothing wrong if it was not."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.reading import read_in
from edge_cache.disk.recovery import INDEX
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import (
    body_of,
    crash,
    get,
    lose_power,
    put,
    read,
    reopened,
)

CAPACITY = 64 << 20
Stop = Callable[[Store], None]
KILLS: list[Stop] = [crash, lose_power]
STOPS: list[Stop] = [Store.close, *KILLS]


def filled(directory: Path, count: int = 60) -> tuple[Store, dict[bytes, bytes]]:
    store = Store.open(directory, CAPACITY)
    random = Random(count)
    bodies = {b"/%d" % number: body_of(random) for number in range(count)}
    for number, (key, body) in enumerate(bodies.items()):
        put(store, key, body, known=bool(number % 3))
    return store, bodies


def test_after_a_clean_stop_everything_is_there_and_trusted(tmp_path: Path) -> None:
    store, bodies = filled(tmp_path)
    store.close()
    store = Store.open(tmp_path, CAPACITY)
    for key, body in bodies.items():
        stored = store.find(key)
        assert stored is not None
        assert stored.is_verified(0, stored.length)
        assert stored.read(0, stored.length) == body
    store.close()


@pytest.mark.parametrize("kill", KILLS)
def test_after_a_kill_everything_is_there_and_verified_once(tmp_path: Path, kill: Stop) -> None:
    store, bodies = filled(tmp_path)
    kill(store)
    store = reopened(tmp_path, CAPACITY)
    for key, body in bodies.items():
        stored = store.find(key)
        assert stored is not None
        assert stored.is_verified(0, stored.length) == (not body)
        assert read(stored) == body
        again = store.find(key)
        assert again is not None
        assert again.is_verified(0, again.length)
    store.close()


@pytest.mark.parametrize("kill", KILLS)
def test_what_was_suspect_stays_so_after_a_clean_stop(tmp_path: Path, kill: Stop) -> None:
    store, bodies = filled(tmp_path)
    kill(store)
    reopened(tmp_path, CAPACITY).close()
    store = Store.open(tmp_path, CAPACITY)
    key = next(key for key, body in bodies.items() if body)
    stored = store.find(key)
    assert stored is not None
    assert not stored.is_verified(0, stored.length)
    store.close()


@pytest.mark.parametrize("stop", STOPS)
def test_removed_and_replaced_stay_so(tmp_path: Path, stop: Stop) -> None:
    store, bodies = filled(tmp_path)
    keys = list(bodies)
    for key in keys[::3]:
        assert store.remove(key)
        assert not store.remove(key)
    for key in keys[1::3]:
        put(store, key, b"new")
    stop(store)
    store = reopened(tmp_path, CAPACITY)
    assert {key: get(store, key) for key in keys} == {
        key: (None, b"new", body)[number % 3]
        for number, (key, body) in enumerate(bodies.items())
    }
    store.close()


@pytest.mark.parametrize("kill", KILLS)
def test_of_two_records_of_one_key_the_later_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill: Stop
) -> None:
    """Everything was killed between the new record and the mark on the old one."""
    store = Store.open(tmp_path, CAPACITY)
    with monkeypatch.context() as patch:
        patch.setattr("edge_cache.disk.store.mark_dead", lambda *_: None)
        for body in (b"old", b"new"):
            put(store, b"/a", body)
        kill(store)
    store = reopened(tmp_path, CAPACITY)
    assert get(store, b"/a") == b"new"
    store.remove(b"/a")
    kill(store)
    store = reopened(tmp_path, CAPACITY)
    assert get(store, b"/a") is None
    store.close()


@pytest.mark.parametrize("stop", STOPS)
def test_bodies_on_their_way_leave_nothing(tmp_path: Path, stop: Stop) -> None:
    store = Store.open(tmp_path, CAPACITY)
    for length in (None, 1000, 8 << 20):
        writer = store.begin(b"/%d" % (length or 0), length)
        writer.append(bytes(900))
    stop(store)
    del writer
    store = reopened(tmp_path, CAPACITY)
    assert store.statistics().objects == 0
    store.tend()
    store.close()
    store = Store.open(tmp_path, CAPACITY)
    assert len(list((tmp_path / "volumes").iterdir())) <= 1  # of the one that others share
    store.close()


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("seed", range(6))
def test_after_garbage_nothing_wrong_is_served(tmp_path: Path, stop: Stop, seed: int) -> None:
    """A power loss: blocks of any file that were never written, or lost their end."""
    store, bodies = filled(tmp_path)
    stop(store)
    random = Random(seed)
    hurt(tmp_path, random)
    store = reopened(tmp_path, CAPACITY)
    found = 0
    for key, body in bodies.items():
        try:
            got = get(store, key)
        except DiskError as error:
            assert error.reason is Reason.DAMAGED
            assert store.find(key) is None
        else:
            assert got in (None, body)
            found += got is not None
    assert found < len(bodies)
    assert found or seed != 0
    put(store, b"/after", b"as before")
    assert get(store, b"/after") == b"as before"
    store.close()


def hurt(directory: Path, random: Random) -> None:
    time.sleep(0.02)  # the granularity of file times: who has written shows by them
    files = [path for path in directory.rglob("*") if path.is_file() and path.name != "format"]
    for path in random.sample(files, len(files) // 2 + 1):
        size = path.stat().st_size
        if random.random() < 0.3:
            os.truncate(path, random.randrange(size + 1))
            continue
        with path.open("r+b") as file:
            for _ in range(10):
                file.seek(random.randrange(size // 512 + 1) * 512)
                length = random.choice((512, 4096, 65536))
                file.write(random.choice((bytes(length), random.randbytes(length))))


@pytest.mark.parametrize("kill", KILLS)
def test_a_bad_block_ends_the_object_but_not_what_was_before_it(
    tmp_path: Path, kill: Stop
) -> None:
    store = Store.open(tmp_path, CAPACITY)
    body = Random(1).randbytes(1_000_000)
    put(store, b"/a", body)
    stored = store.find(b"/a")
    assert stored is not None
    offset = stored.offset
    kill(store)
    with next((tmp_path / "volumes").iterdir()).open("r+b") as file:
        file.seek(offset + 500_000)
        file.write(b"garbage")
    store = reopened(tmp_path, CAPACITY)
    stored = store.find(b"/a")
    assert stored is not None
    stored.verify(0, 400_000)
    assert stored.is_verified(100, 400_000)
    assert not stored.is_verified(400_000, 600_000)
    assert stored.read(0, 400_000) == body[:400_000]
    with pytest.raises(DiskError) as failed:
        stored.verify(400_000, len(body))
    assert failed.value.reason is Reason.DAMAGED
    assert store.find(b"/a") is None
    assert store.statistics().failures[Reason.DAMAGED] == 1
    kill(store)
    store = reopened(tmp_path, CAPACITY)
    assert store.find(b"/a") is None
    store.close()


@pytest.mark.parametrize("stop", STOPS)
def test_a_body_of_another_volume_is_not_taken(tmp_path: Path, stop: Stop) -> None:
    """Two volumes have changed places: every checksum in them is right."""
    store, bodies = filled(tmp_path)
    stop(store)
    first, second = sorted((tmp_path / "volumes").iterdir())[:2]
    first.rename(tmp_path / "first")
    second.rename(first)
    (tmp_path / "first").rename(second)
    store = reopened(tmp_path, CAPACITY)
    assert all(get(store, key) in (None, body) for key, body in bodies.items())
    store.close()


def test_a_smaller_capacity_is_kept_to(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    for number in range(50):
        put(store, b"/%d" % number, bytes(1 << 20))
    store.close()
    store = Store.open(tmp_path, CAPACITY // 4)
    store.tend()
    assert store.statistics().used <= CAPACITY // 4
    assert get(store, b"/49") is not None
    assert get(store, b"/0") is None
    store.close()


def test_a_directory_that_was_emptied_begins_anew(tmp_path: Path) -> None:
    store, _ = filled(tmp_path / "store")
    store.close()
    shutil.rmtree(tmp_path / "store")
    store = Store.open(tmp_path / "store", CAPACITY)
    assert store.statistics().objects == 0
    store.close()


@pytest.mark.parametrize("stop", [Store.close, crash])
def test_warm_at_once(tmp_path: Path, stop: Stop) -> None:
    stop(many(tmp_path))
    started = time.monotonic()
    store = Store.open(tmp_path, CAPACITY)
    assert sampled(store) >= 990
    assert time.monotonic() - started < 1.0  # 20 ms
    store.close()


def test_after_a_power_loss_it_is_open_at_once_and_warm_soon(tmp_path: Path) -> None:
    lose_power(many(tmp_path))
    started = time.monotonic()
    store = Store.open(tmp_path, CAPACITY)
    assert time.monotonic() - started < 1.0  # 10 ms
    assert store.find(b"/object/1") is None
    assert store.statistics().used > COUNT * 4096
    while store.statistics().unread:
        store.tend()
    assert sampled(store) >= 990
    store.close()


COUNT = 10_000


def many(directory: Path) -> Store:
    store = Store.open(directory, CAPACITY)
    for number in range(COUNT):
        writer = store.begin(b"/object/%d" % number, 100)
        writer.append(b"%100d" % number)
        writer.commit(b"meta")
    return store


def sampled(store: Store) -> int:
    """How many of a thousand objects are found."""
    sample = Random(1).sample(range(COUNT), 1000)
    return sum(store.find(b"/object/%d" % number) is not None for number in sample)


# What happens before all volumes have been read.


def unread(directory: Path) -> tuple[Store, dict[bytes, bytes]]:
    store, bodies = filled(directory)
    lose_power(store)
    return Store.open(directory, CAPACITY), bodies


def end_reading(store: Store) -> None:
    while store.statistics().unread:
        store.tend()


def test_what_is_stored_meanwhile_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the clock was set back since."""
    store, bodies = unread(tmp_path)
    monkeypatch.setattr("edge_cache.disk.writer.time.time_ns", lambda: 1)
    for key in bodies:
        put(store, key, b"new")
    end_reading(store)
    assert {get(store, key) for key in bodies} == {b"new"}
    crash(store)
    store = Store.open(tmp_path, CAPACITY)
    assert {get(store, key) for key in bodies} == {b"new"}
    store.close()


@pytest.mark.parametrize("stop", [end_reading, crash, Store.close])
def test_what_is_removed_meanwhile_does_not_come_back(tmp_path: Path, stop: Stop) -> None:
    store, bodies = unread(tmp_path)
    keys = list(bodies)
    for key in keys[::2]:
        assert not store.remove(key)
    put(store, keys[0], b"new")
    assert store.remove(keys[0])
    stop(store)
    if stop is not end_reading:
        store = Store.open(tmp_path, CAPACITY)
    end_reading(store)
    assert [get(store, key) is None for key in keys] == [True, False] * (len(keys) // 2)
    put(store, keys[0], b"again")
    assert get(store, keys[0]) == b"again"
    lose_power(store)
    store = reopened(tmp_path, CAPACITY)
    assert [get(store, key) is None for key in keys[1:]] == ([False, True] * len(keys))[
        : len(keys) - 1
    ]
    store.close()


def test_a_kill_while_volumes_are_read_loses_none(tmp_path: Path) -> None:
    store, bodies = filled(tmp_path)
    lose_power(store)
    for _ in range(100):
        store = Store.open(tmp_path, CAPACITY)
        if not store.statistics().unread:
            break
        read_in(store._index, store._volumes, 0)
        crash(store)
    assert {key: get(store, key) for key in bodies} == bodies
    store.close()


def test_what_is_unread_makes_room(tmp_path: Path) -> None:
    store, bodies = unread(tmp_path)
    random = Random(5)
    new = {b"/new/%d" % number: random.randbytes(1 << 20) for number in range(55)}
    for key, body in new.items():
        put(store, key, body)
    assert store.statistics().used <= CAPACITY
    end_reading(store)
    assert all(get(store, key) in (None, body) for key, body in bodies.items())
    assert {key: get(store, key) for key in new} == new
    store.close()


def test_an_index_written_to_after_a_kill_is_thrown_away(tmp_path: Path) -> None:
    store, bodies = filled(tmp_path)
    crash(store)
    time.sleep(0.02)  # the granularity of file times
    with (tmp_path / INDEX / "data.mdb").open("r+b") as file:
        file.seek(5000)
        file.write(b"garbage")
    store = Store.open(tmp_path, CAPACITY)
    assert store.statistics().objects == 0
    end_reading(store)
    assert {key: get(store, key) for key in bodies} == bodies
    store.close()
