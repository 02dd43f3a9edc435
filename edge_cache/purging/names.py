"""What a purge names: URLs, the beginnings of URLs, and tags.

A name is compared after normalisation, so that it reaches every spelling of a URL that an
origin could take for the same (RFC 3986 §6.2.2): one purge too many costs a fetch, one too few
serves what should be gone.  Like the cache key, it has neither scheme nor host.
"""

import re
from enum import StrEnum

from edge_cache.http.targets import path_and_query

MAX_URL = 8 * 1024
"""Bytes of a URL or a prefix; no longer request target is taken."""
MAX_TAG = 1024
"""Bytes of a tag."""


class Kind(StrEnum):
    URL = "url"
    PREFIX = "prefix"
    """The empty one is everything."""
    TAG = "tag"


Name = tuple[Kind, bytes]

EVERYTHING: Name = (Kind.PREFIX, b"")

_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}|[\x80-\xff]")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_TEXT = re.compile(rb"[\x21-\x7e]+")
_HALF_ESCAPED = re.compile(rb"%[0-9A-Fa-f]?\Z")


def normal(target: bytes) -> bytes:
    """*target* in the one spelling that names are compared in (RFC 3986 §6.2.2.1, §6.2.2.2).

    >>> normal(b"/%7euser/%c3%a9?a=%2F")
    b'/~user/%C3%A9?a=%2F'
    """
    if b"%" not in target and target.isascii():
        return target
    return _ESCAPED.sub(_spelled, target)


def _spelled(match: re.Match[bytes]) -> bytes:
    found = match[0]
    code = int(found[1:], 16) if len(found) == 3 else found[0]
    return bytes((code,)) if code in _UNRESERVED else b"%%%02X" % code


def url_name(text: str) -> Name:
    """The name of an absolute URL or a path; one that ends with ``*`` is a prefix.

    ValueError if it is neither.

    >>> url_name("http://edge.example/a/b?c")
    (<Kind.URL: 'url'>, b'/a/b?c')
    """
    if text.endswith("*"):
        return prefix_name(text)
    return Kind.URL, _target(text)


def prefix_name(text: str) -> Name:
    """The name of all URLs that begin with *text*, whose closing ``*`` may be left out."""
    prefix = _target(text.removesuffix("*"))
    if _HALF_ESCAPED.search(prefix):
        raise ValueError("it ends inside a percent-encoded byte")
    return Kind.PREFIX, prefix


def tag_name(text: str) -> Name:
    """The name of a tag: visible ASCII without a comma, in any case."""
    tag = text.encode("utf-8", "surrogatepass")
    if len(tag) > MAX_TAG:
        raise ValueError(f"longer than {MAX_TAG} bytes")
    if not _TEXT.fullmatch(tag) or b"," in tag:
        raise ValueError("not visible ASCII without commas")
    return Kind.TAG, tag.lower()


def _target(text: str) -> bytes:
    given = text.encode("utf-8", "surrogatepass")
    if len(given) > MAX_URL:
        raise ValueError(f"longer than {MAX_URL} bytes")
    given = normal(given)  # what is not ASCII is percent-encoded, as a client would send it
    target = path_and_query(given) if _TEXT.fullmatch(given) else None
    if target is None:
        raise ValueError("not an http URL without fragment, nor a path")
    return target


def coarser(name: Name) -> Name:
    """A name of more than *name* names: the folder of a URL, the folder above a folder.

    >>> coarser((Kind.URL, b"/a/b/c?d=/"))
    (<Kind.PREFIX: 'prefix'>, b'/a/b/')
    """
    kind, value = name
    if kind is Kind.TAG:
        return EVERYTHING
    path = value.partition(b"?")[0]
    if kind is Kind.PREFIX and path == value:
        path = path[:-1]
    return Kind.PREFIX, path[: path.rfind(b"/") + 1]
