"""A disk that is full, broken, gone or not ours: DiskError or a miss, and nothing else."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.health import Health
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import get, put

CAPACITY = 64 << 20
ROOT = Path(__file__).parents[3]
NOBODY = 65534


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "store", CAPACITY)
    yield store
    store.close()


def refused(store: Store, key: bytes = b"/new", size: int = 2 << 20) -> Reason:
    with pytest.raises(DiskError) as error:
        put(store, key, bytes(size))
    assert store.find(key) is None
    return error.value.reason


def rested(store: Store) -> None:
    """The time of rest is over."""
    store._health._rest_until = 0.0


def test_a_failure_is_followed_by_a_rest(tmp_path: Path, store: Store) -> None:
    put(store, b"/a", b"body")
    shutil.rmtree(tmp_path / "store" / "volumes")
    assert refused(store) is Reason.MISSING
    assert refused(store) is Reason.RESTING
    statistics = store.statistics()
    assert statistics.is_resting
    assert statistics.failures == {Reason.MISSING: 1}


def test_the_directory_is_removed(tmp_path: Path, store: Store) -> None:
    put(store, b"/a", b"body")
    put(store, b"/b", bytes(5 << 20))
    held = store.find(b"/a")
    shutil.rmtree(tmp_path / "store")
    assert refused(store) is Reason.MISSING
    store.tend()
    assert store.find(b"/a") is None
    assert store.find(b"/b") is None
    assert held is not None
    assert held.read(0, 4) == b"body"
    assert list(store.scan(b"/")) in ([], [b"/a"], [b"/b"], [b"/a", b"/b"])
    store.remove(b"/a")


def test_the_directory_is_removed_under_a_body(tmp_path: Path, store: Store) -> None:
    writers = [store.begin(b"/shared", 4), store.begin(b"/alone")]
    for writer in writers:
        writer.append(b"body")
    shutil.rmtree(tmp_path / "store" / "volumes")
    for writer in writers:
        rested(store)
        with pytest.raises(DiskError):
            writer.commit(b"")
        assert store.find(writer.key) is None


def test_the_volumes_come_back(tmp_path: Path, store: Store) -> None:
    put(store, b"/a", b"body")
    shutil.rmtree(tmp_path / "store" / "volumes")
    assert refused(store) is Reason.MISSING
    (tmp_path / "store" / "volumes").mkdir()
    rested(store)
    store.tend()
    put(store, b"/new", b"body")
    assert get(store, b"/new") == b"body"


def test_a_body_is_truncated_underneath(tmp_path: Path, store: Store) -> None:
    put(store, b"/a", bytes(5 << 20))
    stored = store.find(b"/a")
    assert stored is not None
    for path in (tmp_path / "store" / "volumes").iterdir():
        os.truncate(path, 1 << 20)
    with pytest.raises(DiskError) as error:
        stored.read(0, stored.length)
    assert error.value.reason is Reason.DAMAGED
    assert store.find(b"/a") is None  # its record went as well
    assert store.statistics().failures == {Reason.DAMAGED: 1}
    store.tend()
    assert store.statistics().objects == 0


def test_a_file_that_cannot_be_read(tmp_path: Path, store: Store) -> None:
    """A directory in its place: EISDIR stands for what else a disk may answer."""
    put(store, b"/a", bytes(5 << 20))
    for path in (tmp_path / "store" / "volumes").iterdir():
        path.unlink()
        path.mkdir()
    assert store.find(b"/a") is None
    assert store.statistics().failures == {Reason.FAILED: 1}


FULL = """
import resource, signal, sys
from pathlib import Path
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import get, put

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(Path(sys.argv[1]), 64 << 20)
put(store, b"/a", b"body")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
for known in (True, False):
    store._health._rest_until = 0.0
    try:
        put(store, b"/b", bytes(3 << 20), known=known)
    except DiskError as error:
        assert error.reason is Reason.FULL, error
    else:
        raise AssertionError("there was room")
    assert store.find(b"/b") is None
assert get(store, b"/a") == b"body"
store._health._rest_until = 0.0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.tend()
put(store, b"/b", bytes(3 << 20))
assert get(store, b"/b") == bytes(3 << 20)
store.close()
"""


@pytest.mark.parametrize("limit", [0, 4096, 1 << 20])
def test_no_file_may_grow(tmp_path: Path, limit: int) -> None:
    """A full disk: neither a body nor the index can be written."""
    command = [sys.executable, "-W", "error", "-c", FULL, str(tmp_path), str(limit)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


TMPFS = """
import ctypes, os, sys
from pathlib import Path
directory = Path(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
    sys.exit(77)
if libc.mount(b"tmpfs", os.fsencode(directory), b"tmpfs", 0, b"size=12m"):
    sys.exit(77)
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import get, put
store = Store.open(directory / "store", 64 << 20)
bodies = {b"/%d" % n: os.urandom(200_000 + n) for n in range(90)}
reasons = set()
for number, (key, body) in enumerate(bodies.items()):
    store._health._rest_until = 0.0
    try:
        put(store, key, body, known=bool(number % 2))
    except DiskError as error:
        reasons.add(error.reason)
assert reasons == {Reason.FULL}, reasons
found = [get(store, key) for key in bodies]
assert all(got in (None, body) for got, body in zip(found, bodies.values()))
assert sum(got is not None for got in found) > 30
store.tend()
store.close()
store = Store.open(directory / "store", 8 << 20)
store.tend()
put(store, b"/small", b"body")
assert get(store, b"/small") == b"body"
"""


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", TMPFS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("may not mount")
    assert done.returncode == 0, done.stderr


DENIED = """
import os, sys
from pathlib import Path
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from tests.edge_cache.disk.bodies import get, put
directory = Path(sys.argv[1])
store = Store.open(directory / "store", 64 << 20)
put(store, b"/a", b"body")
(directory / "store" / "volumes").chmod(0o500)
if os.geteuid() == 0:
    os.seteuid(int(sys.argv[2]))
try:
    put(store, b"/b", bytes(3 << 20))
except DiskError as error:
    assert error.reason is Reason.DENIED, error
else:
    raise AssertionError("it was permitted")
assert store.find(b"/b") is None
store._files.clear()
assert store.find(b"/a") is None or os.geteuid() != int(sys.argv[2])
try:
    Store.open(directory / "other", 64 << 20)
except DiskError as error:
    assert error.reason is Reason.DENIED, error
else:
    assert os.geteuid() != int(sys.argv[2])
"""


def test_permission_is_lost(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", DENIED, str(tmp_path), str(NOBODY)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_descriptor_is_left(store: Store) -> None:
    for number in range(20):
        put(store, b"/%d" % number, bytes(1 << 20))
    store._files.clear()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        assert store.find(b"/1") is None
        assert refused(store) is Reason.FAILED
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert get(store, b"/1") == bytes(1 << 20)


def test_an_index_that_is_no_index(tmp_path: Path) -> None:
    Store.open(tmp_path, CAPACITY).close()
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "index").write_bytes(b"a file")
    with pytest.raises(DiskError):
        Store.open(tmp_path, CAPACITY)


def test_after_a_rest_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health()
    with pytest.raises(DiskError), health.writing():
        raise OSError(5, "Input/output error")
    assert health.is_resting
    now = health._rest_until
    monkeypatch.setattr("edge_cache.disk.health.time.monotonic", lambda: now)
    health.check()
