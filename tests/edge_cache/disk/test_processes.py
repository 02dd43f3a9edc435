"""Several processes at one store, some of them killed at any point."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from edge_cache.disk.errors import DiskError
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import crash, disk, get, put

ROOT = Path(__file__).parents[3]
CAPACITY = 16 << 20
ROUNDS = int(os.environ.get("HEADRACE_TEST_KILLS", "24"))
LARGEST = 600_000
"""Bytes of the largest body that is put."""


Child = subprocess.Popen[str]


@contextmanager
def churning(directory: Path, seed: int) -> Iterator[Child]:
    """A process that has the store open and is at work; killed in the end."""
    command = [sys.executable, "-m", "tests.edge_cache.disk.churn"]
    child = subprocess.Popen(
        [*command, str(directory), str(CAPACITY), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "open\n"
            yield child
        finally:
            child.kill()


def steps(child: Child, count: int) -> None:
    """Wait for so many lines of *child*; it has failed if they do not come."""
    assert child.stdout is not None
    for _ in range(count):
        assert child.stdout.readline() == "on\n"


def check_all(store: Store) -> int:
    """Read everything that can be found; how many objects that was."""
    return sum(get(store, key) is not None for key in store.scan())


def test_a_body_of_one_process_is_found_by_another(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    with churning(tmp_path, 1) as child:
        steps(child, 5)
    assert check_all(store) > 10
    put(store, b"/a", b"body")
    assert get(store, b"/a") == b"body"
    store.close()


def test_capacity_is_kept_by_all_together(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    with churning(tmp_path, 1) as one, churning(tmp_path, 2) as two:
        for _ in range(10):
            steps(one, 1)
            steps(two, 1)
            assert disk(tmp_path) <= CAPACITY + LARGEST
            assert store.statistics().used <= CAPACITY + LARGEST
            check_all(store)
        assert one.poll() is two.poll() is None
    store.close()


def test_killed_at_any_point(tmp_path: Path) -> None:
    """While another process goes on, or all at once: then the store is recovered."""
    random = Random(ROUNDS)
    for number in range(ROUNDS):
        store = Store.open(tmp_path, CAPACITY)
        with churning(tmp_path, 2 * number) as one, churning(tmp_path, 2 * number + 1) as two:
            steps(one, 1)
            time.sleep(random.random() * 0.05)  # the point at which it is killed
            one.kill()
            one.wait()
            check_all(store)
            steps(two, 1)
            if number % 2:
                put(store, b"/mine", b"body")
                store.tend()
                assert get(store, b"/mine") == b"body"
            else:
                two.kill()
                two.wait()
        if number % 3:
            store.close()
        else:
            crash(store)
        assert disk(tmp_path) <= CAPACITY + LARGEST
    store = Store.open(tmp_path, CAPACITY)
    check_all(store)
    store.tend()
    put(store, b"/mine", b"body")
    assert get(store, b"/mine") == b"body"
    store.close()


HOLD = """
import sys, lmdb, time
env = lmdb.open(sys.argv[1], map_size=1 << 30, max_dbs=3)
txn = env.begin(write=True)
txn.put(b"never", b"committed", db=env.open_db(b"rows", txn=txn))
print("held", flush=True)
time.sleep(60)
"""


def test_a_writer_killed_with_the_lock_in_hand_hangs_nobody(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    put(store, b"/before", b"body")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "index")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert get(store, b"/before") == b"body"  # a reader waits for nobody
        waiting = threading.Thread(target=put, args=(store, b"/a", b"body"), daemon=True)
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        child.kill()
        child.wait()
        waiting.join(10)
        assert not waiting.is_alive()
    assert get(store, b"/a") == b"body"
    assert store.find(b"never") is None
    store.close()


def test_what_a_dead_process_was_writing_is_cleared_up(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    put(store, b"/a", bytes(100_000))
    script = (
        "import os, sys; from pathlib import Path; from edge_cache.disk.store import Store\n"
        "store = Store.open(Path(sys.argv[1]), int(sys.argv[2]))\n"
        "for n in range(3): store.begin(b'/alone%d' % n, 3 << 20).append(bytes(1 << 20))\n"
        "writer = store.begin(b'/shared', 5); writer.append(b'short'); writer.commit(b'')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(CAPACITY)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert store.statistics().used > 10 << 20
    store.tend()
    assert store.statistics().used < 3 << 20
    assert disk(tmp_path) < 3 << 20
    assert store.find(b"/shared") is not None
    put(store, b"/b", bytes(4 << 20))
    store.close()


def test_a_record_without_a_row_never_comes_back(tmp_path: Path) -> None:
    """Its writer died before anybody could find it, and the key was removed since."""
    store = Store.open(tmp_path, CAPACITY)
    put(store, b"/a", b"before")
    script = (
        "import os, sys; from pathlib import Path; from edge_cache.disk.store import Store\n"
        "store = Store.open(Path(sys.argv[1]), 1 << 24)\n"
        "store._publish = lambda key, row: os.kill(os.getpid(), 9)\n"
        "writer = store.begin(b'/a', 5); writer.append(b'ghost'); writer.commit(b'')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert get(store, b"/a") == b"before"
    store.tend()
    assert store.remove(b"/a")
    crash(store)
    store = Store.open(tmp_path, CAPACITY)
    assert store.find(b"/a") is None
    store.close()


def test_stale_readers_are_cleared(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    script = (
        "import os, sys; from pathlib import Path; from edge_cache.disk.store import Store\n"
        "store = Store.open(Path(sys.argv[1]), 1 << 24); txn = store._index.read()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    store.tend()
    readers: str = store._index._env.readers()
    assert all(f"{os.getpid()}" in line for line in readers.splitlines()[1:])
    store.close()


def test_one_process_opens_a_store_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path, CAPACITY)
    with pytest.raises(DiskError, match="already open"):
        Store.open(tmp_path, CAPACITY)
    put(store, b"/a", b"body")
    assert get(store, b"/a") == b"body"
    store.close()


NODE = """
import os, sys
from pathlib import Path
from edge_cache.disk.keeper import Keeper
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import get, put

directory = Path(sys.argv[1])
keeper = Keeper.open(directory)
for number in range(4):
    pid = os.fork()
    if not pid:
        store = Store.open(directory, 16 << 20)
        assert not number or get(store, b"/%d" % (number - 1)) == bytes(100_000)
        put(store, b"/%d" % number, bytes(100_000))
        if number % 2:
            os.kill(os.getpid(), 9)
        store.close()
        assert not (directory / "clean").exists()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == (9 if number % 2 else 0)
keeper.close()
assert (directory / "clean").exists()
"""


def test_a_killed_worker_does_not_make_the_stop_unclean(tmp_path: Path) -> None:
    """The parent holds a keeper, its workers the store, one after the other."""
    command = [sys.executable, "-W", "error", "-c", NODE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    store = Store.open(tmp_path, CAPACITY)
    for number in range(4):
        stored = store.find(b"/%d" % number)
        assert stored is not None
        assert stored.is_verified(0, stored.length)
        assert stored.read(0, stored.length) == bytes(100_000)
    store.close()
