"""Local files: what is read is what is there, and nothing of another file."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage import local
from origin.storage.local import LocalFile, LocalFiles
from origin.windows import reads_of
from packager.plan import Extent

SIZE = 300_000
CONTENT = os.urandom(SIZE)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("storage") / "file"
    path.write_bytes(CONTENT)
    return path


def read(file: LocalFile, extents: list[Extent]) -> bytes:
    buffer = memoryview(bytearray(sum(extent.length for extent in extents)))
    asyncio.run(file.read(reads_of(tuple(extents)), buffer))
    return bytes(buffer)


def plainly(extents: list[Extent]) -> bytes:
    return b"".join(CONTENT[e.offset : e.offset + e.length] for e in extents)


gaps = st.sampled_from([0, 1, 8191, 8192, 8193, 20_000])
lengths = st.integers(1, 3000)


@given(st.lists(st.tuples(gaps, lengths), max_size=12))
def test_extents_in_order(source: Path, steps: list[tuple[int, int]]) -> None:
    extents, position = [], 0
    for gap, length in steps:
        extents.append(Extent(position + gap, length))
        position += gap + length
    assert read(LocalFile.at(str(source)), extents) == plainly(extents)


@given(st.lists(st.builds(Extent, st.integers(0, SIZE - 3000), lengths), max_size=12))
def test_extents_in_any_order(source: Path, extents: list[Extent]) -> None:
    assert read(LocalFile.at(str(source)), extents) == plainly(extents)


def test_many_extents(source: Path) -> None:
    """More than one call of the system takes."""
    extents = [Extent(number * 20, 10) for number in range(5000)]
    assert read(LocalFile.at(str(source)), extents) == plainly(extents)


def test_what_is_not_in_the_page_cache(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalFile, "_read_cached", lambda self, reads, buffer: False)
    extents = [Extent(0, 10), Extent(100, 7), Extent(SIZE - 5, 5)]
    assert read(LocalFile.at(str(source)), extents) == plainly(extents)


def test_a_file_that_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    file = LocalFile.at(str(path))
    os.utime(path, ns=(0, 0))
    with pytest.raises(SourceChanged):
        read(file, [Extent(0, 10)])
    file = LocalFile.at(str(path))
    os.truncate(path, 1000)
    with pytest.raises(SourceChanged):
        read(file, [Extent(900, 200)])


def test_a_file_that_cannot_be_read(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(5, "Input/output error")

    file = LocalFile.at(str(source))
    monkeypatch.setattr(local, "preadv", fail)
    with pytest.raises(SourceUnavailable, match="Input/output error"):
        read(file, [Extent(0, 10)])


def test_what_is_no_file(tmp_path: Path) -> None:
    for name in ("", "nothing", "n" * 300, "file/below"):
        (tmp_path / "file").touch()
        with pytest.raises(NotFound):
            LocalFile.at(str(tmp_path / name))


def test_few_files_are_kept_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        files = LocalFiles(2)
        paths = [tmp_path / str(number) for number in range(4)]
        for path in paths:
            path.write_bytes(CONTENT[:100])
        first = await files.open(str(paths[0]))
        assert await files.open(str(paths[0])) is first
        for path in paths[1:]:
            await files.open(str(path))
        buffer = memoryview(bytearray(10))
        await first.read([(0, 0, 10)], buffer)  # let go of, but its user still holds it
        assert bytes(buffer) == CONTENT[:10]
        assert await files.open(str(paths[0])) is not first
        paths[0].write_bytes(b"x" * 100)
        os.utime(paths[0], ns=(0, 0))
        assert (await files.open(str(paths[0]))).identity.mtime_ns == 0

    asyncio.run(scenario())
