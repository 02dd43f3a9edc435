"""Fixtures for every test.  Importable helpers are in ``tests.support``."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support")  # before the first import of it

from tests.support.needs import need_folder  # noqa: E402


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """A folder of real media, beside what the tests make themselves."""
    return need_folder("HEADRACE_TEST_MEDIA", "a folder of real media")


@pytest.fixture(scope="session")
def dash_xsd() -> Path:
    """The schema of DASH manifests."""
    return need_folder("HEADRACE_DASH_XSD", "the DASH schema, DASH-MPD.xsd or its folder")
