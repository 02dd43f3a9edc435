"""The folder of remuxed files, and the process that makes one.

A file is written under a name that ends in ``.part``, synchronised, and has its own name only
inside the transaction that stores its row.  Names are made up and never used again.  A
``.part`` that no ingest holds the folder for was left over by one that was killed, and is
deleted.
"""

import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_PART = ".part"
_LOCK = ".lock"
_SILENCE = 120
"""Seconds without progress until the process is killed."""

_LONGEST_LINE = 1 << 20
_ROOT = Path(__file__).parents[2]
"""Where ``origin`` is imported from."""


class NotRemuxed(Exception):
    """The message is the reason."""


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

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = -1
        self._made: list[Path] = []

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
            said = _run(source, target, progress)
            os.utime(target, ns=(stamp, stamp))
            os.fsync(target)
        except OSError as error:
            raise NotRemuxed(f"{self._path}: {error.strerror}") from None
        finally:
            os.close(target)
        return Remuxed(part, tuple(said["left_out"]), tuple(said["notes"]))

    def keep(self, made: Iterable[Remuxed]) -> None:
        """Give files their own names; call it at the end of the transaction that stores them,
        as they stay from then on.

        Raises ``NotRemuxed``, and then none of them is there.
        """
        kept = []
        try:
            for one in made:
                one.part.rename(one.path)
                self._made.remove(one.part)
                kept.append(one.path)
            _synchronise(self._path)
        except OSError as error:
            self._made += kept
            raise NotRemuxed(f"{self._path}: {error.strerror}") from None

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
            for left in self._path.glob(f"*.mp4{_PART}"):
                left.unlink(missing_ok=True)
        fcntl.flock(self._lock, fcntl.LOCK_SH)


@contextmanager
def folder(path: Path) -> Iterator[Folder]:
    made = Folder(path)
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


def _run(source: int, target: int, progress: Callable[[int], None]) -> dict[str, Any]:
    """What the process says at the end.  Raises ``NotRemuxed`` and ``OSError``."""
    with subprocess.Popen(
        [sys.executable, "-m", "origin.ingest.remuxing", str(source), str(target)],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(source, target),
    ) as process:
        try:
            said = _listen(process, progress)
        except BaseException:
            process.kill()
            raise
    if "left_out" in said and process.returncode == 0:
        return said
    raise NotRemuxed(said.get("refused") or _end(process.returncode))


def _listen(
    process: "subprocess.Popen[bytes]", progress: Callable[[int], None]
) -> dict[str, Any]:
    said: dict[str, Any] = {}
    known = 0
    for line in _lines(process.stdout):
        said = json.loads(line)
        if "read" in said:
            progress(said["read"] - known)
            known = said["read"]
    return said


def _lines(pipe: IO[bytes] | None) -> Iterator[bytes]:
    """Raises ``NotRemuxed`` where none comes for too long."""
    if pipe is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(_SILENCE):
                raise NotRemuxed(f"no progress in {_SILENCE} s")
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise NotRemuxed("the remuxing process says too much")
            yield from lines


def _end(status: int) -> str:
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return "it takes more time than its size allows"
    if status < 0:
        return f"remuxing it ended with {signal.Signals(-status).name}"
    return f"remuxing it failed (exit {status})"
