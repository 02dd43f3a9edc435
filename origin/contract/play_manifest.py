"""The playManifest URL (contract §2.1).

    [/s]/p/{partner}[/sp/{sub}]/playManifest/entryId/{entry}/{name}/{value}/…/a.{ext}?name=value

Pure.  What is refused has a number; only a path that cannot be one of these does not parse.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from metadata.errors import BadId
from metadata.ids import check_id
from origin.contract.formats import (
    DEFAULT_FORMAT,
    FORMATS,
    NOT_BUILT_REPLIES,
    Format,
    Output,
    Reply,
)
from origin.contract.parameters import gather
from origin.contract.refusals import Number, Refused
from origin.contract.wishes import (
    NAMES,
    NO_WISHES,
    SESSION,
    DeliveryWishes,
    parse_wishes,
    render_wishes,
)
from origin.errors import BadUrl
from origin.filters.rules import parse_rules, render_rules
from origin.filters.wanted import EVERYTHING, PARAMETER, Wanted, set_name
from origin.parameters import NONE, Parameters, parse_parameters
from origin.paths import path_segments

ACTION = "playManifest"
MAX_ENTRIES = 128
"""Of a sequence."""

_SHORT = {
    "entryId": "e", "format": "f", "protocol": "pt", "flavorId": "fi", "flavorIds": "fs",
    "flavorParamId": "fp", "flavorParamIds": "fps", "tags": "t", "preferredBitrate": "pb",
    "maxBitrate": "mb", "minBitrate": "mib", "seekFrom": "sf", "clipTo": "ct", "expiry": "ex",
    **{name: short for name, short in NAMES.items() if short},
}  # fmt: skip
_LONG_ONLY = (
    "responseFormat", "callback", "type", "playbackRate", "tracks", "sequence", "kt",
    "disableCaptions",
)  # fmt: skip
PARAMETERS = {short: name for name, short in _SHORT.items()} | {
    name: name for name in (*_SHORT, *_LONG_ONLY, *NAMES, "filter", "filterSet")
}
PARAMETERS[PARAMETER] = "filter"
"""Each name to the long one; ``docs/delivery-contract.md`` lists them."""

_LATER = {"playbackRate": "1"}
"""Parameters whose parts are not built, each with the value that asks for nothing.  Without
them the answer would be another video, so they are refused and not ignored."""

_DIGITS = re.compile(r"[0-9]{1,18}")
_KBPS = re.compile(r"([0-9]{1,9})(\.[0-9]{1,9})?")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CALLBACK = re.compile(r"[0-9_a-zA-Z.]*")
_SCHEME = re.compile(r"[a-z]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayManifest:
    """What is asked for; parameters that change nothing here are left out."""

    partner: int
    entry: str
    format: Format
    output: Output
    reply: Reply
    scheme: str = "http"
    """Of the media, as asked for; our URLs have none, and so that of the request."""

    flavor_ids: tuple[str, ...] = ()
    flavor_params: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    """Each a group of its own."""

    preferred_bitrate: int | None = None
    """Kilobits per second, as the two below."""

    max_bitrate: int | None = None
    min_bitrate: int | None = None
    media_only: bool = False
    """``type=media``: no alternative audio is added."""

    captions: bool = True
    """They are listed too, where there are any."""

    callback: str = ""
    expiry: int | None = None
    """Seconds since 1970."""

    delivery: DeliveryWishes = NO_WISHES
    clip: Parameters = NONE
    before: tuple[str, ...] = ()
    """``sequence``: entries that are played before this one."""

    wanted: Wanted = EVERYTHING
    """What of the flavors' renditions a manifest is to list."""


def is_play_manifest(path: str) -> bool:
    """Whether *path* could be one of these."""
    return path.startswith(("/p/", "/s/p/")) and f"/{ACTION}/" in path


def with_session(path: str, session: str) -> str:
    """*path* with the ``ks`` of a header, which wins over a parameter, where it may be one.

    >>> with_session("/p/1/playManifest/entryId/0_abcd1234", "djJ8")
    '/p/1/playManifest/ks/djJ8/entryId/0_abcd1234'
    """
    if not session or not is_play_manifest(path) or not SESSION.fullmatch(session):
        return path
    before, action, rest = path.partition(f"/{ACTION}/")
    return f"{before}{action}ks/{session}/{rest}"


@lru_cache(maxsize=1024)
def parse_play_manifest(path: str, query: str = "") -> PlayManifest:
    """Raises ``BadUrl`` and ``Refused``."""
    partner, action, parts = partner_of(path_segments(path, may_be_empty=True))
    if action != ACTION:
        raise BadUrl(f"no such resource: {action}")
    given = gather(parts, query, PARAMETERS)
    if "entryId" not in given:
        raise Refused(Number.MISSING_PARAMETER, "entryId")
    try:
        entry = check_id(given["entryId"])
    except BadId:
        raise Refused(Number.ENTRY_NOT_FOUND) from None
    if "kt" in given:
        raise Refused(Number.INVALID_TOKEN, "kt is not supported yet")
    for name, nothing in _LATER.items():
        if given.get(name, nothing) != nothing:
            raise Refused(Number.INVALID_PARAMETER, f"{name} is not supported yet")
    form, output, reply = _form(given)
    return PlayManifest(
        partner=partner,
        entry=entry,
        format=form,
        output=output,
        reply=reply,
        scheme=_scheme(given.get("protocol", "")),
        flavor_ids=tuple(filter(_is_id, _list(given, "flavorId", "flavorIds"))),
        flavor_params=tuple(
            int(one)
            for one in _list(given, "flavorParamId", "flavorParamIds")
            if _DIGITS.fullmatch(one)
        ),
        tags=_tags(given),
        preferred_bitrate=_preferred(given),
        max_bitrate=_bitrate(given, "maxBitrate", Number.INVALID_MAX_BITRATE),
        min_bitrate=_bitrate(given, "minBitrate", Number.INVALID_MIN_BITRATE),
        media_only=given.get("type") == "media",
        callback=_callback(given, reply),
        expiry=_expiry(given),
        captions=given.get("disableCaptions", "false") in ("0", "false"),
        delivery=parse_wishes(given),
        clip=_clip(given),
        before=_before(given, output),
        wanted=_wanted(given),
    )


def partner_of(parts: list[str]) -> tuple[int, str, list[str]]:
    """``[s/]p/{partner}[/sp/{sub}]/{action}/…`` to partner, action and what follows."""
    rest = parts[1:] if parts[:1] == ["s"] else parts
    if rest[:1] != ["p"] or len(rest) < 3 or not _DIGITS.fullmatch(rest[1]):
        raise BadUrl("no partner: a path starts with /p/{number}")
    partner, rest = int(rest[1]), rest[2:]
    if rest[0] == "sp":
        if len(rest) < 3 or not _DIGITS.fullmatch(rest[1]):
            raise BadUrl("sp: not a number")
        rest = rest[2:]
    return partner, rest[0], rest[1:]


def _form(given: dict[str, str]) -> tuple[Format, Output, Reply]:
    name = given.get("format", DEFAULT_FORMAT)
    form = FORMATS.get(name)
    if form is None:
        raise Refused(Number.INVALID_PARAMETER, "format is not known")
    if form.output is None:
        raise Refused(Number.DELIVERY_METHOD_NOT_ALLOWED, f"format {name} is not supported")
    wanted = given.get("responseFormat", form.reply or "f4m")
    if wanted in NOT_BUILT_REPLIES:
        detail = f"responseFormat {wanted} is not supported"
        raise Refused(Number.DELIVERY_METHOD_NOT_ALLOWED, detail)
    if wanted not in set(Reply) or (wanted == Reply.MASTER and form.output is not Output.HLS):
        raise Refused(Number.INVALID_PARAMETER, f"responseFormat is not one of format {name}")
    return form, form.output, Reply(wanted)


def _scheme(text: str) -> str:
    if text in ("", "null"):
        return "http"
    if not _SCHEME.fullmatch(text):
        raise Refused(Number.INVALID_PARAMETER, "protocol is not known")
    if text not in ("http", "https"):
        detail = f"protocol {text} is not supported"
        raise Refused(Number.DELIVERY_METHOD_NOT_ALLOWED, detail)
    return text


def _list(given: dict[str, str], one: str, several: str) -> list[str]:
    return given.get(one, given.get(several, "")).split(",")


def _is_id(text: str) -> bool:
    """Others match no flavor, and what matches none falls to tags."""
    try:
        return check_id(text, "flavor") != ""
    except BadId:
        return False


def _tags(given: dict[str, str]) -> tuple[str, ...]:
    tags = [tag.strip() for tag in given.get("tags", "").split(",")]
    if not all(_TAG.fullmatch(tag) for tag in tags if tag):
        raise Refused(Number.INVALID_PARAMETER, "tags")
    return tuple(filter(None, tags))


def _preferred(given: dict[str, str]) -> int | None:
    """Only a wish: what is no number wishes nothing."""
    match = _KBPS.fullmatch(given.get("preferredBitrate", ""))
    return (int(match[1]) or None) if match else None


def _bitrate(given: dict[str, str], name: str, number: Number) -> int | None:
    if name not in given:
        return None
    match = _KBPS.fullmatch(given[name])
    if match is None or not (value := int(match[1])):
        raise Refused(number)
    return value


def _callback(given: dict[str, str], reply: Reply) -> str:
    if reply is not Reply.JSONP:
        return ""
    name = given.get("callback", "")
    if not name:
        raise Refused(Number.MISSING_PARAMETER, "callback")
    if not _CALLBACK.fullmatch(name):
        raise Refused(Number.INVALID_PARAMETER, "callback")
    return name


def _expiry(given: dict[str, str]) -> int | None:
    if "expiry" not in given:
        return None
    text = given["expiry"]
    return int(text) if _DIGITS.fullmatch(text) else 0  # what is no time is past


def _clip(given: dict[str, str]) -> Parameters:
    """``seekFrom`` and ``clipTo``, milliseconds of which 0 asks for nothing, and ``tracks``."""
    names = {"seekFrom": "clipFrom", "clipTo": "clipTo"}
    pairs = [(to, given[name]) for name, to in names.items() if given.get(name, "0") != "0"]
    pairs += [("tracks", given["tracks"])] if "tracks" in given else []
    try:
        return parse_parameters(pairs)
    except BadUrl as error:
        raise Refused(Number.INVALID_PARAMETER, str(error)) from None


def _before(given: dict[str, str], output: Output) -> tuple[str, ...]:
    entries = _list(given, "sequence", "sequence") if "sequence" in given else []
    if len(entries) >= MAX_ENTRIES:
        raise Refused(Number.INVALID_PARAMETER, f"sequence: {len(entries)} entries")
    if entries and output not in (Output.HLS, Output.DASH):
        raise Refused(Number.INVALID_PARAMETER, "sequence: not of this format")
    try:
        return tuple(map(check_id, entries))
    except BadId as error:
        raise Refused(Number.INVALID_PARAMETER, f"sequence: {error}") from None


def _wanted(given: dict[str, str]) -> Wanted:
    """``filter`` (rules) and ``filterSet`` (a name): ours, and so no numbered errors."""
    rules = parse_rules(given["filter"]) if "filter" in given else ()
    if "filterSet" in given:
        return Wanted(named=set_name(given["filterSet"]), query=rules)
    return Wanted(rules=rules)


_EXTENSIONS = {
    Output.HLS: "m3u8", Output.DASH: "mpd", Output.PROGRESSIVE: "mp4", Output.DOWNLOAD: "mp4",
    Output.SMOOTH: "ism", Output.HDS: "f4m",
}  # fmt: skip


def render_play_manifest(asked: PlayManifest) -> str:
    """The URL's path; ``parse_play_manifest`` of it is *asked* again."""
    pairs: dict[str, object] = {
        "entryId": asked.entry,
        "format": asked.format.name,
        "protocol": asked.scheme,
        "responseFormat": asked.reply,
        "flavorIds": ",".join(asked.flavor_ids),
        "flavorParamIds": ",".join(map(str, asked.flavor_params)),
        "tags": ",".join(asked.tags),
        "preferredBitrate": asked.preferred_bitrate,
        "maxBitrate": asked.max_bitrate,
        "minBitrate": asked.min_bitrate,
        "type": "media" if asked.media_only else None,
        "callback": asked.callback,
        "expiry": asked.expiry,
        "disableCaptions": None if asked.captions else "true",
        **render_wishes(asked.delivery),
        "seekFrom": asked.clip.clip_from,
        "clipTo": asked.clip.clip_to,
        "tracks": asked.clip.tracks,
        "sequence": ",".join(asked.before),
        "filter": render_rules(asked.wanted.rules or asked.wanted.query),
        "filterSet": asked.wanted.named,
    }
    text = "/".join(
        f"{name}/{value}" for name, value in pairs.items() if value not in (None, "")
    )
    return (
        f"/p/{asked.partner}/sp/{asked.partner}00/{ACTION}/{text}/a.{_EXTENSIONS[asked.output]}"
    )
