"""A process that puts, finds, removes and aborts at random, and checks whatever it finds.

``python -m tests.edge_cache.disk.churn DIRECTORY CAPACITY SEED``.  Prints a line when it has
the store open, then one for every 50 steps; ends by itself only if something is wrong.
"""

import sys
from hashlib import sha256
from pathlib import Path
from random import Random

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import body_of, get, read

KEYS = 200


def step(store: Store, random: Random) -> None:
    key = b"/%d" % random.randrange(KEYS)
    match random.randrange(10):
        case 0 | 1 | 2:
            put_somehow(store, key, random)
        case 3:
            store.remove(key)
        case 4 if random.random() < 0.1:
            store.tend()
        case _:
            get(store, key)


def put_somehow(store: Store, key: bytes, random: Random) -> None:
    body = body_of(random)
    writer = store.begin(key, random.choice((len(body), None)))
    for start in range(0, len(body), 50_000):
        writer.append(body[start : start + 50_000])
    if random.random() < 0.1:
        writer.abort()
    else:
        writer.commit(sha256(body).digest())


def main(directory: Path, capacity: int, seed: int) -> None:
    random = Random(seed)
    store = Store.open(directory, capacity)
    print("open", flush=True)
    held = []
    while True:
        for _ in range(50):
            try:
                step(store, random)
            except DiskError as error:
                assert error.reason is Reason.NO_ROOM, error
        print("on", flush=True)
        held.append(store.find(b"/%d" % random.randrange(KEYS)))
        if len(held) > 8:  # a slow reader: it may have been evicted or replaced long since
            stored = held.pop(0)
            if stored is not None:
                read(stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
