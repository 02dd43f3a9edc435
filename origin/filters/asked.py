"""Where in a URL a filter stands: ``parse_asked`` takes it off, and the rest is a target.

    {presentation}/master-f1-f3.m3u8
    {presentation}/filter/{rules or @set}/manifest.mpd        behind all other parameters
    {presentation}/master.m3u8?aws.manifestfilter={rules}

Only manifests have them: media playlists and segments are named without, so that all manifests
share them, and a query of theirs means nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from origin.errors import BadUrl
from origin.filters.picks import PATTERN, parse_picks, render_picks
from origin.filters.wanted import (
    EVERYTHING,
    PARAMETER,
    SEGMENT,
    Wanted,
    looks_like_a_filter,
    parse_query,
    parse_segment,
    placed,
    render_query,
)
from origin.paths import MAX_PATH
from origin.urls import Target, parse_target, render_target

_NAME = re.compile(rf"(master|manifest){PATTERN}(\.m3u8|\.mpd)")
_MANIFESTS = ("master", "manifest")
_ENTRY = re.compile(r"/[a-z]+/(?:container/[^/]+/)?(?:e|p|s)/")
"""Behind sources that are none of these any word may be part of a file's name."""


@dataclass(frozen=True, slots=True)
class Asked:
    target: Target
    wanted: Wanted = EVERYTHING
    """Of the target's renditions."""


def counted(path: str, query: str) -> str:
    """*path* with what of *query* (with its question mark) means anything to it."""
    if not _decoded(path.rpartition("/")[2]).startswith(_MANIFESTS):
        return path
    pairs = (one.partition("=") for one in query[1:].split("&"))
    given = [f"{PARAMETER}={value}" for name, _, value in pairs if _decoded(name) == PARAMETER]
    return f"{path}?{'&'.join(given)}" if given else path


@lru_cache(maxsize=4096)
def parse_asked(text: str) -> Asked:
    """Parse a path, with its query as ``counted`` leaves it.  Raises ``BadUrl``."""
    path, _, query = text.partition("?")
    if len(path) > MAX_PATH or len(query) > MAX_PATH:
        raise BadUrl(f"the path or the query is longer than {MAX_PATH} bytes")
    folder, _, name = path.rpartition("/")
    folder, segment = _split(folder)
    manifest = _NAME.fullmatch(_decoded(name))
    if manifest is None:
        if segment is not None:
            raise BadUrl("filter: only manifests have one")
        return Asked(parse_target(path))
    kind, selectors, extension = manifest.groups()
    target = parse_target(f"{folder}/{kind}{extension}")
    named, rules = (None, ()) if segment is None else parse_segment(segment)
    return Asked(target, Wanted(parse_picks(selectors), rules, named, parse_query(query)))


def _split(folder: str) -> tuple[str, str | None]:
    """*folder* without a filter at its end, and the filter."""
    before, _, last = folder.rpartition("/")
    above, _, word = before.rpartition("/")
    if word != SEGMENT:
        return folder, None
    text = _decoded(last)
    if not _ENTRY.match(folder) and not looks_like_a_filter(text):
        return folder, None
    return above, text


def _decoded(text: str) -> str:
    """What is no UTF-8 matches nothing in the end."""
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def render_asked(asked: Asked) -> str:
    """The inverse of ``parse_asked``, in one spelling."""
    folder, _, name = render_target(asked.target).rpartition("/")
    wanted = asked.wanted
    stem, _, extension = name.partition(".")
    name = placed(wanted, f"{stem}{render_picks(wanted.picks)}.{extension}")
    return f"{folder}/{name}{render_query(wanted)}"
