"""Clips for the tests of whole processes, made once."""

from pathlib import Path

import pytest

from tests.support.clips import make_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small flavors of 14 s and one of some megabytes; not to be changed."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / "a.mp4", width=96, height=54),
        make_clip(folder / "b.mp4", width=128, height=72),
        make_clip(folder / "c.mp4", width=320, height=180, seconds=6, quantizer=24),
    ]
