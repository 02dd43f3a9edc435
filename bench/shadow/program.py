"""``headrace shadow``: each target of a log, once, to the peer and to us, and what differs.

Differences are JSON lines on standard output, the summary is a table on standard error.
"""

import json
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cache, partial

from rich.console import Console
from rich.table import Table

from bench.shadow.asking import NoAnswer, Rewrite, Side, init_target, our_target
from bench.shadow.contents import compare_bodies, kind_of
from bench.shadow.differences import REASONS, Difference, Tolerance
from bench.shadow.logs import Logged, open_log, parse_line, read_lines

_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Order:
    log: str
    """Path, or ``-``."""

    limit: int = 1000
    """Targets that are compared at most; the log is not read further."""

    sample: int = 1
    """One target of so many, the same ones in every run."""

    jobs: int = 2
    """Targets at a time."""

    rewrites: tuple[Rewrite, ...] = ()
    ignored: frozenset[str] = frozenset()
    """Reasons that are counted and not told."""

    tolerance: Tolerance = field(default_factory=Tolerance)


@dataclass(frozen=True, slots=True)
class Compared:
    logged: Logged
    ours: str
    """The target that we were asked for."""

    kind: str
    statuses: tuple[int | None, int | None]
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class Summary:
    skipped: Counter[str] = field(default_factory=Counter)
    """Lines that were not asked for, by reason."""

    same: Counter[str] = field(default_factory=Counter)
    """Targets by kind, as below."""

    different: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    @property
    def compared(self) -> int:
        return self.same.total() + self.different.total()


def parse_sample(text: str) -> int:
    """
    >>> parse_sample("1/20")
    20
    """
    one, _, number = text.partition("/")
    if one != "1" or not number.isdecimal() or not 1 <= int(number) <= 10**6:
        raise ValueError(f"--sample: {text!r} is not 1/N")
    return int(number)


def run(order: Order, peer: Side, ours: Side, write: Callable[[str], object]) -> int:
    """*write* takes a line; the exit status.  Raises ``BenchError``."""
    summary = Summary()
    with closing(peer), closing(ours), open_log(order.log) as log:
        for side in (peer, ours):
            side.reach()
        targets = choose(map(parse_line, read_lines(log)), order, summary)
        compare = partial(compare_target, peer=peer, ours=ours, order=order)
        for one in _in_threads(compare, targets, order.jobs):
            for line in _count(one, order, summary):
                write(line)
    _show(summary)
    return int(summary.different.total() > 0 or not summary.compared)


def choose(lines: Iterable[Logged | None], order: Order, summary: Summary) -> Iterator[Logged]:
    """What of a log is asked for; what is not is counted."""
    seen: set[tuple[str, str]] = set()
    for one in lines:
        if one is None:
            summary.skipped["not readable"] += 1
        elif one.method not in _METHODS:
            summary.skipped["another method"] += 1
        elif (one.method, one.target) in seen:
            summary.skipped["asked for already"] += 1
        elif zlib.crc32(one.target.encode()) % order.sample:
            summary.skipped["not in the sample"] += 1
        else:
            seen.add((one.method, one.target))
            yield one
            if len(seen) >= order.limit:
                return


def compare_target(logged: Logged, *, peer: Side, ours: Side, order: Order) -> Compared:
    target = our_target(logged.target, order.rewrites)
    answers, told = [], ["", ""]
    for number, (side, asked) in enumerate(((peer, logged.target), (ours, target))):
        try:
            answers.append(side.ask(logged.method, asked))
        except NoAnswer as error:
            told[number] = str(error)
    if len(answers) < 2:
        return Compared(logged, target, "other", (None, None), (Difference("answer", *told),))
    a, b = answers
    statuses = a.status, b.status
    kind = str(kind_of(a.body)) if a.status == 200 and a.body else "other"
    if a.status // 100 != b.status // 100:
        found = [Difference("status", str(a.status), str(b.status))]
    elif a.status != 200 or logged.method == "HEAD":
        found = []
    else:

        @cache
        def init() -> tuple[bytes, bytes]:
            return _init(peer, logged.target), _init(ours, target)

        found = list(compare_bodies(a.body, b.body, order.tolerance, init))
    return Compared(logged, target, kind, statuses, tuple(found))


def _init(side: Side, segment: str) -> bytes:
    target = init_target(segment)
    if target is None:
        raise NoAnswer("which one goes with it cannot be told by its name")
    answer = side.ask("GET", target)
    if answer.status != 200:
        raise NoAnswer(f"{side.url}{target}: status {answer.status}")
    return answer.body


def _in_threads(
    compare: Callable[[Logged], Compared], targets: Iterator[Logged], jobs: int
) -> Iterator[Compared]:
    """In the order of the log, so many ahead and no more."""
    running: deque[Future[Compared]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        for one in targets:
            running.append(pool.submit(compare, one))
            if len(running) >= 2 * jobs:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _count(one: Compared, order: Order, summary: Summary) -> Iterator[str]:
    """The line of each difference that is not ignored."""
    told = [found for found in one.differences if found.reason not in order.ignored]
    summary.ignored.update(found.reason for found in set(one.differences) - set(told))
    summary.reasons.update({found.reason for found in told})
    (summary.different if told else summary.same)[one.kind] += 1
    for found in told:
        line = {
            "target": one.logged.target,
            "ours_target": one.ours,
            "method": one.logged.method,
            "kind": one.kind,
            "logged": one.logged.status,
            "statuses": one.statuses,
            **asdict(found),
        }
        yield json.dumps(line)


def _show(summary: Summary) -> None:
    console = Console(stderr=True)
    table = Table("kind", "the same", "different", title=f"{summary.compared} compared")
    for kind in sorted(summary.same | summary.different):
        table.add_row(kind, str(summary.same[kind]), str(summary.different[kind]))
    console.print(table)
    rows = [(name, REASONS[name], count, "") for name, count in summary.reasons.items()]
    rows += [(name, REASONS[name], n, "ignored") for name, n in summary.ignored.items()]
    rows += [("not asked", name, count, "") for name, count in summary.skipped.items()]
    if rows:
        reasons = Table("reason", "what it is", "targets", "")
        for name, what, count, note in rows:
            reasons.add_row(name, what, str(count), note)
        console.print(reasons)
