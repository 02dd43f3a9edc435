"""Bodies that tell whether they are whole, and what is done with them in most tests."""

import os
from hashlib import sha256
from pathlib import Path
from random import Random

from edge_cache.disk.running import NOTES
from edge_cache.disk.store import Store
from edge_cache.disk.stored import Stored


def put(store: Store, key: bytes, body: bytes, *, known: bool = True) -> None:
    """Store *body* with its hash beside it; *known*: its length is told before."""
    writer = store.begin(key, len(body) if known else None)
    for start in range(0, len(body), 100_000):
        writer.append(body[start : start + 100_000])
    writer.commit(sha256(body).digest())


def get(store: Store, key: bytes) -> bytes | None:
    """The body of *key* as it would be sent: verified before it is read."""
    stored = store.find(key)
    return None if stored is None else read(stored)


def read(stored: Stored) -> bytes:
    """All of *stored*; an AssertionError if it is not what was stored."""
    stored.verify(0, stored.length)
    assert stored.is_verified(0, stored.length)
    body = stored.read(0, stored.length)
    assert sha256(body).digest() == stored.meta, "a wrong body was found"
    return body


def body_of(random: Random, largest: int = 600_000) -> bytes:
    """Small ones as often as large ones."""
    return random.randbytes(random.choice((0, 1, 700, 4096, 65536, 100_000, largest)))


def disk(directory: Path) -> int:
    """Bytes of disk that the volumes and the index of a store take, as du counts."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:
            pass  # evicted meanwhile
    return total


def crash(store: Store) -> None:
    """Leave *store* as a kill would: nothing is finished, nothing is marked."""
    store._index.close()
    os.close(store._keeper._lock)
    for volume in store._space._writing.values():
        volume.unlock()


def lose_power(store: Store) -> None:
    """A kill, and what was noted is of another boot."""
    crash(store)
    (store._keeper.directory / NOTES).unlink()


def reopened(directory: Path, capacity: int) -> Store:
    """The store in *directory* once all its volumes have been read."""
    store = Store.open(directory, capacity)
    while store.statistics().unread:
        store.tend()
    return store
