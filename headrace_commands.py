"""The sub-commands and their options.  Each imports what it needs when it is called."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import headrace_bench
from headrace import Misuse, __version__, start_server

app = typer.Typer(
    name="headrace",
    help="Streaming origin and edge cache: HLS and DASH from stored MP4.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

_UsageError: type[Any] = typer.BadParameter.__mro__[1]  # of click, which typer carries inside
_SIZE = re.compile(r"([0-9]{1,15})([KMG]?)", re.ASCII | re.IGNORECASE)
_STATUS_SECONDS = re.compile(r"([0-9]{3})=([0-9]{1,9}(?:\.[0-9]{1,6})?)", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

NOT_BUILT = {
    "lint": "Check playlists, manifests and segments",
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


def parse_size(text: str) -> int:
    """Bytes: ``64M``.  K, M and G are powers of 1024.

    >>> parse_size("64M")
    67108864
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a size such as 512K, 64M or 2G")
    return int(found[1]) * _UNITS[found[2].upper()]


def parse_seconds_by_status(text: str) -> dict[int, float]:
    """Seconds by status: ``404=5,410=60``.

    >>> parse_seconds_by_status("404=5,410=0.5")
    {404: 5.0, 410: 0.5}
    """
    found = [_STATUS_SECONDS.fullmatch(one.strip()) for one in text.split(",")]
    if None in found:
        raise typer.BadParameter(f"{text!r} is not STATUS=SECONDS such as 404=5,410=60")
    return {int(one[1]): float(one[2]) for one in found if one is not None}


def _option(command: str, name: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    """The option *name* of *command*, which is also a variable."""
    variable = f"HEADRACE_{command}_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


def _port(command: str, name: str, help: str) -> Any:  # noqa: A002
    return _option(command, name, help, min=0, max=65535, metavar="PORT")


def _data(command: str) -> Any:
    return _option(command, "data", "Folder of the database.", metavar="DIR")


def _json(command: str, what: str) -> Any:
    return _option(command, "json", f"Print {what} as JSON.")


DATA = Path("headrace-data")
HOST = "127.0.0.1"


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
        list[str], typer.Argument(metavar="FILE...", help="Flavors of one entry, or URLs.")
    ],
    data: Annotated[Path, _data("ingest")] = DATA,
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
    json: Annotated[bool, _json("ingest", "the flavors")] = False,
) -> int:
    """Make an entry of files or objects (s3://…), which stay where they are."""
    from origin.ingest.program import ingest

    return ingest(tuple(files), data, entry, partner, name, replace, json)


@app.command()
def entries(
    data: Annotated[Path, _data("entries")] = DATA,
    json: Annotated[bool, _json("entries", "the entries")] = False,
) -> int:
    """List the entries."""
    from origin.ingest.program import entries

    return entries(data, json)


@app.command()
def show(
    entry: Annotated[str, typer.Argument(metavar="ID", help="The entry.")],
    data: Annotated[Path, _data("show")] = DATA,
    json: Annotated[bool, _json("show", "the flavors")] = False,
) -> int:
    """Show an entry and its flavors."""
    from origin.ingest.program import show

    return show(data, entry, json)


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
    ] = 1000,
    dry_run: Annotated[
        bool, _option("import", "dry-run", "Look at the rows only; touch no database.")
    ] = False,
    json: Annotated[bool, _json("import", "the summary")] = False,
) -> int:
    """Take over the entries of another system."""
    from origin.importing.program import Order, run

    return run(Order(file, data, format, batch, dry_run), as_json=json)


@app.command()
def origin(
    data: Annotated[Path, _data("origin")] = DATA,
    host: Annotated[str, _option("origin", "host", "Address to listen on.")] = HOST,
    port: Annotated[int, _port("origin", "port", "Port; 0 for a free one.")] = 8081,
    admin_port: Annotated[
        int | None, _port("origin", "admin-port", "Loopback port of the administration.")
    ] = None,
    workers: Annotated[
        int, _option("origin", "workers", "Processes that serve.", min=1, max=256, metavar="N")
    ] = 1,
    local_root: Annotated[
        Path | None,
        _option(
            "origin",
            "local-root",
            "Folder whose files local/ serves.",
            exists=True,
            file_okay=False,
            metavar="DIR",
        ),
    ] = None,
    object_store: Annotated[
        list[str] | None,
        _option(
            "origin",
            "object-store",
            "Bucket whose objects may be sources: s3://bucket or s3://bucket/prefix.",
            metavar="URL",
        ),
    ] = None,
    remote_host: Annotated[
        list[str] | None,
        _option(
            "origin",
            "remote-host",
            "HTTP server whose files may be sources.",
            metavar="HOST[:PORT]",
        ),
    ] = None,
    remote_private: Annotated[
        bool,
        _option("origin", "remote-private", "Those servers may have private addresses."),
    ] = False,
    index_cache: Annotated[
        int,
        _option(
            "origin",
            "index-cache",
            "Flavor indexes that a worker keeps.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "256M",  # type: ignore[assignment]
    plan_cache: Annotated[
        int,
        _option(
            "origin",
            "plan-cache",
            "Segment plans that a worker keeps.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "32M",  # type: ignore[assignment]
    open_files: Annotated[
        int,
        _option("origin", "open-files", "Files that a worker keeps open.", min=1, metavar="N"),
    ] = 512,
    sendfile: Annotated[
        bool,
        _option("origin", "sendfile", "Send long runs uncopied; files are never written over."),
    ] = False,
    page_entry: Annotated[
        str | None, _option("origin", "page-entry", "Entry of the page.", hidden=True)
    ] = None,
    players: Annotated[
        Path | None, _option("origin", "players", "Folder of the players.", hidden=True)
    ] = None,
) -> int:
    """Package stored flavors into HLS and DASH, and serve them."""
    start_server(
        "origin",
        {
            "data": str(data),
            "host": host,
            "port": port,
            "admin_port": admin_port,
            "workers": workers,
            "local_root": local_root and str(local_root),
            "object_stores": object_store or [],
            "remote_hosts": remote_host or [],
            "remote_private": remote_private,
            "index_cache": index_cache,
            "plan_cache": plan_cache,
            "open_files": open_files,
            "sendfile": sendfile,
            "page_entry": page_entry,
            "players": players and str(players),
        },
    )


@app.command()
def edge(
    upstream: Annotated[
        list[str],
        _option(
            "edge", "upstream", "Where to fetch; several in order of trial.", metavar="URL"
        ),
    ],
    shield: Annotated[
        list[str] | None,
        _option(
            "edge",
            "shield",
            "Cache to ask first, chosen among several by the key.",
            metavar="URL[|WEIGHT]",
        ),
    ] = None,
    upstream_ca: Annotated[
        Path | None,
        _option(
            "edge",
            "upstream-ca",
            "Authorities of https:// upstreams, in place of the system's.",
            exists=True,
            dir_okay=False,
            metavar="FILE",
        ),
    ] = None,
    health: Annotated[
        str | None,
        _option("edge", "health", "Path to check every upstream by.", metavar="PATH"),
    ] = None,
    host: Annotated[str, _option("edge", "host", "Address to listen on.")] = HOST,
    port: Annotated[int, _port("edge", "port", "Port; 0 for a free one.")] = 8080,
    admin_port: Annotated[
        int | None, _port("edge", "admin-port", "Loopback port of the administration.")
    ] = None,
    admin_token_file: Annotated[
        Path | None,
        _option("edge", "admin-token-file", "File with the token to purge.", metavar="FILE"),
    ] = None,
    purge_method: Annotated[
        bool, _option("edge", "purge-method", "Take PURGE with that token on the public port.")
    ] = False,
    workers: Annotated[
        int, _option("edge", "workers", "Processes that serve.", min=1, max=256, metavar="N")
    ] = 1,
    cache_dir: Annotated[
        str | None,
        _option(
            "edge", "cache-dir", "Folder of the disk tier; none without it.", metavar="DIR"
        ),
    ] = None,
    ram: Annotated[
        int,
        _option("edge", "ram", "Size of the RAM tier.", parser=parse_size, metavar="SIZE"),
    ] = "256M",  # type: ignore[assignment] # typer parses it
    disk: Annotated[
        int,
        _option("edge", "disk", "Size of the disk tier.", parser=parse_size, metavar="SIZE"),
    ] = "10G",  # type: ignore[assignment]
    block: Annotated[
        int,
        _option(
            "edge",
            "block",
            "Piece in which a body not wanted whole is fetched.",
            parser=parse_size,
            metavar="SIZE",
        ),
    ] = "1M",  # type: ignore[assignment]
    early_refresh: Annotated[
        float,
        _option(
            "edge",
            "early-refresh",
            "Renew what is hot so long before it is stale; 0 for never.",
            metavar="SECONDS",
        ),
    ] = 10,
    stale_if_unreachable: Annotated[
        float,
        _option(
            "edge",
            "stale-if-unreachable",
            "Serve stale so long if no upstream can be reached and the origin names no time.",
            metavar="SECONDS",
        ),
    ] = 3600,
    heuristic: Annotated[
        float,
        _option(
            "edge",
            "heuristic",
            "Lifetime of what names none, as a share of the time since its last change.",
            metavar="SHARE",
        ),
    ] = 0,
    negative_ttl: Annotated[
        list[Any] | None,
        _option(
            "edge",
            "negative-ttl",
            "Lifetime of errors that name none: 404=5,410=60.",
            parser=parse_seconds_by_status,
            metavar="STATUS=SECONDS",
        ),
    ] = None,
    store_set_cookie: Annotated[
        bool,
        _option("edge", "store-set-cookie", "Store responses that set a cookie, for everyone."),
    ] = False,
    forwarded: Annotated[
        str,
        _option(
            "edge",
            "forwarded",
            "How upstreams learn the client's address: none, forwarded, x-forwarded-for.",
            metavar="FIELD",
        ),
    ] = "none",
    node_id: Annotated[
        str | None,
        _option("edge", "node-id", "Name in CDN-Loop; by default made up.", metavar="NAME"),
    ] = None,
    cache_status_key: Annotated[
        bool, _option("edge", "cache-status-key", "Tell the cache key in Cache-Status.")
    ] = False,
) -> int:
    """Cache what an origin serves, close to the players."""
    start_server(
        "edge",
        {
            "upstreams": upstream,
            "shields": shield or [],
            "upstream_ca": upstream_ca and str(upstream_ca),
            "health": health,
            "host": host,
            "port": port,
            "admin_port": admin_port,
            "admin_token_file": admin_token_file and str(admin_token_file),
            "purge_method": purge_method,
            "workers": workers,
            "cache_dir": cache_dir,
            "disk": disk,
            "ram": ram,
            "block": block,
            "early_refresh": early_refresh,
            "stale_if_unreachable": stale_if_unreachable,
            "heuristic": heuristic,
            "negative_ttl": {
                status: seconds
                for given in negative_ttl or ()
                for status, seconds in given.items()
            },
            "store_set_cookie": store_set_cookie,
            "forwarded": forwarded,
            "cache_status_key": cache_status_key,
            **({} if node_id is None else {"node_id": node_id}),
        },
    )


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


def _not_built(name: str) -> Callable[[], int]:
    def command() -> int:
        raise Misuse("not built yet")

    command.__doc__ = f"{NOT_BUILT[name]} (not built yet)."
    return command


app.add_typer(headrace_bench.app)

for _name in NOT_BUILT:
    _lenient = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(_name, context_settings=_lenient)(_not_built(_name))
