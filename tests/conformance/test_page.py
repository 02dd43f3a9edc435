"""docs/conformance.md says what happens to the files that are here."""

import pytest

from tests.conformance.files import media_names
from tests.conformance.laboratory import Laboratory
from tests.conformance.page import INTRODUCTION, PAGE, row_of, rows_in

REMEDY = "python -m tests.conformance.page writes it anew"


@pytest.mark.parametrize("name", media_names() or [pytest.param("", id="no media")])
def test_the_page_has_its_row(lab: Laboratory, name: str) -> None:
    rows = rows_in(PAGE.read_text())
    if name in rows:  # files that nobody has seen have none
        assert rows[name] == row_of(lab, name), REMEDY


def test_the_page_begins_as_it_should() -> None:
    assert PAGE.read_text().startswith(INTRODUCTION.read_text()), REMEDY
    assert list(rows_in(PAGE.read_text())) == sorted(rows_in(PAGE.read_text()))
