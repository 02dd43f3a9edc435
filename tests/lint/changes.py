"""A presentation as files by name, and changes that break one rule of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

Files = dict[str, bytes]
Change = Callable[[Files], None]


@dataclass(frozen=True)
class Row:
    check: str
    """Expected of the change."""
    form: str
    """Which presentation is changed: ``ts``, ``fmp4`` or ``dash``."""
    change: Change
    place: str = ""
    """A part of the finding's address and place."""


def of(glob: str, edit: Callable[[bytes], bytes]) -> Change:
    """Every file that *glob* names is edited; each must differ then."""

    def change(files: Files) -> None:
        names = [name for name in files if fnmatch(name, glob)]
        assert names, glob
        for name in names:
            before = files[name]
            files[name] = edit(before)
            assert files[name] != before, name

    return change


def text(glob: str, pattern: str, new: str, count: int = 1) -> Change:
    """The first *count* matches (0: all) are replaced."""

    def edit(data: bytes) -> bytes:
        found, times = re.subn(pattern, new, data.decode(), count=count, flags=re.MULTILINE)
        assert times, pattern
        return found.encode()

    return of(glob, edit)


def raw(glob: str, old: bytes, new: bytes) -> Change:
    return of(glob, lambda data: data.replace(old, new, 1))


def gone(glob: str) -> Change:
    def change(files: Files) -> None:
        for name in [name for name in files if fnmatch(name, glob)]:
            del files[name]

    return change


def put(name: str, data: bytes) -> Change:
    def change(files: Files) -> None:
        files[name] = data

    return change


def both(*changes: Change) -> Change:
    def change(files: Files) -> None:
        for one in changes:
            one(files)

    return change
