"""The folder of the disk tier, as the parent opens it before there are workers.

Beside the store it has the journal of purges.  The two belong together: an entry says how many
purges there had been when it was fetched, and that means nothing by another journal.  So both
have the same id, and where they differ the store is emptied.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from edge_cache.config import EdgeConfig
from edge_cache.disk import journal
from edge_cache.disk.keeper import Keeper
from edge_cache.disk.recovery import INDEX, MARK, VOLUMES

PURGES = "purges"
_ID = "id"
_LONGEST = 64
"""Bytes."""


@contextmanager
def opened(config: EdgeConfig) -> Iterator[None]:
    """Hold the folder that *config* names, if any.  DiskError if it cannot be used."""
    if config.cache_dir is None:
        yield
        return
    keeper = Keeper.open(Path(config.cache_dir), tie)
    try:
        yield
    finally:
        keeper.close()


def tie(home: Path) -> None:
    """Empty the store in *home* unless the journal is the one that it belongs to.

    No process may have either open.  OSError.
    """
    purges = home / PURGES
    known = _read(home / _ID)
    if known and known == _read(purges / _ID) and journal.damage(purges) is None:
        return
    # The id of the store goes first and comes last: if we are killed here, it is done again.
    with suppress(FileNotFoundError):
        (home / _ID).unlink()
    for folder in VOLUMES, INDEX, PURGES:
        with suppress(FileNotFoundError):
            shutil.rmtree(home / folder)
    with suppress(FileNotFoundError):
        (home / MARK).unlink()
    purges.mkdir(mode=0o700)
    text = token_hex(16).encode()
    _write(purges / _ID, text)
    _write(home / _ID, text)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except FileNotFoundError:
        return b""


def _write(path: Path, data: bytes) -> None:
    """Durable, since what it names is."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
