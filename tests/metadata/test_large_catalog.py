"""The program that measures a large catalog, on a small one: two statements a lookup."""

from pathlib import Path

import pytest

from headrace_bench_catalog import lines, measure
from origin.importing.program import Order, run


def test_a_lookup_is_two_statements(where: str, tmp_path: Path) -> None:
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(lines(2_000)))
    assert run(Order(str(file), where, None, 1_000, False), as_json=True) == 0
    found = measure(where, 2_000, 50)
    assert found["statements"] == 2
    assert 0 < found["cpu_ms"]["median"] <= found["cpu_ms"]["p99"]


def test_a_catalog_that_is_another_one(where: str, tmp_path: Path) -> None:
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(lines(10)))
    assert run(Order(str(file), where, None, 1_000, False), as_json=True) == 0
    with pytest.raises(LookupError, match="is not there"):
        measure(where, 2_000, 50)
