"""The folder of remuxed files.

A file is written under a name that ends in ``.part``, synchronised, and has its own name only
inside the transaction that stores its row; until that is over, a ``.new`` beside it names the
database.  Names are made up and never used again.  What an ingest that was killed left over
goes when no ingest holds the folder: a ``.part`` at once, and a ``.new`` with its file, unless
the database has the row.
"""

import fcntl
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from origin.ingest.remuxer import NotRemuxed, run

_PART = ".part"
_NEW = ".new"
_LOCK = ".lock"
_MADE_UP = 32
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The database that the folder's files are stored in."""

    name: str
    """Without a secret."""

    has: Callable[[str], bool]
    """Whether a row is read from a file of this name, in any folder."""


@dataclass(frozen=True, slots=True)
class Remuxed:
    """A file that is in the folder, but not yet under its own name."""

    part: Path
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Its own name."""
        return self.part.with_suffix("")


class Folder:
    """Makes the files of one ingest; those that were not kept go with it."""

    def __init__(self, path: Path, rows: Rows) -> None:
        self._path = path
        self._rows = rows
        self._lock = -1
        self._made: list[Path] = []
        self._new: list[Path] = []

    def remux(self, source: int, stamp: int, progress: Callable[[int], None]) -> Remuxed:
        """Of the open file *source*; the new file is said to be of time *stamp*, nanoseconds.

        Raises ``NotRemuxed``.
        """
        try:
            self._hold()
            part = self._path / f"{uuid.uuid4().hex}.mp4{_PART}"
            target = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            self._made.append(part)
        except OSError as error:
            raise NotRemuxed(f"{self._path}: {error.strerror}") from None
        try:
            said = run(source, target, progress)
            os.utime(target, ns=(stamp, stamp))
            os.fsync(target)
        except OSError as error:
            raise NotRemuxed(f"{self._path}: {error.strerror}") from None
        finally:
            os.close(target)
        return Remuxed(part, tuple(said["left_out"]), tuple(said["notes"]))

    def keep(self, made: Iterable[Remuxed]) -> None:
        """Give files their own names; call it at the end of the transaction that stores them,
        and ``stored`` behind it.

        Raises ``NotRemuxed``, and then none of them is there.
        """
        kept = []
        try:
            for one in made:
                new = one.path.with_name(one.path.name + _NEW)
                self._new.append(new)
                new.write_text(self._rows.name)
                one.part.rename(one.path)
                self._made.remove(one.part)
                kept.append(one.path)
            _synchronise(self._path)
        except OSError as error:
            self._made += kept + self._new
            raise NotRemuxed(f"{self._path}: {error.strerror}") from None

    def stored(self) -> None:
        """The transaction is over."""
        for new in self._new:
            with suppress(OSError):
                new.unlink()

    def close(self) -> None:
        for path in self._made:
            with suppress(OSError):
                path.unlink()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _hold(self) -> None:
        """The folder is there, left-overs are not, and nobody takes ours for some."""
        if self._lock >= 0:
            return
        self._path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # another ingest is at work, and its parts are no left-overs
        else:
            self._clear()
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _clear(self) -> None:
        for part in self._path.glob(f"*.mp4{_PART}"):
            part.unlink(missing_ok=True)
        for new in self._path.glob(f"*.mp4{_NEW}"):
            # one without a name was not followed by its file
            if (name := new.read_text()) in ("", self._rows.name):
                if name and not self._rows.has(new.stem):
                    new.with_suffix("").unlink(missing_ok=True)
                new.unlink(missing_ok=True)


def is_missing(path: str) -> bool:
    """Whether *path* has a name that a folder made up, and is not there."""
    one = Path(path)
    named = one.suffix == ".mp4" and len(one.stem) == _MADE_UP and one.is_absolute()
    return named and not one.exists()


@contextmanager
def folder(path: Path, rows: Rows) -> Iterator[Folder]:
    made = Folder(path, rows)
    try:
        yield made
    finally:
        made.close()


def _synchronise(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
