"""Fixtures for every test.  Importable helpers are in ``tests.support``."""

from pathlib import Path

import pytest

from tests.support.needs import need_folder

pytest.register_assert_rewrite("tests.support")


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """A folder of real media, beside what the tests make themselves."""
    return need_folder("HEADRACE_TEST_MEDIA", "a folder of real media")


@pytest.fixture(scope="session")
def dash_xsd() -> Path:
    """The schema of DASH manifests."""
    return need_folder("HEADRACE_DASH_XSD", "the DASH schema, DASH-MPD.xsd or its folder")
