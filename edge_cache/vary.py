"""Vary (RFC 9111 §4.1): which request fields choose among the responses of one URL."""

from collections.abc import Iterable
from functools import lru_cache

from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.fields import Field, Fields, members, values
from edge_cache.http.languages import folded

Names = tuple[bytes, ...]
"""Lower-case field names, sorted."""

Variant = tuple[bytes | None, ...]
"""What a request has in each of them; None where the field is absent."""


_MAX_REMEMBERED = 256
"""Bytes: with the number of values it bounds the memory they take."""


def vary_names(fields: Fields) -> Names | None:
    """The names that Vary lists, on all its lines; None if ``*`` is among them."""
    names = {name.lower().encode("latin-1") for name in members(values(fields, b"vary"))}
    return None if b"*" in names else tuple(sorted(names))


def variant(names: Names, fields: Iterable[Field]) -> Variant:
    """What the request *fields* select, normalised in ways that change no meaning.

    Accept-Encoding is gzip or identity, languages of one weight have no order, and lists are
    the same whatever stands around their commas and on however many lines they are.
    """
    if not names:
        return ()
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        name = name.lower()
        if name in names:
            found[name] = found[name] + b", " + value if name in found else value
    return tuple(_remembered(name, found.get(name)) for name in names)


def _remembered(name: bytes, value: bytes | None) -> bytes | None:
    """``_normalised``; hits ask for the same few values over and over."""
    if value is not None and len(value) > _MAX_REMEMBERED:
        return _normalised(name, value)
    return _recent(name, value)


def _normalised(name: bytes, value: bytes | None) -> bytes | None:
    if name == b"accept-encoding":
        return preferred_encoding(value)
    if value is None:
        return None
    if name == b"accept-language":
        return folded(members([value.decode("latin-1")])).encode("latin-1")
    if b"," not in value:
        return value
    return ", ".join(members([value.decode("latin-1")])).encode("latin-1")


_recent = lru_cache(maxsize=2048)(_normalised)
