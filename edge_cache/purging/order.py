"""What an administrator orders: the JSON of ``POST /api/v1/purge``, checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from edge_cache.purging.names import EVERYTHING, Name, prefix_name, tag_name, url_name

MAX_NAMES = 1000
"""Of each kind, in one order."""


class Malformed(Exception):
    """No order; the message names the field."""


@dataclass(frozen=True, slots=True)
class Order:
    names: tuple[Name, ...]
    soft: bool
    """Stale at once rather than gone."""


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    urls: list[str] = []
    prefixes: list[str] = []
    tags: list[str] = []
    all: bool = False
    soft: bool = False


_decoder = msgspec.json.Decoder(_Order)


def parse_order(body: bytes) -> Order:
    """The order in *body*; Malformed if it is none, or names nothing."""
    try:
        given = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
    names = (
        *_names("urls", given.urls, url_name),
        *_names("prefixes", given.prefixes, prefix_name),
        *_names("tags", given.tags, tag_name),
        *((EVERYTHING,) if given.all else ()),
    )
    if not names:
        raise Malformed("urls, prefixes, tags, all: nothing to purge")
    return Order(names, given.soft)


def _names(field: str, given: Sequence[str], parse: Callable[[str], Name]) -> Sequence[Name]:
    if len(given) > MAX_NAMES:
        raise Malformed(f"{field}: {len(given)}, where {MAX_NAMES} are the most")
    names = []
    for number, text in enumerate(given):
        try:
            names.append(parse(text))
        except ValueError as error:
            raise Malformed(f"{field}[{number}]: {error}") from error
    return names
