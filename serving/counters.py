"""Counters, gauges and histograms that all workers of a program share.

They are declared before the fork and live in anonymous shared memory: one row of float64 cells
for each worker and a last one for the parent.  A row has one writer, so there is no lock: an
aligned store of eight bytes is seen whole.  Readers sum the column.  float64 counts exactly up
to 2**53, which is 9 PB in bytes.

A worker that dies leaves its counts behind, and its replacement goes on in the same row; only
gauges start at zero again, because what they told of went with the process.
"""

import mmap
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

    Cells = memoryview[float]
else:
    Cells = memoryview  # which takes no parameter at run time before Python 3.14

_CELL = 8
_MAX_CELLS = 1 << 16
"""Cells in a row, 512 KiB: a label with free values would multiply them without end."""

Labels = Mapping[str, Sequence[str]]
"""Label names, each with every value that it may take."""


@dataclass(frozen=True, slots=True)
class Counter:
    name: str
    """In Prometheus' way, ``headrace_edge_requests_total``."""
    help: str
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    help: str
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Histogram:
    name: str
    help: str
    buckets: tuple[float, ...]
    """Upper bounds, ascending and inclusive; a last one without bound is added."""
    labels: Labels = field(default_factory=dict)


Metric = Counter | Gauge | Histogram
Series = tuple[str, ...]
"""A metric's name and one value for each of its labels."""


class Observer:
    """One histogram of one worker."""

    __slots__ = ("_buckets", "_cells", "_start", "_sum")

    def __init__(self, cells: Cells, start: int, buckets: tuple[float, ...]) -> None:
        self._cells = cells
        self._buckets = buckets
        self._start = start
        self._sum = start + len(buckets) + 1

    def observe(self, value: float) -> None:
        cells = self._cells
        cells[self._start + bisect_left(self._buckets, value)] += 1
        cells[self._sum] += value


class Row:
    """One worker's cells.

    Where it matters, resolve the index once and count with ``cells[index] += 1``.
    """

    def __init__(self, cells: Cells, layout: "Layout") -> None:
        self.cells = cells
        self._layout = layout

    def index(self, name: str, *values: str) -> int:
        """Where the series *name* with label *values* (in declared order) is counted."""
        return self._layout.start[(name, *values)]

    def add(self, name: str, *values: str, amount: float = 1) -> None:
        """Count without an index in hand."""
        self.cells[self.index(name, *values)] += amount

    def set(self, name: str, *values: str, to: float) -> None:
        """Set a gauge."""
        self.cells[self.index(name, *values)] = to

    def histogram(self, name: str, *values: str) -> Observer:
        metric = self._layout.metrics[name]
        if not isinstance(metric, Histogram):
            raise TypeError(f"{name} is not a histogram")
        return Observer(self.cells, self.index(name, *values), metric.buckets)

    def clear_gauges(self) -> None:
        for series in self._layout.series():
            if isinstance(self._layout.metrics[series[0]], Gauge):
                self.cells[self._layout.start[series]] = 0


class Layout:
    """Which cell of a row belongs to which series."""

    def __init__(self, declared: Sequence[Metric]) -> None:
        self.metrics = {metric.name: metric for metric in declared}
        if len(self.metrics) != len(declared):
            raise ValueError("two metrics have one name")
        self.start: dict[Series, int] = {}
        self.width = 0
        for metric in declared:
            self._place(metric)

    def series(self) -> Iterator[Series]:
        return iter(self.start)

    def _place(self, metric: Metric) -> None:
        cells = len(metric.buckets) + 2 if isinstance(metric, Histogram) else 1
        for values in product(*metric.labels.values()):
            self.start[(metric.name, *values)] = self.width
            self.width += cells
            if self.width > _MAX_CELLS:
                raise ValueError(f"{metric.name}: more than {_MAX_CELLS} cells")


class Counters:
    """The rows of all workers and of the parent."""

    def __init__(self, declared: Sequence[Metric], workers: int) -> None:
        self._layout = Layout(declared)
        self._workers = workers
        size = max(1, self._layout.width * (workers + 1)) * _CELL
        self._cells = memoryview(mmap.mmap(-1, size)).cast("d")

    def row(self, worker: int) -> Row:
        """The cells that *worker*, and nobody else, may write."""
        width = self._layout.width
        return Row(self._cells[worker * width : (worker + 1) * width], self._layout)

    def parent_row(self) -> Row:
        return self.row(self._workers)

    def value(self, name: str, *values: str) -> float:
        """A counter or gauge, summed over all rows; of a histogram, the first bucket."""
        return self._sum(self._layout.start[(name, *values)])

    def exposition(self) -> tuple[bytes, str]:
        """The Prometheus text of everything, and its content type."""
        # Imported when asked: it costs memory and time that no worker needs to serve.
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.registry import Collector

        counters = self

        class Shared(Collector):
            def collect(self) -> "Iterator[Family]":
                return map(counters._family, counters._layout.metrics.values())

        registry = CollectorRegistry(auto_describe=False)
        registry.register(Shared())
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def _family(self, metric: Metric) -> "Family":
        from prometheus_client import metrics_core as families

        names = list(metric.labels)
        if isinstance(metric, Histogram):
            histogram = families.HistogramMetricFamily(metric.name, metric.help, labels=names)
            self._add_histogram(histogram.add_metric, metric)
            return histogram
        kind = (
            families.CounterMetricFamily
            if isinstance(metric, Counter)
            else families.GaugeMetricFamily
        )
        family = kind(metric.name, metric.help, labels=names)
        for values in product(*metric.labels.values()):
            family.add_metric(list(values), self.value(metric.name, *values))
        return family

    def _add_histogram(self, add: Callable[..., None], metric: Histogram) -> None:
        bounds = [*map(str, metric.buckets), "+Inf"]
        for values in product(*metric.labels.values()):
            start = self._layout.start[(metric.name, *values)]
            counts = accumulate(self._sum(start + at) for at in range(len(bounds)))
            buckets = list(zip(bounds, counts, strict=True))
            add(list(values), buckets, sum_value=self._sum(start + len(bounds)))

    def _sum(self, index: int) -> float:
        return sum(self._cells[index :: self._layout.width])
