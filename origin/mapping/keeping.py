"""Mappings that were presented, as files that all workers of a machine share.

    {folder}/{hash of the names}/{hash of the mapping}.json

A player may have its playlist from one worker and ask another one for a segment, which never
saw that mapping.  A file's time is when the mapping was last known to be current; a day later
it is of no use.  With a file nothing is lost but such a session: errors are passed over.
"""

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from metadata.records import KEEP_REPLACED_NS
from origin.mapping.media_set import MediaSet

Names = tuple[str, ...]

_MOST = 9
"""Mappings of one source."""

_MOST_SOURCES = 20_000
_SWEEP_EVERY = 500
"""Mappings that are written between two looks at what is of no use any more."""

_MOST_BYTES = 1 << 20
_log = logging.getLogger("origin")


class Kept:
    """Its methods block, and raise nothing."""

    def __init__(self, folder: Path | None) -> None:
        """None: there is no folder of data, and nothing is shared."""
        self._folder = folder
        self._written = 0

    def keep(self, names: Names, current: MediaSet, now: int) -> None:
        """That *current* is what *names* say at *now* (ns since 1970)."""
        if self._folder is None:
            return
        try:
            self._sweep_at_times(self._folder, now)
            self._keep(self._place(self._folder, names), msgspec.json.encode(current), now)
        except OSError as error:
            _log.warning("mappings are not shared among workers: %s", error.strerror)

    def _keep(self, place: Path, data: bytes, now: int) -> None:
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{hashlib.sha256(data).hexdigest()[:32]}.json"
        if not file.exists():
            new = place / f".{os.getpid()}"
            new.write_bytes(data)
            new.rename(file)
        os.utime(file, ns=(now, now))
        for old in _newest_first(place)[_MOST:]:
            old.unlink(missing_ok=True)

    def find(self, names: Names, now: int) -> list[MediaSet]:
        """What *names* said within a day before *now*, newest first."""
        if self._folder is None:
            return []
        found = []
        for file in _newest_first(self._place(self._folder, names)):
            with suppress(OSError, msgspec.MsgspecError):
                if now - file.stat().st_mtime_ns < KEEP_REPLACED_NS:
                    with file.open("rb") as opened:
                        data = opened.read(_MOST_BYTES)
                    found.append(msgspec.json.decode(data, type=MediaSet))
        return found

    def _place(self, folder: Path, names: Names) -> Path:
        digest = hashlib.sha256(msgspec.json.encode(names)).hexdigest()
        return folder / digest[:40]

    def _sweep_at_times(self, folder: Path, now: int) -> None:
        """What is old goes, and the oldest of what is too much."""
        self._written += 1
        if self._written % _SWEEP_EVERY != 1:
            return
        with suppress(OSError):
            for place in _newest_first(folder)[_MOST_SOURCES:]:
                _remove(place)
        for place in _newest_first(folder):
            with suppress(OSError):
                if now - place.stat().st_mtime_ns > 2 * KEEP_REPLACED_NS:
                    _remove(place)


def _newest_first(folder: Path) -> list[Path]:
    """What is in *folder*, but for what is being written."""
    found = []
    with suppress(OSError):
        for one in os.scandir(folder):
            with suppress(OSError):
                if not one.name.startswith("."):
                    found.append((one.stat().st_mtime_ns, one.name))
    return [folder / name for _, name in sorted(found, reverse=True)]


def _remove(place: Path) -> None:
    for file in place.iterdir():
        file.unlink(missing_ok=True)
    place.rmdir()
