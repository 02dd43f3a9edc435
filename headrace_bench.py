"""``headrace bench``: a program for each question, and a page of what they found; and
``headrace shadow``."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace import FAILED, Misuse, say

app = typer.Typer(
    name="bench",
    help="Measure the servers against their floor.",
    add_completion=False,
)


def _option(name: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    variable = f"HEADRACE_BENCH_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


def _shadow(name: str, help: str, **more: Any) -> Any:  # noqa: A002
    variable = f"HEADRACE_SHADOW_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


Quick = Annotated[bool, _option("quick", "Fewer and shorter runs, shorter files.")]
Out = Annotated[Path, _option("out", "Folder of the results.", metavar="DIR", file_okay=False)]
Media = Annotated[
    Path | None,
    _option("media", "Folder that keeps the media files.", metavar="DIR", file_okay=False),
]
OUT = Path("bench-results")

_PROGRAMS = {
    "packaging": "What packaging a segment costs, by container, without a network",
    "origin": "What a request costs the origin, in floors",
    "edge": "How many hits the edge serves in a second of CPU, against nginx",
    "cold": "What the first manifest and the first segment cost a cold origin",
    "pictures": "What a thumbnail costs, in decodings of its key frame",
    "herd": "What many requests for one cold segment cost an edge and its origin",
}


@dataclass(frozen=True, slots=True)
class _Order:
    quick: bool
    out: Path
    media: Path | None


def _run(
    command: str, order: _Order, measure: Callable[[Any], None], *, last: bool = True
) -> int:
    """Let *measure* use a harness, which tells the machine after the *last*; the exit
    status."""
    from bench.errors import BenchError
    from bench.harness import Harness
    from bench.machine import client_core
    from bench.processes import pin
    from bench.settings import QUICK, Scale, Settings

    pin(client_core())
    scale = QUICK if order.quick else Scale()
    harness = Harness(Settings(out=order.out, media=order.media, scale=scale))
    try:
        measure(harness)
    except BenchError as error:
        return say(command, str(error), FAILED)
    finally:
        harness.show()
        if last and harness.results:
            harness.show_machine()
    return 0


def _program(name: str) -> Callable[[bool, Path, Path | None], int]:
    def command(quick: Quick = False, out: Out = OUT, media: Media = None) -> int:
        measure = import_module(f"bench.{name}").run
        return _run(f"headrace bench {name}", _Order(quick, out, media), measure)

    command.__doc__ = f"{_PROGRAMS[name]}."
    return command


for _name in _PROGRAMS:
    app.command(_name)(_program(_name))


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="URL", help="A playlist or MPD...")],
    second: Annotated[str, typer.Argument(metavar="URL", help="...and one of another server.")],
    quick: Quick = False,
    out: Out = OUT,
) -> int:
    """The same requests to two servers in turn, and the ratio of every figure."""

    def measure(harness: Any) -> None:
        from bench.compare import run

        run(harness, first, second)

    for url in (first, second):
        if not url.startswith("http://"):
            raise typer.BadParameter(f"{url} is not http://host:port/...")
    return _run("headrace bench compare", _Order(quick, out, None), measure)


@app.command()
def report(
    folder: Annotated[
        Path, _option("in", "Folder of the results.", metavar="DIR", file_okay=False)
    ] = OUT,
) -> int:
    """Write the page of the newest results."""
    return _write_page("headrace bench report", folder)


@app.command(hidden=True)
def catalog(
    data: Annotated[str, _option("data", "Folder or URL of the database.")] = "headrace-data",
    entries: Annotated[int, _option("entries", "How many it has.", min=1)] = 1_000_000,
    lookups: Annotated[int, _option("lookups", "How many are looked up.", min=1)] = 5_000,
    rows: Annotated[bool, _option("rows", "Print the entries, for headrace import.")] = False,
) -> int:
    """What a cold lookup in a large catalog costs."""
    from headrace_bench_catalog import lines, measure
    from metadata.errors import MetadataError

    if rows:
        for line in lines(entries):
            typer.echo(line)
        return 0
    try:
        typer.echo(json.dumps(measure(data, entries, lookups)))
    except (LookupError, MetadataError) as error:
        return say("headrace bench catalog", str(error), FAILED)
    return 0


@app.command("all")
def run_all(quick: Quick = False, out: Out = OUT, media: Media = None) -> int:
    """All of these but compare, and the page."""
    order = _Order(quick, out, media)
    status = 0
    for name in _PROGRAMS:
        measure, last = import_module(f"bench.{name}").run, name == list(_PROGRAMS)[-1]
        status = max(status, _run(f"headrace bench {name}", order, measure, last=last))
    return max(status, _write_page("headrace bench all", out))


def _write_page(command: str, folder: Path) -> int:
    from bench.errors import BenchError
    from bench.report import write_page

    try:
        typer.echo(write_page(folder))
    except BenchError as error:
        return say(command, str(error), FAILED)
    return 0


def shadow(
    log: Annotated[
        str, typer.Argument(metavar="LOG", help="Access log of the peer; - for stdin.")
    ],
    peer: Annotated[str, _shadow("peer", "The packager that wrote it.", metavar="URL")],
    origin: Annotated[
        str, _shadow("origin", "The one that is compared with it.", metavar="URL")
    ] = "http://127.0.0.1:8081",
    rewrite: Annotated[
        list[str] | None,
        _shadow("rewrite", "Prefix of the peer's paths, and ours.", metavar="/OLD=/NEW"),
    ] = None,
    limit: Annotated[
        int, _shadow("limit", "Targets at most.", min=1, max=1_000_000, metavar="N")
    ] = 1000,
    sample: Annotated[str, _shadow("sample", "One target of N.", metavar="1/N")] = "1/1",
    jobs: Annotated[int, _shadow("jobs", "Targets at a time.", min=1, max=16, metavar="N")] = 2,
    ignore: Annotated[
        list[str] | None,
        _shadow("ignore", "Reason that is counted, and no difference.", metavar="REASON"),
    ] = None,
    frame_rate: Annotated[
        float, _shadow("frame-rate", "Frames a second, where nothing says it.", min=1, max=240)
    ] = 25,
    bandwidth: Annotated[
        float, _shadow("bandwidth", "Share that two bit rates may differ by.", min=0, max=1)
    ] = 0.5,
) -> int:
    """Replay an access log of another packager, and compare its answers with ours."""
    try:
        from bench.shadow.program import Order, parse_sample, run
    except ModuleNotFoundError as error:
        if error.name not in ("av", "m3u8"):
            raise
        return say("headrace shadow", "needs pip install 'headrace[bench]'", FAILED)
    from bench.errors import BenchError
    from bench.shadow.asking import Side, parse_rewrite
    from bench.shadow.differences import Tolerance, known_reasons

    try:
        sides = Side("--peer", peer), Side("--origin", origin)
        order = Order(
            log=log,
            limit=limit,
            sample=parse_sample(sample),
            jobs=jobs,
            rewrites=tuple(parse_rewrite(one) for one in rewrite or ()),
            ignored=known_reasons(ignore or ()),
            tolerance=Tolerance(bandwidth=bandwidth, frame=1 / frame_rate),
        )
    except ValueError as error:
        raise Misuse(str(error)) from error
    try:
        return run(order, *sides, typer.echo)
    except BenchError as error:
        return say("headrace shadow", str(error), FAILED)
