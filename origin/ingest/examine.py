"""One file to what is stored of it, or a refusal."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from metadata.records import FlavorFacts, IndexBlock, NewIndex
from origin.ingest import remote
from origin.storage.sources import is_remote
from packager.errors import PackagerError
from packager.index import FlavorIndex
from packager.index_header import FORMAT, encode_header
from packager.indexing import build_index
from packager.plan import Extent, run_reads
from packager.tracks import Kind, VideoFormat


class Refused(Exception):
    """A file that is not taken; the message is its path and the reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as the file system shows it, or something at an address."""

    path: str
    """Absolute, or the address."""

    size: int
    mtime_ns: int
    """The source's stamp, of something at an address."""

    @property
    def name(self) -> str:
        """That the user sees; what follows ``?`` in an address may be a secret."""
        return self.path.partition("?")[0] if is_remote(self.path) else self.path

    @property
    def stem(self) -> str:
        """Of its last part."""
        path = urlsplit(self.path).path if is_remote(self.path) else self.path
        return PurePosixPath(path).stem

    @classmethod
    def at(cls, path: Path | str) -> "Found":
        """Raises ``Refused``."""
        if isinstance(path, str) and is_remote(path):
            found = cls(path, 0, 0)
            if not _is_text(path):
                raise Refused(f"{found.name!r}: the address is not UTF-8")
            try:
                return cls(path, *remote.look(path))
            except remote.Unreadable as error:
                raise Refused(f"{found.name}: {error}") from None
        # links stay, as the user named them
        absolute = os.path.abspath(path)  # noqa: PTH100
        try:
            status = os.stat(absolute)  # noqa: PTH116
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path}: not a file")
        if not _is_text(absolute):
            raise Refused(f"{path!r}: the name is not UTF-8")
        return cls(absolute, status.st_size, status.st_mtime_ns)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    facts: FlavorFacts
    index: NewIndex
    left_out: tuple[str, ...]


def examine(found: Found, progress: Callable[[int], None]) -> Examined:
    """Read and index the file; *progress* is told the bytes that each step has read.

    Raises ``Refused``, also where the file changes meanwhile.
    """
    if is_remote(found.path):
        try:
            index = remote.index(found.path, (found.size, found.mtime_ns), progress)
        except remote.Unreadable as error:
            raise Refused(f"{found.name}: {error}") from None
    else:
        index = _index_file(found, progress)
    return Examined(_facts(found, index), _stored(index), index.left_out)


def _index_file(found: Found, progress: Callable[[int], None]) -> FlavorIndex:
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{found.path}: {error.strerror}") from None

    def read(extent: Extent) -> bytes:
        data = os.pread(fd, extent.length, extent.offset)
        progress(len(data))
        return data

    try:
        index = run_reads(build_index(found.size, facts=True), read)
        status = os.fstat(fd)
    except PackagerError as error:
        raise Refused(f"{found.path}: {error}") from None
    except OSError as error:
        raise Refused(f"{found.path}: {error.strerror}") from None
    finally:
        os.close(fd)
    if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns):
        raise Refused(f"{found.path}: the file changed while it was read")
    return index


def _facts(found: Found, index: FlavorIndex) -> FlavorFacts:
    pictures = [
        form
        for track in index.of_kind(Kind.VIDEO)
        if isinstance(form := track.track.format, VideoFormat)
    ]
    tallest = max(pictures, key=lambda form: form.height, default=None)
    seconds = max(Fraction(t.end - t.origin, t.track.timescale) for t in index.tracks)
    codecs = dict.fromkeys(track.track.format.codec for track in index.tracks)
    return FlavorFacts(
        path=found.path,
        size=found.size,
        mtime_ns=found.mtime_ns,
        width=None if tallest is None else tallest.width,
        height=None if tallest is None else tallest.height,
        codecs=",".join(codecs),
        duration_ms=max(0, round(seconds * 1000)),
        bitrate=round(found.size * 8 / seconds) if seconds > 0 else 0,
        identity=bytes.fromhex(index.digest),
    )


def _stored(index: FlavorIndex) -> NewIndex:
    blocks = tuple(
        IndexBlock(position, number, data)
        for position, own in enumerate(index.blocks)
        for number, data in own.items()
    )
    return NewIndex(FORMAT, encode_header(index), blocks)
