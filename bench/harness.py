"""What every program measures with: results as JSON lines, a table with the spread, bars.

Each program is a function that takes a ``Harness``, in a module that says in its first line
which question it answers.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from bench.figures import Figure, Result, show
from bench.machine import busy, commit, describe, load, machine, now
from bench.media import make_media
from bench.samples.flavors import Flavor
from bench.settings import Scale, Settings

_COLOURS = {"met": "green", "missed": "red"}
_WIDTH = 180
"""Columns where the output is not a terminal that has its own."""


class Harness:
    def __init__(self, settings: Settings, *, output: Console | None = None) -> None:
        self.settings = settings
        self.results: list[Result] = []
        self._output = output or _console()
        self._errors = Console(stderr=True)
        self._time, self._load = now(), load()

    @property
    def scale(self) -> Scale:
        return self.settings.scale

    # -- results

    def record(self, result: Result) -> None:
        """Keep *result*, as a line of its program's file too."""
        self.results.append(result)
        line = json.dumps(as_line(result, self._time, self._load), ensure_ascii=False)
        self.settings.out.mkdir(parents=True, exist_ok=True)
        with (self.settings.out / f"{result.program}.jsonl").open("a") as file:
            file.write(line + "\n")

    def show(self) -> None:
        """All results so far, in tables."""
        programs = dict.fromkeys(result.program for result in self.results)
        for program in programs:
            own = [result for result in self.results if result.program == program]
            for group in groups(own):
                self._output.print(table(f"headrace bench {program}", group))
            for note in notes(own):
                self._output.print(f"  {note}", style="dim", highlight=False)

    def show_machine(self) -> None:
        """Where all that was measured."""
        known = commit() or "unknown"
        self._output.print(f"{describe(machine())}, commit {known}", style="dim")
        if (warning := busy(self._load)) is not None:
            self._output.print(warning, style="yellow")

    # -- progress

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Callable[[str], None]]:
        """A bar of *total* steps on standard error; call what is yielded after each.

        It is drawn between measurements only: a bar that redraws itself takes CPU.
        """
        with Progress(console=self._errors, auto_refresh=False, transient=True) as progress:
            task = progress.add_task(name, total=total)
            progress.refresh()

            def advance(what: str) -> None:
                progress.update(task, advance=1, description=f"{name}: {what}", refresh=True)

            yield advance

    def media(self, flavor: Flavor, seconds: int) -> Path:
        """A file of that length, made unless it is there."""
        with Progress(console=self._errors, transient=True) as progress:
            tasks: dict[str, TaskID] = {}

            def report(name: str, share: float) -> None:
                if name not in tasks:
                    tasks[name] = progress.add_task(name, total=1)
                progress.update(tasks[name], completed=share)

            return make_media(self.settings.media_folder, flavor, seconds, report)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def notes(results: Sequence[Result]) -> list[str]:
    """Each once, behind the cases that it is about unless it is about all."""
    cases: dict[str, list[str]] = {}
    for result in results:
        for note in result.notes:
            cases.setdefault(note, []).append(result.case)
    return [
        note if len(about) == len(results) else f"{', '.join(about)}: {note}"
        for note, about in cases.items()
    ]


def as_line(result: Result, time: str, load: float) -> dict[str, Any]:
    return {
        "program": result.program,
        "case": result.case,
        "figures": {name: figure.as_json() for name, figure in result.figures.items()},
        "notes": list(result.notes),
        "machine": machine(),
        "commit": commit(),
        "load": load,
        "time": time,
    }


def groups(results: Sequence[Result]) -> list[list[Result]]:
    """Those that have most of their figures in common share a table."""
    found: list[list[Result]] = []
    for result in results:
        names = set(result.figures)
        for group in found:
            if len(names & set(group[0].figures)) > len(names) // 2:
                group.append(result)
                break
        else:
            found.append([result])
    return found


def columns(results: Sequence[Result]) -> dict[str, str]:
    """The figures of *results* and their units; empty where a figure has several."""
    order: list[str] = []
    units: dict[str, set[str]] = {}
    for result in results:
        place = 0
        for name, one in result.figures.items():
            if name not in units:
                order.insert(place, name)
            units.setdefault(name, set()).add(one.unit)
            place = order.index(name) + 1
    return {name: min(units[name]) if len(units[name]) == 1 else "" for name in order}


def table(title: str, results: Sequence[Result]) -> Table:
    """A row for each case: the median of each figure, and from where to where its runs went."""
    found = Table(title=title, title_justify="left")
    found.add_column("case")
    shared = columns(results)
    for name, unit in shared.items():
        header = name.replace(" ", "\n")
        found.add_column(f"{header}\n[dim]{unit}[/]", justify="right", vertical="top")
    for result in results:
        cells = (_cell(result.figures.get(name), unit) for name, unit in shared.items())
        found.add_row(result.case, *cells)
    return found


def _cell(one: Figure | None, common_unit: str) -> str:
    if one is None:
        return ""
    lines = [show(one.median) if common_unit else f"{show(one.median)} {one.unit}"]
    if len(one.runs) > 1:
        lines.append(f"[dim]{show(min(one.runs))}-{show(max(one.runs))}[/]")
    if one.at_most is not None:
        lines.append(f"[{_COLOURS[one.verdict]}]≤ {one.at_most:g} {one.verdict}[/]")
    return "\n".join(lines)
