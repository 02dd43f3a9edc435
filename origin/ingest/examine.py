"""One file to what is stored of it, or a refusal."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from metadata.records import FlavorFacts, IndexBlock, NewIndex
from origin.ingest import remote
from origin.ingest.containers import HEAD, Container, sniff
from origin.ingest.remuxed import Folder, Remuxed
from origin.ingest.remuxer import NotRemuxed
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
    notes: tuple[str, ...] = ()
    """What else a person would want to know."""

    remuxed: Remuxed | None = None
    """What is read in place of the file."""


def examine(
    found: Found, progress: Callable[[int], None], folder: Folder | None = None
) -> Examined:
    """Read and index the file; *progress* is told the bytes that each step has read.  What has
    to be remuxed is, into *folder*.

    Raises ``Refused``, also where the file changes meanwhile.
    """
    container = None if is_remote(found.path) else _foreign(found)
    if container is not None:
        return _examine_remuxed(found, container, progress, folder)
    if is_remote(found.path):
        try:
            index = remote.index(found.path, (found.size, found.mtime_ns), progress)
        except remote.Unreadable as error:
            raise Refused(f"{found.name}: {error}") from None
    else:
        index = _index_file(found, progress)
    return Examined(_facts(found, index, found.size), _stored(index), index.left_out)


def _foreign(found: Found) -> Container | None:
    with _opened(found) as fd:
        return sniff(os.pread(fd, HEAD, 0))


def _examine_remuxed(
    found: Found,
    container: Container,
    progress: Callable[[int], None],
    folder: Folder | None,
) -> Examined:
    if folder is None:
        raise Refused(f"{found.path}: {container.title} is remuxed: --remuxed says where to")
    try:
        with _opened(found) as fd:
            made = folder.remux(fd, found.mtime_ns, progress)
            _check_unchanged(found, fd)
    except NotRemuxed as error:
        raise Refused(f"{found.path}: {error}") from None
    index = _index_file(Found.at(made.part), lambda _: None)
    facts = _facts(found, index, index.file_size)
    left_out = made.left_out + index.left_out
    return Examined(facts, _stored(index), left_out, made.notes, made)


@contextmanager
def _opened(found: Found) -> Iterator[int]:
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{found.path}: {error.strerror}") from None
    try:
        yield fd
    except OSError as error:
        raise Refused(f"{found.path}: {error.strerror}") from None
    finally:
        os.close(fd)


def _check_unchanged(found: Found, fd: int) -> None:
    status = os.fstat(fd)
    if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns):
        raise Refused(f"{found.path}: the file changed while it was read")


def _index_file(found: Found, progress: Callable[[int], None]) -> FlavorIndex:
    with _opened(found) as fd:

        def read(extent: Extent) -> bytes:
            data = os.pread(fd, extent.length, extent.offset)
            progress(len(data))
            return data

        try:
            index = run_reads(build_index(found.size, facts=True), read)
        except PackagerError as error:
            raise Refused(f"{found.path}: {error}") from None
        _check_unchanged(found, fd)
    return index


def _facts(found: Found, index: FlavorIndex, size: int) -> FlavorFacts:
    """*size* is that of the bytes that are played."""
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
        bitrate=round(size * 8 / seconds) if seconds > 0 else 0,
        identity=bytes.fromhex(index.digest),
    )


def _stored(index: FlavorIndex) -> NewIndex:
    blocks = tuple(
        IndexBlock(position, number, data)
        for position, own in enumerate(index.blocks)
        for number, data in own.items()
    )
    return NewIndex(FORMAT, encode_header(index), blocks)
