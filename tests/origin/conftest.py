"""Clips that are made once, and an origin that all tests of a module ask."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from origin.config import OriginConfig
from tests.origin.inside import Origin, running, take
from tests.support.clips import make_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``a.mp4 b.mp4 c.mp4``: three flavors, to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("clips")
    for name, width, height in (("a", 96, 54), ("b", 128, 72), ("c", 160, 90)):
        make_clip(folder / f"{name}.mp4", width=width, height=height)
    return folder


@pytest.fixture
def files(clips: Path, tmp_path: Path) -> list[Path]:
    """Copies of the clips, of this test's own."""
    folder = tmp_path / "media"
    shutil.copytree(clips, folder)
    return sorted(folder.glob("*.mp4"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Origin]]:
    """Start an origin on ``tmp_path/data`` and ``tmp_path/media`` with other limits."""
    with ExitStack() as stack:

        def begin(**options: Any) -> Origin:
            root = tmp_path / "media"
            known = {"data": tmp_path / "data", "local_root": root if root.is_dir() else None}
            return stack.enter_context(running(OriginConfig(**known | options)))

        yield begin


@pytest.fixture(scope="module")
def shared(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """An origin over the clips, below ``local/`` and as an entry."""
    data = tmp_path_factory.mktemp("data")
    flavors = take(data, *sorted(clips.glob("*.mp4")))
    with running(OriginConfig(data=data, local_root=clips)) as origin:
        origin.entry = flavors[0]["entry"]
        origin.flavors = [one["flavor"] for one in flavors]
        yield origin
