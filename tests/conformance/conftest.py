"""One origin over all files, and the judges, for as long as the suite runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.judging import Decoder, StrictParser, strict_parser
from tests.conformance.laboratory import Laboratory, laboratory


@pytest.fixture(scope="session")
def lab(media_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(media_dir, tmp_path_factory.mktemp("conformance")) as found:
        yield found


@pytest.fixture(scope="session")
def strict() -> Iterator[StrictParser]:
    with strict_parser() as found:
        yield found


@pytest.fixture(scope="session")
def decoder() -> Decoder:
    return Decoder()
