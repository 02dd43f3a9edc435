"""Shared counters: every process its row, readers the sum."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.counters import Counter, Counters, Gauge, Histogram

HITS = Counter("hits_total", "Hits.", {"tier": ("ram", "disk"), "method": ("GET", "HEAD")})
OPEN = Gauge("open", "Open connections.")
SIZES = Histogram("sizes", "Sizes.", (10, 100), {"tier": ("ram", "disk")})


@pytest.fixture
def counters() -> Counters:
    return Counters((HITS, OPEN, SIZES), workers=2)


def text(counters: Counters) -> list[str]:
    lines = counters.exposition()[0].decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_series_is_the_sum_of_the_rows(counters: Counters) -> None:
    for worker, amount in ((0, 3), (1, 4)):
        counters.row(worker).add("hits_total", "disk", "GET", amount=amount)
    counters.parent_row().add("hits_total", "disk", "GET")
    assert counters.value("hits_total", "disk", "GET") == 8
    assert counters.value("hits_total", "disk", "HEAD") == 0


def test_an_index_counts_what_the_name_counts(counters: Counters) -> None:
    row = counters.row(1)
    index = row.index("hits_total", "ram", "GET")
    row.cells[index] += 2
    assert counters.value("hits_total", "ram", "GET") == 2


def test_children_count_into_the_memory_of_the_parent(counters: Counters) -> None:
    pid = os.fork()
    if pid == 0:
        counters.row(0).add("open", amount=5)
        os._exit(0)
    os.waitpid(pid, 0)
    assert counters.value("open") == 5


def test_gauges_are_cleared_and_counters_stay(counters: Counters) -> None:
    row = counters.row(0)
    row.add("hits_total", "ram", "GET")
    row.set("open", to=7)
    row.histogram("sizes", "ram").observe(1)
    counters.row(1).set("open", to=1)
    row.clear_gauges()
    assert counters.value("open") == 1
    assert counters.value("hits_total", "ram", "GET") == 1
    assert 'sizes_count{tier="ram"} 1.0' in text(counters)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1000))))
def test_a_histogram_counts_up_to_each_bound(seen: list[tuple[int, float]]) -> None:
    counters = Counters((HITS, SIZES), workers=2)
    for worker, value in seen:
        counters.row(worker).histogram("sizes", "disk").observe(value)
    lines = text(counters)
    for bound, limit in (("10", 10), ("100", 100), ("+Inf", float("inf"))):
        below = sum(value <= limit for _, value in seen)
        assert any(
            line.startswith(f'sizes_bucket{{le="{bound}') and line.endswith(f" {below}.0")
            for line in lines
            if 'tier="disk"' in line
        )
    [total] = [line for line in lines if line.startswith('sizes_sum{tier="disk"}')]
    assert float(total.split()[-1]) == pytest.approx(sum(value for _, value in seen))


def test_exposition_names_type_help_and_labels(counters: Counters) -> None:
    counters.row(0).add("hits_total", "disk", "HEAD")
    body, content_type = counters.exposition()
    assert content_type.startswith("text/plain")
    lines = body.decode().splitlines()
    assert "# TYPE hits_total counter" in lines
    assert "# HELP open Open connections." in lines
    assert 'hits_total{method="HEAD",tier="disk"} 1.0' in lines


@pytest.mark.parametrize(
    "declared",
    [
        (OPEN, Counter("open", "Again.")),
        (Counter("wide_total", "x", {"a": [str(n) for n in range(1 << 17)]}),),
    ],
    ids=["a name twice", "labels without end"],
)
def test_declarations_are_checked(declared: tuple[Counter, ...]) -> None:
    with pytest.raises(ValueError, match=r"open|two metrics|cells"):
        Counters(declared, workers=1)


def test_only_declared_label_values_count(counters: Counters) -> None:
    with pytest.raises(KeyError):
        counters.row(0).index("hits_total", "tape", "GET")
    with pytest.raises(TypeError):
        counters.row(0).histogram("open")
