"""A folder for as long as a node runs: its workers' sockets, and what ends with it.

A node that is killed leaves it behind, so the next one that starts clears up.  Who uses a
folder holds a lock on it, which its workers share, and which the kernel takes back.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

_PREFIX = "headrace-edge-run-"

_MOST = 1000
"""Folders that one start clears up."""

_LONGEST = 80
"""Bytes of a path below which sockets still have names: an address has 107 (unix(7))."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A path, for this process and those it forks, of a new folder for this user alone, which
    is gone in the end.  OSError."""
    _clear_up(Path(tempfile.gettempdir()))
    folder, lock = _make()
    is_long = len(os.fsencode(folder)) > _LONGEST
    try:
        yield Path(f"/proc/self/fd/{lock}") if is_long else folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make() -> tuple[Path, int]:
    """A folder, and the lock on it; another node may clear it up before that is taken."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(FileNotFoundError):
            lock = _open(folder)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _clear_up(parent: Path) -> None:
    """Remove the folders in *parent* that were ours and that nobody uses."""
    for folder in islice(parent.glob(_PREFIX + "*"), _MOST):
        with suppress(OSError):  # another user's, or another node clears up as well
            lock = _open(folder)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
