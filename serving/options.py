"""Options of a server's command, declared without the library that parses command lines.

That library takes 0.1 s of CPU and memory that a server would keep.  So a command line that is
plainly right is read here.  Anything else, from ``--help`` to a port that is none, is left to
the library, which the same declarations are handed to: it explains, and its word holds.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, get_origin

_SIZE = re.compile(r"([0-9]{1,15})([KMG]?)", re.ASCII | re.IGNORECASE)
_NUMBERS = {int: re.compile(r"[0-9]{1,18}"), float: re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Option:
    """What stands in ``Annotated[type, Option]`` of a keyword of a command's function."""

    flag: str
    """``--admin-port``."""

    variable: str
    """That stands for it, ``HEADRACE_ORIGIN_ADMIN_PORT``."""

    help: str
    metavar: str | None = None
    min: int | None = None
    max: int | None = None
    parser: Callable[[str], Any] | None = None
    """Raises ``ValueError``."""

    exists: Literal["file", "folder"] | None = None
    """What a path must lead to."""

    hidden: bool = False


class Options:
    """Declares the options of one command."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __call__(self, name: str, help: str, **more: Any) -> Option:  # noqa: A002
        variable = f"HEADRACE_{self._command}_{name}".upper().replace("-", "_")
        return Option(f"--{name}", variable, help, **more)

    def port(self, name: str, help: str) -> Option:  # noqa: A002
        return self(name, help, min=0, max=65535, metavar="PORT")


def parse_size(text: str) -> int:
    """Bytes: ``64M``.  K, M and G are powers of 1024.

    >>> parse_size("64M")
    67108864
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size such as 512K, 64M or 2G")
    return int(found[1]) * _UNITS[found[2].upper()]


class _NotPlain(Exception):
    pass


class _Keyword(NamedTuple):
    name: str
    kind: type
    """Of one value."""
    many: bool
    option: Option
    required: bool
    default: Any


def plainly(
    command: Callable[..., Any], arguments: Sequence[str], environ: Mapping[str, str]
) -> dict[str, Any] | None:
    """The keywords to call *command* with; None if they are not plain to see."""
    keywords = list(_keywords(command))
    try:
        given = _given({one.option.flag: one.kind for one in keywords}, arguments)
        return {
            one.name: _found(one, given.get(one.option.flag, []), environ) for one in keywords
        }
    except (_NotPlain, ValueError, OSError):
        return None


def _keywords(command: Callable[..., Any]) -> Iterator[_Keyword]:
    defaults = command.__kwdefaults__ or {}
    for name, annotation in command.__annotations__.items():
        if name == "return":
            continue
        kind = annotation.__origin__
        if isinstance(kind, UnionType):  # with None
            kind = kind.__args__[0]
        many = get_origin(kind) is list
        yield _Keyword(
            name,
            kind.__args__[0] if many else kind,
            many,
            annotation.__metadata__[0],
            required=name not in defaults,
            default=defaults.get(name),
        )


def _given(kinds: Mapping[str, type], arguments: Sequence[str]) -> dict[str, list[str]]:
    """The texts that *arguments* have for each flag."""
    given: dict[str, list[str]] = {}
    words = iter(arguments)
    for word in words:
        flag, equals, text = word.partition("=")
        if flag not in kinds or (kinds[flag] is bool and equals):
            raise _NotPlain
        if not equals and kinds[flag] is not bool:
            text = next(words, "")
        given.setdefault(flag, []).append(text)
    return given


def _found(keyword: _Keyword, texts: list[str], environ: Mapping[str, str]) -> Any:
    """The value of a keyword for which the command line has these *texts*."""
    option = keyword.option
    variable = environ.get(option.variable)
    if keyword.kind is bool:
        if variable is not None or len(texts) > 1:
            raise _NotPlain
        return bool(texts)
    if not texts and variable is not None:
        texts = variable.split() if keyword.many else [variable]
    elif not texts and not keyword.required:
        return _default(keyword)
    if not texts or (len(texts) > 1 and not keyword.many):
        raise _NotPlain
    values = [_value(keyword.kind, option, text) for text in texts]
    return values if keyword.many else values[0]


def _default(keyword: _Keyword) -> Any:
    if keyword.default is None:
        return None
    if keyword.option.parser is not None:
        return keyword.option.parser(keyword.default)
    return float(keyword.default) if keyword.kind is float else keyword.default


def _value(kind: type, option: Option, text: str) -> Any:
    if not text or text.startswith("-") or not text.isascii():
        raise _NotPlain
    if option.parser is not None:
        return option.parser(text)
    if kind is str:
        return text
    if kind is Path:
        return _path(Path(text), option)
    if _NUMBERS[kind].fullmatch(text) is None:
        raise _NotPlain
    number = float(text) if kind is float else int(text)
    if (option.min is not None and number < option.min) or (
        option.max is not None and number > option.max
    ):
        raise _NotPlain
    return number


def _path(path: Path, option: Option) -> Path:
    if option.exists is not None:
        right = path.is_file() if option.exists == "file" else path.is_dir()
        if not right:
            raise _NotPlain
    if path.exists() and not os.access(path, os.R_OK):
        raise _NotPlain
    return path
