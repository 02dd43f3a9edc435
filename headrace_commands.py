"""The sub-commands and their options.  Each imports what it needs when it is called."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import edge_cache.command
import headrace_bench
import headrace_filters
import origin.command
from headrace import Misuse, __version__, start_server
from serving.options import Option

app = typer.Typer(
    name="headrace",
    help="Streaming origin and edge cache: HLS and DASH from stored MP4.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

_UsageError: type[Any] = typer.BadParameter.__mro__[1]  # of click, which typer carries inside

NOT_BUILT = {
    "top": "Watch the servers live",
    "explain": "Say how a URL would be answered",
    "config": "Check a configuration",
    "up": "Start what a configuration describes",
}


def invoke(arguments: Sequence[str] | None) -> int:
    """Run the command that *arguments* (by default the process's) name; its exit status."""
    command = typer.main.get_command(app)
    try:
        args = None if arguments is None else list(arguments)
        status = command.main(args, prog_name="headrace", standalone_mode=False)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except _UsageError as error:
        raise Misuse(_usage(error)) from error
    return int(status or 0)


def _usage(error: Any) -> str:
    """Which option is wrong, and how."""
    message, context = error.format_message(), error.ctx
    if not isinstance(error, typer.BadParameter) or error.param is None:
        return f"{message} (see {context.command_path} --help)" if context else str(message)
    param = error.param
    name = param.opts[0] if param.param_type_name == "option" else param.metavar
    message = f"{name}: {error.message or 'it is missing'}"
    source = context.get_parameter_source(param.name) if context else None
    if source is not None and source.name == "ENVIRONMENT":
        message += f" (from {param.envvar})"
    return message


def _option(command: str, name: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    """The option *name* of *command*, which is also a variable."""
    variable = f"HEADRACE_{command}_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


def _port(command: str, name: str, help: str) -> Any:  # noqa: A002
    return _option(command, name, help, min=0, max=65535, metavar="PORT")


def _data(command: str) -> Any:
    return _option(command, "data", "Folder or URL of the database.", metavar="DIR")


def _json(command: str, what: str) -> Any:
    return _option(command, "json", f"Print {what} as JSON.")


DATA = Path("headrace-data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headrace {__version__}")
        raise typer.Exit


@app.callback()
def headrace(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    data: Annotated[Path, _data("demo")] = DATA,
    port: Annotated[int, _port("demo", "port", "Port of the edge; 0 for a free one.")] = 8080,
    seconds: Annotated[
        float,
        _option("demo", "seconds", "Length of the samples.", hidden=True, min=1, max=3600),
    ] = 60,
) -> int:
    """Sample flavors, an origin, an edge and a page that plays them."""
    from headrace_demo import run

    return run(data, port, seconds)


@app.command()
def ingest(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Flavors of one entry, or URLs."),
    ] = None,
    data: Annotated[str, _data("ingest")] = str(DATA),
    entry: Annotated[
        str | None, _option("ingest", "entry", "Id of the entry; made up if new.", metavar="ID")
    ] = None,
    partner: Annotated[
        int,
        _option(
            "ingest", "partner", "Number of the partner.", min=0, max=2**31 - 1, metavar="N"
        ),
    ] = 101,
    name: Annotated[
        str | None, _option("ingest", "name", "Name of the entry.", metavar="TEXT")
    ] = None,
    replace: Annotated[
        str | None,
        _option("ingest", "replace", "Flavor that the file replaces.", metavar="FLAVOR"),
    ] = None,
    captions: Annotated[
        list[str] | None,
        _option(
            "ingest",
            "captions",
            "WebVTT or SRT of the entry; again for more.",
            metavar="FILE[:LANGUAGE[:LABEL]]",
        ),
    ] = None,
    remuxed: Annotated[
        Path | None,
        _option(
            "ingest",
            "remuxed",
            "Folder of remuxed files; by default beside the database.",
            metavar="DIR",
        ),
    ] = None,
    data_center: Annotated[
        int,
        _option("ingest", "data-center", "Number of ours.", min=0, max=2**31 - 1, metavar="N"),
    ] = 0,
    json: Annotated[bool, _json("ingest", "the flavors")] = False,
) -> int:
    """Make an entry of files or objects (s3://…), which stay where they are."""
    from origin.ingest.program import ingest

    said = tuple(captions or ())
    return ingest(
        tuple(files or ()),
        data,
        entry,
        partner,
        name,
        replace,
        json,
        said,
        remuxed,
        data_center,
    )


@app.command()
def entries(
    data: Annotated[str, _data("entries")] = str(DATA),
    json: Annotated[bool, _json("entries", "the entries")] = False,
) -> int:
    """List the entries."""
    from origin.ingest.program import entries

    return entries(data, json)


@app.command()
def show(
    entry: Annotated[str, typer.Argument(metavar="ID", help="The entry.")],
    data: Annotated[str, _data("show")] = str(DATA),
    json: Annotated[bool, _json("show", "the flavors")] = False,
) -> int:
    """Show an entry and its flavors."""
    from origin.ingest.program import show

    return show(data, entry, json)


@app.command()
def migrate(
    data: Annotated[
        str, _option("migrate", "data", "Folder or URL of the database.", metavar="DIR")
    ] = str(DATA),
) -> int:
    """Make the tables of the database, or bring them to this version."""
    from origin.importing.migrating import run

    return run(data)


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Entries; - for stdin.")],
    data: Annotated[
        str, _option("import", "data", "Folder or URL of the database.", metavar="DIR")
    ] = str(DATA),
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        _option(
            "import", "format", "jsonl or csv, where the name tells neither.", metavar="NAME"
        ),
    ] = None,
    batch: Annotated[
        int,
        _option("import", "batch", "Rows of a transaction.", min=1, max=100_000, metavar="N"),
    ] = 10_000,
    dry_run: Annotated[
        bool, _option("import", "dry-run", "Look at the rows only; touch no database.")
    ] = False,
    json: Annotated[bool, _json("import", "the summary")] = False,
) -> int:
    """Take over the entries of another system."""
    from origin.importing.program import Order, run

    return run(Order(file, data, format, batch, dry_run), as_json=json)


def _server(name: str, options: Callable[..., dict[str, object]]) -> Callable[..., int]:
    """The command that starts a server with these *options*, each in typer's words."""

    def command(**given: Any) -> int:
        start_server(name, options(**given))

    signature = inspect.signature(options)
    own = [
        one.replace(annotation=_in_typers_words(one.annotation))
        for one in signature.parameters.values()
    ]
    command.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in own}
    command.__doc__ = options.__doc__
    return command


def _in_typers_words(annotation: Any) -> Any:
    option: Option = annotation.__metadata__[0]
    made: Any = typer.Option(
        option.flag,
        envvar=option.variable,
        help=option.help,
        metavar=option.metavar,
        min=option.min,
        max=option.max,
        parser=option.parser and _explained(option.parser),
        hidden=option.hidden,
        exists=option.exists is not None,
        file_okay=option.exists != "folder",
        dir_okay=option.exists != "file",
    )
    return Annotated[annotation.__origin__, made]


def _explained(parser: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return parser(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


app.command("origin")(_server("origin", origin.command.options))
app.command("edge")(_server("edge", edge_cache.command.options))


@app.command()
def purge(
    edge: Annotated[
        list[str],
        _option("purge", "edge", "Administration of a node; may be repeated.", metavar="URL"),
    ],
    token_file: Annotated[
        Path, _option("purge", "token-file", "File with the nodes' token.", metavar="FILE")
    ],
    urls: Annotated[
        list[str] | None,
        typer.Argument(metavar="URL...", help="URLs or paths; a closing * means a prefix."),
    ] = None,
    prefix: Annotated[
        list[str] | None,
        _option("purge", "prefix", "All URLs that begin so.", metavar="PREFIX"),
    ] = None,
    tag: Annotated[
        list[str] | None,
        _option("purge", "tag", "All responses with this tag.", metavar="TAG"),
    ] = None,
    everything: Annotated[bool, _option("purge", "all", "Everything.")] = False,
    soft: Annotated[
        bool, _option("purge", "soft", "Make it stale at once instead of removing it.")
    ] = False,
) -> int:
    """Remove what is cached from every edge that is named."""
    from edge_cache.purging.command import Unusable
    from edge_cache.purging.command import purge as send

    names = {"urls": urls or (), "prefixes": prefix or (), "tags": tag or ()}
    try:
        answers = send({**names, "all": everything, "soft": soft}, edge, token_file)
    except Unusable as error:
        raise Misuse(str(error)) from error
    for answer in answers:
        typer.echo(f"{answer.edge}: {answer.text}")
    return int(not all(answer.done for answer in answers))


@app.command()
def lint(
    target: Annotated[
        str | None,
        typer.Argument(metavar="URL|FILE", help="A playlist, an MPD, a segment or a folder."),
    ] = None,
    json: Annotated[bool, _json("lint", "the findings")] = False,
    max_segments: Annotated[
        int,
        _option(
            "lint",
            "max-segments",
            "Segments of each rendition: the first ones and the last.",
            min=1,
            max=100_000,
            metavar="N",
        ),
    ] = 20,
    header: Annotated[
        list[str] | None,
        _option("lint", "header", "Sent to the server of the URL.", metavar="NAME:VALUE"),
    ] = None,
    timeout: Annotated[
        float,
        _option("lint", "timeout", "Seconds for one answer.", min=0.1, max=600, metavar="S"),
    ] = 20,
    rules: Annotated[bool, _option("lint", "rules", "List the checks.")] = False,
) -> int:
    """Check playlists, manifests and segments."""
    from lint.command import Misused, list_rules, run

    if rules:
        return list_rules(as_json=json)
    if target is None:
        raise Misuse("URL|FILE: it is missing")
    try:
        return run(
            target, as_json=json, most=max_segments, headers=header or (), timeout=timeout
        )
    except Misused as error:
        raise Misuse(str(error)) from error


def _not_built(name: str) -> Callable[[], int]:
    def command() -> int:
        raise Misuse("not built yet")

    command.__doc__ = f"{NOT_BUILT[name]} (not built yet)."
    return command


app.command("shadow")(headrace_bench.shadow)
app.add_typer(headrace_bench.app)
app.add_typer(headrace_filters.app)

for _name in NOT_BUILT:
    _lenient = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(_name, context_settings=_lenient)(_not_built(_name))
