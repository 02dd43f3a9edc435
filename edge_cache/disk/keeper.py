"""Who has a store open: the first process recovers it, the last one leaves it clean.

The parent of a node holds a ``Keeper`` from before it forks until its workers are gone.  So a
worker that is killed costs nothing: the page cache has what it wrote.  The parent itself must
not open a ``Store``: lmdb forbids a child to open what its parent had open when it was forked.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import lmdb

from edge_cache.disk.errors import DiskError, Reason, disk_error
from edge_cache.disk.recovery import INDEX, VOLUMES, leave, recover

FORMAT = b"headrace disk store 1\n"


class Keeper:
    """Holds a lock that all processes share."""

    def __init__(self, directory: Path, lock: int) -> None:
        """Called by ``open``."""
        self.directory = directory
        self._lock = lock

    @classmethod
    def open(cls, directory: Path, first: Callable[[Path], None] | None = None) -> "Keeper":
        """Make the store in *directory*, or recover it if nobody has it open.

        Blocks while another process does.  *first* is called before that with the directory.
        DiskError; FORMAT if another version made it.
        """
        lock = -1
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            is_first = _try_lock(lock)
            if not is_first:
                fcntl.flock(lock, fcntl.LOCK_SH)
            _check_format(directory)
            if is_first:
                if first is not None:
                    first(directory)
                recover(directory)
                fcntl.flock(lock, fcntl.LOCK_SH)
        except (OSError, lmdb.Error, DiskError) as error:
            if lock >= 0:
                os.close(lock)
            raise error if isinstance(error, DiskError) else disk_error(error) from error
        return cls(directory, lock)

    def close(self) -> None:
        """Waits for the disk if nobody else has the store open."""
        try:
            if _try_lock(self._lock):
                leave(self.directory)
        except (OSError, lmdb.Error, DiskError):
            pass  # then it was no clean stop, and the next start will see that
        finally:
            os.close(self._lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_format(directory: Path) -> None:
    """Never take another version's files for ours, nor make a store around them."""
    path = directory / "format"
    try:
        with path.open("rb") as file:
            found = file.read(len(FORMAT) + 1)
    except FileNotFoundError:
        found = b""
    if found == FORMAT:
        return
    if found or (directory / VOLUMES).exists() or (directory / INDEX).exists():
        raise DiskError(Reason.FORMAT, f"{directory} is of another version: {found[:40]!r}")
    with path.open("wb") as file:
        file.write(FORMAT)
        file.flush()
        os.fsync(file.fileno())  # without it the store would be refused after a power loss
