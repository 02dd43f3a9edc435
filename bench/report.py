"""The results as one page of HTML that needs nothing else: tables, bars, the machine."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from bench.chart import bars
from bench.errors import BenchError
from bench.figures import Figure, Result, show
from bench.harness import columns, groups, notes
from bench.machine import busy, describe

PAGE = "report.html"

_PLOTTED = (
    "floors", "to video", "to bare", "cold to warm", "hits to nginx", "hits to nginx, disk",
    "CPU A/B", "whole A/B", "CPU", "last first byte",
)  # fmt: skip
"""Figures that are drawn, where there are several cases or runs of them."""

_QUESTIONS = {
    "packaging": "What packaging one segment costs, without a network",
    "origin": "What a request costs the origin",
    "edge": "What a hit costs the edge, beside nginx",
    "cold": "What the first answers cost an origin that knows nothing of the file",
    "pictures": "What a thumbnail costs",
    "herd": "What many requests for one cold segment cost",
    "compare": "The same requests to two servers",
}

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --dim: #66727f; --line: #d5dce3;
        --bar: #5b8fd0; --met: #4a9d6b; --missed: #cf6a4e; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --dim: #93a0ac; --line: #37424d; --bar: #5f93d6; --met: #57ab78;
          --missed: #d8795e; --page: #14191f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
       margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .2rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 1.2rem 0 .3rem; }
p { margin: .2rem 0; } .dim, small { color: var(--dim); }
.scroll { overflow-x: auto; margin-top: .8rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
         vertical-align: top; white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; } th small { display: block; font-weight: 400; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { display: block; } .met { color: var(--met); } .missed { color: var(--missed); }
svg { display: block; width: 100%; max-width: 47rem; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .label { text-anchor: end; } svg .value { fill: var(--dim); }
svg .bar { fill: var(--bar); } svg .bar.met { fill: var(--met); }
svg .bar.missed { fill: var(--missed); }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; opacity: .6; }
svg .target { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 2; }
ul { color: var(--dim); font-size: .85rem; padding-left: 1.1rem; }
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """The results of one program, all of one time."""

    program: str
    time: str
    machine: dict[str, Any]
    commit: str | None
    load: float
    results: list[Result]


def write_page(folder: Path) -> Path:
    """Write the page of the newest results in *folder*; its path."""
    taken = [latest(file) for file in sorted(folder.glob("*.jsonl"))]
    if not taken:
        raise BenchError(f"{folder}: no results")
    order = list(_QUESTIONS)
    taken.sort(key=lambda one: order.index(one.program) if one.program in order else len(order))
    page = folder / PAGE
    page.write_text(render(taken), encoding="utf-8")
    return page


def latest(file: Path) -> Taken:
    """The last run that *file* holds."""
    try:
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        newest = [line for line in lines if line["time"] == lines[-1]["time"]]
        results = [_result(line) for line in newest]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BenchError(f"{file}: not results: {error!r}") from None
    last = newest[-1]
    load = last.get("load", 0.0)
    return Taken(last["program"], last["time"], last["machine"], last["commit"], load, results)


def _result(line: dict[str, Any]) -> Result:
    figures = {name: Figure.from_json(facts) for name, facts in line["figures"].items()}
    return Result(line["program"], line["case"], figures, tuple(line["notes"]))


def render(taken: Sequence[Taken]) -> str:
    sections = "\n".join(map(_section, taken))
    machines = dict.fromkeys(describe(one.machine) for one in taken)
    said = "".join(f'<p class="dim">{escape(one)}</p>' for one in machines)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Headrace: measurements</title>\n<style>{_STYLE}</style>\n"
        f"<h1>Headrace: measurements</h1>\n{said}\n"
        '<p class="dim">Medians; below each the lowest and the highest run. In the plots a '
        "whisker goes from the one to the other, and a dashed line is the target.</p>\n"
        f"{sections}\n</html>\n"
    )


def _section(taken: Taken) -> str:
    known = taken.commit or "unknown"
    question = _QUESTIONS.get(taken.program, "")
    parts = [
        f"<h2>{escape(taken.program)}: {escape(question)}</h2>",
        f'<p class="dim">{escape(taken.time)}, commit {escape(known)}</p>',
    ]
    if (warning := busy(taken.load)) is not None:
        parts.append(f'<p class="missed">{escape(warning)}</p>')
    for group in groups(taken.results):
        parts += [_plots(group), f'<div class="scroll">{_table(group)}</div>']
    parts.append(_notes(taken.results))
    return "\n".join(parts)


def _plots(results: Sequence[Result]) -> str:
    parts = []
    for name in _PLOTTED:
        rows = [(one.case, one.figures[name]) for one in results if name in one.figures]
        if any(len(figure.runs) > 1 for _, figure in rows) or len(rows) > 1:
            title = _titled(name, rows[0][1].unit)
            parts.append(f"<h3>{escape(title)}</h3>\n{bars(title, rows)}")
    return "\n".join(parts)


def _titled(name: str, unit: str) -> str:
    return name if name == unit else f"{name}, {unit}"


def _table(results: Sequence[Result]) -> str:
    shared = columns(results)
    heads = "".join(
        f"<th>{escape(name)}<small>{escape(unit)}</small></th>" for name, unit in shared.items()
    )
    rows = "\n".join(
        f"<tr><td>{escape(one.case)}</td>"
        + "".join(_cell(one.figures.get(name), unit) for name, unit in shared.items())
        + "</tr>"
        for one in results
    )
    return f"<table>\n<tr><th>case</th>{heads}</tr>\n{rows}\n</table>"


def _cell(one: Figure | None, common_unit: str) -> str:
    if one is None:
        return "<td></td>"
    text = show(one.median) if common_unit else f"{show(one.median)} {escape(one.unit)}"
    if len(one.runs) > 1:
        text += f"<small>{show(min(one.runs))}–{show(max(one.runs))}</small>"
    if one.at_most is not None:
        text += f'<small class="{one.verdict}">≤ {one.at_most:g} {one.verdict}</small>'
    return f"<td>{text}</td>"


def _notes(results: Sequence[Result]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes(results))
    return f"<ul>{items}</ul>" if items else ""
