"""Delivery profiles (contract §2.3): which of them may answer a request, in which order.

    asked for by id, else the partner's for this streamer type, else the defaults of all
        → of the right kind, scheme and host → without a tokenizer → by weight

Pure.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from metadata.errors import BadRow
from metadata.partner_records import DeliveryRecord
from origin.contract import settings
from origin.contract.formats import Output
from origin.contract.refusals import Number, Refused


class Renders(StrEnum):
    """What a type of profile answers with."""

    MASTER = "master"
    REDIRECT = "redirect"


TYPES: Mapping[int, tuple[frozenset[Output], Renders]] = MappingProxyType(
    {
        4: (frozenset({Output.PROGRESSIVE, Output.DOWNLOAD}), Renders.REDIRECT),  # HTTP
        24: (
            frozenset({Output.PROGRESSIVE, Output.DOWNLOAD}),
            Renders.REDIRECT,
        ),  # GENERIC_HTTP
        25: (frozenset({Output.HLS}), Renders.REDIRECT),  # GENERIC_HLS_MANIFEST
        61: (frozenset({Output.HLS}), Renders.MASTER),  # VOD_PACKAGER_HLS
        63: (frozenset({Output.HDS}), Renders.REDIRECT),  # VOD_PACKAGER_HDS
        67: (frozenset({Output.SMOOTH}), Renders.REDIRECT),  # VOD_PACKAGER_MSS
        68: (frozenset({Output.DASH}), Renders.REDIRECT),  # VOD_PACKAGER_DASH
        69: (frozenset({Output.HLS}), Renders.REDIRECT),  # VOD_PACKAGER_HLS_MANIFEST
    }
)
"""Those of VOD that have an answer here; live ones (from 1001) have none for a clip."""

GENERIC = frozenset({24, 25})
"""Types with a ``pattern``."""

FOLDERS = {
    Output.HLS: "/hls", Output.DASH: "/dash", Output.SMOOTH: "/mss", Output.HDS: "/hds",
    Output.PROGRESSIVE: "", Output.DOWNLOAD: "",
}  # fmt: skip
"""Where no profile, or one whose URL has no path, says another."""

PLACEHOLDERS = ("deliveryCode", "playbackContext", "sessionId", "DC")
_SAME = {"hls": "applehttp", "url": "http", "download": "http"}
_URL = re.compile(
    r"(?:https?://)?((?:[A-Za-z0-9{](?:[A-Za-z0-9.{}-]{0,252})(?::[0-9]{1,5})?)?)"
    r"((?:/[A-Za-z0-9_~.{}-]+)*)/?"
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A row with what it inherits."""

    id: int
    partner_id: int | None
    type: int
    streamer_type: str
    host: str
    """With its port; may hold placeholders, as the folder.  Empty: that of the request."""

    folder: str
    """Of its URL; empty, or a slash and what follows it."""

    schemes: frozenset[str]
    """Empty: all."""

    is_default: bool
    priority: int
    has_tokenizer: bool
    legacy_bandwidth: bool
    pattern: str
    weight: int | None
    edge_ids: tuple[int, ...] | None
    seamless: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a partner wants them."""

    ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By streamer type."""

    weights: Mapping[int, int] = field(default_factory=dict)


def streamer_type(name: str) -> str:
    """Of a format: several share one."""
    return _SAME.get(name, name)


def profiles_of(records: Sequence[DeliveryRecord]) -> tuple[Profile, ...]:
    """The active ones.  Raises ``BadRow``."""
    known = {one.id: one for one in records}
    return tuple(_profile(_inherited(one, known)) for one in records if one.is_active)


def _inherited(record: DeliveryRecord, known: Mapping[int, DeliveryRecord]) -> DeliveryRecord:
    """*record*, what it leaves empty from its parents."""
    seen = {record.id}
    parent = known.get(record.parent_id or 0)
    while parent is not None and parent.id not in seen:
        seen.add(parent.id)
        record = replace(
            record,
            url=record.url or parent.url,
            host_name=record.host_name or parent.host_name,
            media_protocols=record.media_protocols or parent.media_protocols,
            tokenizer=record.tokenizer or parent.tokenizer,
            settings={**parent.settings, **record.settings},
        )
        parent = known.get(parent.parent_id or 0)
    return record


def _profile(row: DeliveryRecord) -> Profile:
    url = row.url or row.host_name or ""
    match = _URL.fullmatch(url)
    named = {*_PLACEHOLDER.findall(url)}
    rest = _PLACEHOLDER.sub("", url)
    if match is None or "{" in rest or "}" in rest or not named <= set(PLACEHOLDERS):
        raise BadRow("delivery_profile", row.id, "url is not [http://]host[/folder]")
    if {".", ".."} & set(match[2].split("/")):
        raise BadRow("delivery_profile", row.id, "url has dots for a folder")
    try:
        pattern = settings.word(row.settings, "pattern") if row.type in GENERIC else ""
        if pattern and ("{url}" not in pattern or " " in pattern or not pattern.isascii()):
            raise settings.BadSetting("pattern", "a URL with {url} in it")
        return Profile(
            id=row.id,
            partner_id=row.partner_id,
            type=row.type,
            streamer_type=streamer_type(row.streamer_type),
            host=match[1],
            folder=match[2],
            schemes=frozenset(
                filter(None, map(str.strip, (row.media_protocols or "").split(",")))
            ),
            is_default=row.is_default,
            priority=row.priority,
            has_tokenizer=bool(row.tokenizer),
            legacy_bandwidth=bool(settings.flag(row.settings, "legacyBandwidth")),
            pattern=pattern,
            weight=settings.number(row.settings, "cdn_ratio"),
            edge_ids=settings.ids(row.settings, "edgeServerIds"),
            seamless=settings.flag(row.settings, "seamlessFallback"),
        )
    except settings.BadSetting as error:
        raise BadRow("delivery_profile", row.id, str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request needs of a profile."""

    partner: int
    entry: str
    streamer_type: str
    output: Output
    scheme: str
    ids: tuple[int, ...] = ()
    host: str = ""
    """Preferred, where there are several."""

    secured: bool = False
    """Its URLs must carry a token."""

    fills: Mapping[str, str] = field(default_factory=dict)
    """Of placeholders."""


def candidates(
    profiles: Sequence[Profile], order: Order, wanted: Wanted
) -> tuple[Profile, ...]:
    """Those that can answer, the one to use first; none where nothing says how this streamer
    type is to be delivered.

    Raises ``Refused`` (18) where something does, and none can.
    """
    listed = _listed(profiles, order, wanted)
    if not listed and not wanted.ids:
        return ()
    fit = [one for one in listed if _fits(one, wanted)]
    # Tokens are not built: what needs one is not secured without, and a profile that would
    # sign its URLs must not give out bare ones.
    fit = [] if wanted.secured else [one for one in fit if not one.has_tokenizer]
    if not fit:
        detail = "no delivery profile fits"
        if listed and all(one.has_tokenizer for one in listed):
            detail = "its delivery profiles need tokens, which are not supported yet"
        raise Refused(Number.DELIVERY_METHOD_NOT_ALLOWED, detail)
    at_host = [one for one in fit if wanted.host and one.host == wanted.host]
    return _drawn(at_host or fit, order.weights, wanted.entry)


def _listed(profiles: Sequence[Profile], order: Order, wanted: Wanted) -> list[Profile]:
    """Before anything is asked of them."""
    same = {one.id: one for one in profiles if one.streamer_type == wanted.streamer_type}
    if wanted.ids:
        return _of_ids(same, wanted.ids)
    if chosen := _of_ids(same, order.ids.get(wanted.streamer_type, ())):
        return chosen
    by_priority = sorted(same.values(), key=lambda one: (one.priority, one.id))
    if own := [one for one in by_priority if one.partner_id == wanted.partner]:
        return own
    return [one for one in by_priority if one.partner_id is None and one.is_default]


def _of_ids(profiles: Mapping[int, Profile], ids: Iterable[int]) -> list[Profile]:
    return [profiles[one] for one in dict.fromkeys(ids) if one in profiles]


def _fits(one: Profile, wanted: Wanted) -> bool:
    outputs, _ = TYPES.get(one.type, (frozenset(), Renders.REDIRECT))
    # what is packaged elsewhere needs a place to lead to
    elsewhere = wanted.output in (Output.SMOOTH, Output.HDS)
    return (
        wanted.output in outputs
        and (not one.schemes or wanted.scheme in one.schemes)
        and set(_PLACEHOLDER.findall(one.host + one.folder)) <= set(wanted.fills)
        and bool(one.host or not elsewhere)
    )


def _drawn(fit: Sequence[Profile], given: Mapping[int, int], entry: str) -> tuple[Profile, ...]:
    """By weight, where there are any: an entry sticks to a CDN.  The others follow as they
    came: they take over where the first cannot."""
    weights = [given.get(one.id, 0) if given else one.weight or 0 for one in fit]
    if not (total := sum(weights)):
        return tuple(fit)
    place = zlib.crc32(entry.encode()) % total
    for one, weight in zip(fit, weights, strict=True):
        if place < weight:
            return (one, *(other for other in fit if other is not one))
        place -= weight
    raise AssertionError("a place within the sum of the weights")


def fill(template: str, fills: Mapping[str, str]) -> str:
    """*template* with its placeholders filled, of which *fills* must have all."""
    return _PLACEHOLDER.sub(lambda match: fills[match[1]], template)
