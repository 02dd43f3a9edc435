"""``headrace filters``: names for filters of manifests."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="filters",
    help="Give filters of manifests a name.",
    add_completion=False,
    no_args_is_help=True,
)


def _option(name: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    variable = f"HEADRACE_FILTERS_{name}".upper().replace("-", "_")
    return typer.Option(f"--{name}", envvar=variable, help=help, **more)


Name = Annotated[str, typer.Argument(metavar="NAME", help="As in /filter/@NAME/.")]
Data = Annotated[str, _option("data", "Folder or URL of the database.", metavar="DIR")]
Partner = Annotated[
    int | None,
    _option("partner", "Whose it is; of all without it.", min=0, max=2**31 - 1, metavar="N"),
]
DATA = str(Path("headrace-data"))


@app.command("set")
def set_(
    name: Name,
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Like video_height:1-480;audio_language:en.")
    ],
    data: Data = DATA,
    partner: Partner = None,
) -> int:
    """Store a filter by its name, in place of the one before."""
    from origin.filters.program import put

    return put(name, rules, data, partner)


@app.command("list")
def list_(
    data: Data = DATA,
    json: Annotated[bool, _option("json", "Print the filters as JSON.")] = False,
) -> int:
    """List all of them."""
    from origin.filters.program import show

    return show(data, json)


@app.command()
def delete(name: Name, data: Data = DATA, partner: Partner = None) -> int:
    """Delete one."""
    from origin.filters.program import delete

    return delete(name, data, partner)
