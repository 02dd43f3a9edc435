"""``headrace bench``: a program for each question, and a page of what they found."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace import FAILED, say

app = typer.Typer(
    name="bench",
    help="Measure the servers against their floor.",
    add_completion=False,
)


def _option(name: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    variable = f"HEADRACE_BENCH_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


Quick = Annotated[bool, _option("quick", "Fewer and shorter runs, shorter files.")]
Out = Annotated[Path, _option("out", "Folder of the results.", metavar="DIR", file_okay=False)]
Media = Annotated[
    Path | None,
    _option("media", "Folder that keeps the media files.", metavar="DIR", file_okay=False),
]
OUT = Path("bench-results")

_PROGRAMS = {
    "origin": "What a request costs the origin, in floors",
    "edge": "How many hits the edge serves in a second of CPU, against nginx",
}


@dataclass(frozen=True, slots=True)
class _Order:
    quick: bool
    out: Path
    media: Path | None


def _run(command: str, order: _Order, programs: list[str]) -> int:
    """Run *programs* one after the other; the exit status."""
    from bench.errors import BenchError
    from bench.harness import Harness
    from bench.settings import QUICK, Scale, Settings

    scale = QUICK if order.quick else Scale()
    harness = Harness(Settings(out=order.out, media=order.media, scale=scale))
    try:
        for program in programs:
            import_module(f"bench.{program}").run(harness)
    except BenchError as error:
        return say(command, str(error), FAILED)
    finally:
        harness.show()
    return 0


def _program(name: str) -> Callable[[bool, Path, Path | None], int]:
    def command(quick: Quick = False, out: Out = OUT, media: Media = None) -> int:
        return _run(f"headrace bench {name}", _Order(quick, out, media), [name])

    command.__doc__ = f"{_PROGRAMS[name]}."
    return command


for _name in _PROGRAMS:
    app.command(_name)(_program(_name))


@app.command("all")
def run_all(quick: Quick = False, out: Out = OUT, media: Media = None) -> int:
    """All of these, and the page."""
    return _run("headrace bench all", _Order(quick, out, media), list(_PROGRAMS))
