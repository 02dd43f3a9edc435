"""What is found after a stop: all of it if it was clean, nothing wrong if it was not."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import body_of, crash, get, put, read

CAPACITY = 64 << 20
Stop = Callable[[Store], None]
STOPS: list[Stop] = [Store.close, crash]


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


def test_after_a_kill_everything_is_there_and_verified_once(tmp_path: Path) -> None:
    store, bodies = filled(tmp_path)
    crash(store)
    store = Store.open(tmp_path, CAPACITY)
    for key, body in bodies.items():
        stored = store.find(key)
        assert stored is not None
        assert stored.is_verified(0, stored.length) == (not body)
        assert read(stored) == body
        again = store.find(key)
        assert again is not None
        assert again.is_verified(0, again.length)
    store.close()


def test_what_was_suspect_stays_so_after_a_clean_stop(tmp_path: Path) -> None:
    store, bodies = filled(tmp_path)
    crash(store)
    Store.open(tmp_path, CAPACITY).close()
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
    store = Store.open(tmp_path, CAPACITY)
    assert {key: get(store, key) for key in keys} == {
        key: (None, b"new", body)[number % 3]
        for number, (key, body) in enumerate(bodies.items())
    }
    store.close()


def test_of_two_records_of_one_key_the_later_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was killed between the new record and the mark on the old one."""
    store = Store.open(tmp_path, CAPACITY)
    with monkeypatch.context() as patch:
        patch.setattr("edge_cache.disk.store.mark_dead", lambda *_: None)
        for body in (b"old", b"new"):
            put(store, b"/a", body)
        crash(store)
    store = Store.open(tmp_path, CAPACITY)
    assert get(store, b"/a") == b"new"
    store.remove(b"/a")
    crash(store)
    store = Store.open(tmp_path, CAPACITY)
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
    store = Store.open(tmp_path, CAPACITY)
    assert store.statistics().objects == 0
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
    store = Store.open(tmp_path, CAPACITY)
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


def test_a_bad_block_ends_the_object_but_not_what_was_before_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    body = Random(1).randbytes(1_000_000)
    put(store, b"/a", body)
    stored = store.find(b"/a")
    assert stored is not None
    offset = stored.offset
    crash(store)
    with next((tmp_path / "volumes").iterdir()).open("r+b") as file:
        file.seek(offset + 500_000)
        file.write(b"garbage")
    store = Store.open(tmp_path, CAPACITY)
    stored = store.find(b"/a")
    assert stored is not None
    stored.verify(0, 400_000)
    assert stored.is_verified(100, 400_000)
    assert not stored.is_verified(400_000, 600_000)
    assert stored.read(0, 400_000) == body[:400_000]
    with pytest.raises(DiskError) as failed:
        store.renew(stored, b"a bad body is not passed on")
    assert failed.value.reason is Reason.DAMAGED
    assert store.find(b"/a") is None
    assert store.statistics().failures[Reason.DAMAGED] == 1
    crash(store)
    store = Store.open(tmp_path, CAPACITY)
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
    store = Store.open(tmp_path, CAPACITY)
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


@pytest.mark.parametrize("stop", STOPS)
def test_warm_at_once(tmp_path: Path, stop: Stop) -> None:
    count = 10_000
    store = Store.open(tmp_path, CAPACITY)
    for number in range(count):
        writer = store.begin(b"/object/%d" % number, 100)
        writer.append(b"%100d" % number)
        writer.commit(b"meta")
    stop(store)
    started = time.monotonic()
    store = Store.open(tmp_path, CAPACITY)
    sample = Random(1).sample(range(count), 1000)
    found = sum(store.find(b"/object/%d" % number) is not None for number in sample)
    assert found >= 990
    assert time.monotonic() - started < 1.0  # 10 ms clean, 0.1 s after a kill
    store.close()
