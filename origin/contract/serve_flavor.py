"""The URL of a stored file (contract §2.2), alone and below a packager's protocol.

    p/{partner}/sp/{sub}/serveFlavor/entryId/{entry}[/clipTo/{ms}][/clipFrom/{ms}]
        [/v/{n}][/pv/{n}][/ev/{n}]/flavorId/{id}[/captions/{languages}][/preferredStorageId/{n}]
        [/fallbackStorageId/{n}][/fileName/{name}]/name/a.mp4[/tracks/{v1-a1}][/lang/{eng}]

or, for several entries one after the other, as a packager's source only

    p/{partner}/sp/{sub}/serveFlavor/entryId/{entry}[/sequence/{ids}][/v/{n}][/pv/{n}][/ev/{n}]
        /flavorParamIds/{a,b}|flavorIds/{a,b}/name/a.mp4

``v`` is the flavor's version and names its bytes; ``pv`` and ``ev`` count up when a partner's
or an entry's answers are to be forgotten, and mean nothing else.  Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metadata.errors import BadId
from metadata.ids import check_id
from origin.contract.parameters import gather
from origin.contract.play_manifest import MAX_ENTRIES, partner_of
from origin.contract.urlset import join_urlset, split_urlset
from origin.errors import BadUrl
from origin.parameters import NAMES, NONE, Parameters, parse_parameters
from origin.paths import path_segments
from packager.recipe import MAX_FLAVORS

ACTION = "serveFlavor"
_STORAGES = ("preferredStorageId", "fallbackStorageId")
_USED = (
    "entryId", "flavorId", "v", "pv", "ev", "fileName", "captions", *_STORAGES, *NAMES,
)  # fmt: skip
_IGNORED = (
    "name", "forceproxy", "referrer", "ks", "dirFileName",
)  # fmt: skip
_SEQUENCE = ("entryId", "sequence", "v", "pv", "ev", "flavorParamIds", "flavorIds")
REFUSED = (
    "seekFrom", "seekFromBytes", "live", "file", "speed", "shift", "audioOnly", "pathOnly",
    "exp", "sig",
)  # fmt: skip
_NAMES = {name: name for name in (*_USED, *_IGNORED, *REFUSED, *_SEQUENCE)}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
ALL_CAPTIONS = "all"
"""In the place of a language: every one that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeFlavor:
    """One file."""

    partner: int
    entry: str
    flavor: str
    version: int | None = None
    """None: the current one."""

    partner_version: int = 0
    entry_version: int = 0
    file_name: str | None = None
    """That a browser is to save it under."""

    parameters: Parameters = NONE
    captions: tuple[str, ...] = ()
    """Languages whose captions are listed with it, or ``ALL_CAPTIONS``."""

    storages: tuple[int, ...] = ()
    """Ids of remote storages that it is read from if it is there, before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSequence:
    """Entries one after the other."""

    partner: int
    entry: str
    """The last of them, or a playlist of them."""

    before: tuple[str, ...] = ()
    version: int = 0
    """Of the entry, as the two below no more than a part of the URL."""

    partner_version: int = 0
    entry_version: int = 0
    params: tuple[int, ...] = ()
    """Recipes, a rendition each."""

    flavors: tuple[str, ...] = ()
    """Or flavors of the last entry."""


def is_serve_flavor(path: str) -> bool:
    """Whether *path* could be one of these."""
    return path.startswith(("/p/", "/s/p/")) and f"/{ACTION}/" in path


def parse_serve_flavor(path: str, query: str = "") -> ServeFlavor:
    """Of a whole path.  Raises ``BadUrl``."""
    return _parse(path_segments(path), query)


def parse_serve_flavors(text: str) -> tuple[ServeFlavor, ...]:
    """Of a decoded path without its first slash, which may be a set.  Raises ``BadUrl``."""
    found = tuple(_parse(url.split("/"), "") for url in split_urlset(text))
    if len({(one.partner, one.entry) for one in found}) > 1:
        raise BadUrl("flavors of several entries")
    if len({one.parameters for one in found}) > 1:
        raise BadUrl("clipFrom, clipTo, tracks or lang differ")
    if len({one.captions for one in found}) > 1:
        raise BadUrl("captions differ")
    if len({one.storages for one in found}) > 1:
        raise BadUrl("preferredStorageId or fallbackStorageId differ")
    return found


def parse_serve_sequence(text: str) -> ServeSequence | None:
    """Of a decoded path without its first slash; None where it is none.  Raises ``BadUrl``."""
    if "/flavorParamIds/" not in text and "/flavorIds/" not in text:
        return None
    partner, given = _given(text.split("/"), "")
    for name in given:
        if name not in (*_SEQUENCE, *_STORAGES, *_IGNORED):
            raise BadUrl(f"{name} of a sequence is not supported yet")
    if "flavorParamIds" in given and "flavorIds" in given:
        raise BadUrl("flavorParamIds and flavorIds")
    before = _list(given, "sequence")
    params = _list(given, "flavorParamIds")
    flavors = _list(given, "flavorIds")
    if len(before) >= MAX_ENTRIES:
        raise BadUrl(f"sequence: {len(before)} entries are more than {MAX_ENTRIES - 1}")
    if len(params) + len(flavors) > MAX_FLAVORS:
        raise BadUrl(f"more than {MAX_FLAVORS} renditions")
    if not all(_NUMBER.fullmatch(one) for one in params):
        raise BadUrl("flavorParamIds: not whole numbers")
    try:
        return ServeSequence(
            partner=partner,
            entry=check_id(given.get("entryId", "")),
            before=tuple(map(check_id, before)),
            version=_number(given, "v"),
            partner_version=_number(given, "pv"),
            entry_version=_number(given, "ev"),
            params=tuple(map(int, params)),
            flavors=tuple(check_id(one, "flavor") for one in flavors),
        )
    except BadId as error:
        raise BadUrl(str(error)) from None


def _list(given: dict[str, str], name: str) -> list[str]:
    return given[name].split(",") if name in given else []


def render_serve_sequence(one: ServeSequence) -> str:
    """Decoded, without the first slash."""
    pairs: dict[str, object] = {
        "entryId": one.entry,
        "sequence": ",".join(one.before),
        "v": one.version,
        "pv": one.partner_version,
        "ev": one.entry_version,
        "flavorParamIds": ",".join(map(str, one.params)),
        "flavorIds": ",".join(one.flavors),
    }
    text = "".join(f"/{name}/{value}" for name, value in pairs.items() if value)
    return f"p/{one.partner}/sp/{one.partner}00/{ACTION}{text}/name/a.mp4"


def _given(parts: list[str], query: str) -> tuple[int, dict[str, str]]:
    """The partner and what else is named."""
    partner, action, rest = partner_of(parts)
    if action != ACTION:
        raise BadUrl(f"no such resource: {action}")
    if len(rest) % 2:
        raise BadUrl(f"left over: {rest[-1]}")
    for name in rest[::2]:
        if name not in _NAMES:
            raise BadUrl(f"left over: {name}")
    given = gather(rest, query, _NAMES)
    for name in REFUSED:
        if name in given:
            raise BadUrl(f"{name} is not supported yet")
    return partner, given


def _parse(parts: list[str], query: str) -> ServeFlavor:
    partner, given = _given(parts, query)
    for name in ("sequence", "flavorParamIds", "flavorIds"):
        if name in given:
            raise BadUrl(f"{name}: several entries are no file")
    try:
        return ServeFlavor(
            partner=partner,
            entry=check_id(given.get("entryId", "")),
            flavor=check_id(given.get("flavorId", ""), "flavor"),
            version=_number(given, "v") or None,
            partner_version=_number(given, "pv"),
            entry_version=_number(given, "ev"),
            file_name=given.get("fileName"),
            parameters=parse_parameters((one, given[one]) for one in NAMES & given.keys()),
            captions=_captions(given.get("captions")),
            storages=tuple(_number(given, name) for name in _STORAGES if name in given),
        )
    except BadId as error:
        raise BadUrl(str(error)) from None


def _captions(text: str | None) -> tuple[str, ...]:
    """``eng,fra``, or ``eng+fra`` where a comma would part a set of URLs."""
    if text is None:
        return ()
    languages = tuple(text.replace("+", ",").split(","))
    if not all(_LANGUAGE.fullmatch(one) for one in languages):
        raise BadUrl("captions: not a list of languages")
    return languages


def _number(given: dict[str, str], name: str) -> int:
    text = given.get(name, "0")
    if not _NUMBER.fullmatch(text):
        raise BadUrl(f"{name}: not a whole number")
    return int(text)


def render_serve_flavor(one: ServeFlavor) -> str:
    """Decoded, without the first slash."""
    versions = {"v": one.version, "pv": one.partner_version, "ev": one.entry_version}
    cached = "".join(f"/{name}/{number}" for name, number in versions.items() if number)
    asked = {"clipTo": one.parameters.clip_to, "clipFrom": one.parameters.clip_from}
    clip = "".join(f"/{name}/{number}" for name, number in asked.items() if number is not None)
    file_name = f"/fileName/{one.file_name}" if one.file_name else ""
    tracks = f"/tracks/{one.parameters.tracks}" if one.parameters.tracks else ""
    said = f"/lang/{one.parameters.language}" if one.parameters.language else ""
    sheets = one.parameters.thumb_sheets
    listed = "" if sheets is None else f"/thumbSheets/{int(sheets)}"
    listed += "/trickPlay/1" if one.parameters.trick_play else ""
    captions = f"/captions/{'+'.join(one.captions)}" if one.captions else ""
    storages = "".join(
        f"/{name}/{id_}" for name, id_ in zip(_STORAGES, one.storages, strict=False)
    )
    return (
        f"p/{one.partner}/sp/{one.partner}00/{ACTION}/entryId/{one.entry}{clip}{cached}"
        f"/flavorId/{one.flavor}{captions}{storages}{file_name}/name/a.mp4{tracks}{said}{listed}"
    )


def render_serve_flavors(several: Sequence[ServeFlavor]) -> str:
    """The same for one or several that have no file name, as a packager's source."""
    return join_urlset([render_serve_flavor(one) for one in several])
