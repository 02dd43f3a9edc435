"""``docs/delivery-contract.md`` lists the parameters, types and numbers that there are."""

import re
from pathlib import Path

from origin.contract.formats import FORMATS
from origin.contract.play_manifest import PARAMETERS
from origin.contract.profiles import TYPES
from origin.contract.refusals import Number
from origin.contract.serve_flavor import REFUSED

TEXT = (Path(__file__).parents[3] / "docs" / "delivery-contract.md").read_text("utf-8")


def rows(header: str) -> list[tuple[str, str]]:
    """The first two cells of each row of the table that begins with *header*."""
    table = TEXT.partition(f"\n| {header} |")[2].partition("\n\n")[0]
    found = [line.strip("| ").split("|") for line in table.splitlines()[2:]]
    assert found, header
    return [(first, rest[-1].strip()) for first, *rest in found]


def words(cell: str) -> list[str]:
    return [word for quoted in re.findall(r"`([^`]+)`", cell) for word in quoted.split()]


def test_parameters() -> None:
    listed = rows("parameter")
    known = {word for cell, said in listed if said != "ignored" for word in words(cell)}
    ignored = {word for cell, said in listed if said == "ignored" for word in words(cell)}
    assert known == set(PARAMETERS)
    assert ignored.isdisjoint(PARAMETERS)


def test_short_names_stand_behind_the_long_ones() -> None:
    for cell, _ in rows("parameter"):
        for quoted in re.findall(r"`([^`]+)`", cell):
            long, *short = quoted.split()
            assert all(PARAMETERS[one] == PARAMETERS[long] for one in short), quoted


def test_formats() -> None:
    assert {word for cell, _ in rows("`format`") for word in words(cell)} == set(FORMATS)


def test_types_of_profiles() -> None:
    numbers = {int(one) for cell, _ in rows("type") for one in re.findall(r"\b\d+\b", cell)}
    assert numbers == set(TYPES)


def test_numbers_of_errors() -> None:
    said = re.search(r"The numbers given: ([0-9, ]+)\.", TEXT)
    assert said is not None
    assert set(map(int, said[1].split(", "))) <= set(Number)


def test_what_serve_flavor_refuses() -> None:
    said = re.search(r"Refused by name \(400\): `([^`]+)`", TEXT)
    assert said is not None
    assert set(said[1].split()) == set(REFUSED)
