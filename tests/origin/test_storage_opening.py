"""Opening what the kernel knows: without a thread; anything else goes to one."""

import asyncio
import os
from pathlib import Path

import pytest

from origin.errors import NotFound
from origin.storage import local
from origin.storage.local import LocalFiles
from origin.storage.opening import open_known


def test_a_known_file(tmp_path: Path) -> None:
    path = tmp_path / "a ü.mp4"
    path.write_bytes(b"12345")
    fd = open_known(str(path))
    if fd is None:
        pytest.skip("the kernel lacks openat2, or forbids it")
    try:
        assert os.pread(fd, 9, 0) == b"12345"
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_what_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    for path in (tmp_path / "nothing", f"{tmp_path}/a\0b", "", f"{tmp_path}/a/b"):
        assert open_known(str(path)) is None


@pytest.mark.parametrize("known", [True, False])
def test_files_are_the_same_either_way(
    tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(local, "open_known", lambda path: None)
    (tmp_path / "a").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")

    async def scenario() -> None:
        files = LocalFiles(4)
        file = await files.open(str(tmp_path / "a"))
        assert file.size == 5
        for name in ("pipe", "", "nothing"):  # "" is the folder
            with pytest.raises(NotFound):
                await files.open(str(tmp_path / name))

    asyncio.run(asyncio.wait_for(scenario(), 10))
