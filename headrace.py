"""The one command, ``headrace``.

Parsing the command line takes libraries that a server should not carry for the rest of its
life.  So what plainly starts a server is read without them (``serving.options``).  Everything
else is parsed (``headrace_commands``); if it starts a server after all, the process replaces
itself by a fresh image of the same command, which finds the result in its environment.

Exit status: 0 also on SIGTERM; 1 a file was refused or a job failed; 2 usage or configuration.
What goes wrong is said in one line on standard error that names the command.
"""

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

__version__ = "0.1.0"

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
_PARSED = "HEADRACE_PARSED_ARGUMENTS"
"""Variable from the image that parsed to the image that serves, and no further."""


class Misuse(Exception):
    """The command line or the configuration is wrong; the message says in which option."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    parsed = os.environ.pop(_PARSED, None)
    words = sys.argv[1:] if arguments is None else arguments
    command = _command_name(words)
    try:
        if parsed is not None:
            return _serve(**json.loads(parsed))
        if (plain := _plain_options(words)) is not None:
            return _serve(words[0], plain)
        from headrace_commands import invoke

        return invoke(arguments)
    except Misuse as error:
        return say(command, str(error), MISUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the flush at exit fails again
        return FAILED
    except Exception as error:
        return _explain(command, error)


def start_server(server: str, options: Mapping[str, object]) -> NoReturn:
    """Become *server* with these *options*, by the name of their configuration's field."""
    os.environ[_PARSED] = json.dumps({"server": server, "options": options})
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _plain_options(words: Sequence[str]) -> dict[str, Any] | None:
    """Of the server that *words* start; None if they start none, or must be looked at."""
    if not words or words[0] not in ("origin", "edge"):
        return None
    from serving.options import plainly

    command: Callable[..., dict[str, Any]]
    if words[0] == "origin":
        from origin.command import options as command
    else:
        from edge_cache.command import options as command
    keywords = plainly(command, words[1:], os.environ)
    return None if keywords is None else command(**keywords)


def say(command: str, message: str, status: int) -> int:
    """Say in one line why *command* ends; the *status* that it ends with."""
    print(f"{command}: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status


def _serve(server: str, options: dict[str, Any]) -> int:
    gc.disable()  # until all is imported (``serving.parent``): nothing of it is garbage
    from serving.sockets import ListenError

    run = {"origin": _run_origin, "edge": _run_edge}[server]
    try:
        return run(options)
    except ListenError as error:
        raise Misuse(str(error)) from error


def _run_origin(options: dict[str, Any]) -> int:
    from metadata.errors import BadDatabaseUrl, WrongSchema
    from origin.config import OriginConfig
    from origin.filters.hook import UnknownHook
    from origin.program import run

    for name in ("local_root", "mapping_root", "players"):
        options[name] = None if options[name] is None else Path(options[name])
    for name in ("object_stores", "remote_hosts", "source_allow"):
        options[name] = tuple(options[name])
    token = _admin_token(options.pop("admin_token_file"), "HEADRACE_ORIGIN_ADMIN_TOKEN")
    try:
        config = OriginConfig(**options, admin_token=token)
    except ValueError as error:
        raise Misuse(_as_option(error)) from error
    try:
        return run(config)
    except UnknownHook as error:
        raise Misuse(_as_option(error)) from error
    except (BadDatabaseUrl, WrongSchema) as error:
        raise Misuse(f"--data: {error}") from error


def _run_edge(options: dict[str, Any]) -> int:
    from edge_cache.config import EdgeConfig
    from edge_cache.disk.errors import DiskError
    from edge_cache.program import run

    for name in ("upstreams", "shields"):
        options[name] = tuple(options[name])
    ttls = options["negative_ttl"].items()  # JSON has made strings of their keys
    options["negative_ttl"] = {int(status): seconds for status, seconds in ttls}
    token = _admin_token(options.pop("admin_token_file"), "HEADRACE_EDGE_ADMIN_TOKEN")
    try:
        config = EdgeConfig(**options, admin_token=token)
        config.of_worker()  # a share that is too small is told here, and not by each worker
    except ValueError as error:
        raise Misuse(_as_option(error)) from error
    try:
        return run(config)
    except DiskError as error:
        raise Misuse(f"--cache-dir: {error}") from error


def _admin_token(file: str | None, variable: str) -> str | None:
    """The token in *file*, or else in *variable*, which children need not see."""
    from serving.tokens import is_token, read_token

    token = os.environ.pop(variable, None)
    if file is None:
        if token is not None and not is_token(token):
            raise Misuse(f"{variable}: not visible ASCII")
        return token
    try:
        return read_token(Path(file))
    except ValueError as error:
        raise Misuse(f"--admin-token-file: {error}") from error


_OPTIONS = {
    "upstreams": "upstream",
    "shields": "shield",
    "object_stores": "object-store",
    "remote_hosts": "remote-host",
}
"""Of fields that are named otherwise."""


def _as_option(error: ValueError) -> str:
    """What a configuration says of its field, said of the option."""
    name, colon, rest = str(error).partition(":")
    if not colon or not name.isidentifier():
        return str(error)
    option = _OPTIONS.get(name, name)
    return f"--{option.replace('_', '-')}:{rest}"


def _command_name(arguments: Sequence[str]) -> str:
    """``headrace edge``; just ``headrace`` if there is no sub-command."""
    first = arguments[0] if arguments else "-"
    return "headrace" if first.startswith("-") else f"headrace {first}"


def _explain(command: str, error: Exception) -> int:
    """One line for what nobody foresaw; an operating system's message explains itself."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return say(command, f"{where}{error.strerror}", FAILED)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return say(command, f"{type(error).__name__}: {error} ({place})", FAILED)


if __name__ == "__main__":
    # By its name: run as a script it would be two modules, each with a Misuse of its own.
    from headrace import main as named_main

    sys.exit(named_main())
