"""One line of an import to what is stored of it, or the reason why it is left out.

A JSON line is an entry with all its flavors, or some; a CSV line is an entry with one flavor,
or none.  What a line does not say stays as it is, or has the default if it is new.  A field
that is not known here is refused, not passed over: it may be one that guards the entry.
"""

import csv
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from metadata.bulk import Columns, EntryRow
from metadata.captions import MOST_CAPTIONS
from metadata.enums import (
    AssetStatus,
    CaptionFormat,
    CaptionPurpose,
    EntryStatus,
    EntryType,
    MediaType,
    ModerationStatus,
)
from metadata.errors import BadId
from metadata.ids import check_id
from packager.recipe import MAX_FLAVORS

DEFAULT_PARTNER = 101

_MOST = 2**63 - 1
_SECONDS = 1_000_000_000
_TAG = re.compile(r"[A-Za-z0-9_.:-]+")
_FLAVOR_CELL = "flavor."
_SECRET = re.compile(r"[a-z0-9]+://[^/?#]*@")

Count = Annotated[int, Meta(ge=0, le=_MOST)]
Pixels = Annotated[int, Meta(ge=1, le=1 << 20)]
Seconds = Annotated[int, Meta(ge=0, le=_MOST // _SECONDS)]
Text = Annotated[str, Meta(max_length=4096)]
Language = Annotated[str, Meta(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]


class BadLine(Exception):
    """A line that is left out; the message is the reason."""


class _Flavor(Struct, forbid_unknown_fields=True):
    id: str
    path: Annotated[str, Meta(pattern="^(/|(https?|s3|gs|az)://[^/])", max_length=4096)]
    size: Count | UnsetType = UNSET
    width: Pixels | UnsetType = UNSET
    height: Pixels | UnsetType = UNSET
    codecs: Annotated[str, Meta(max_length=1024)] | UnsetType = UNSET
    duration_ms: Count | UnsetType = UNSET
    bitrate: Count | UnsetType = UNSET
    frame_rate: Annotated[float, Meta(gt=0, le=1000)] | UnsetType = UNSET
    status: AssetStatus | UnsetType = UNSET
    tags: Text | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    label: Text | UnsetType | None = UNSET
    is_default: bool | UnsetType = UNSET
    flavor_params_id: Count | UnsetType | None = UNSET


class _Captions(Struct, forbid_unknown_fields=True):
    id: str
    path: Annotated[str, Meta(pattern="^/", max_length=4096)]
    format: CaptionFormat
    language: Language
    label: Text | UnsetType | None = UNSET
    is_default: bool | UnsetType = UNSET
    status: AssetStatus | UnsetType = UNSET
    channel: Text | UnsetType | None = UNSET
    purpose: CaptionPurpose | UnsetType = UNSET


class _Entry(Struct, forbid_unknown_fields=True):
    id: str
    partner_id: Count = DEFAULT_PARTNER
    name: Text | UnsetType = UNSET
    type: EntryType | UnsetType = UNSET
    media_type: MediaType | UnsetType = UNSET
    status: EntryStatus | UnsetType = UNSET
    moderation_status: ModerationStatus | UnsetType = UNSET
    start_date: Seconds | UnsetType | None = UNSET
    end_date: Seconds | UnsetType | None = UNSET
    version: Annotated[int, Meta(ge=1, le=_MOST)] | UnsetType = UNSET
    cache_version: Count | UnsetType = UNSET
    access_control_id: Count | UnsetType | None = UNSET
    conversion_profile_id: Count | UnsetType | None = UNSET
    playlist: str | UnsetType | None = UNSET
    flavors: Annotated[list[_Flavor], Meta(max_length=MAX_FLAVORS)] = []
    captions: Annotated[list[_Captions], Meta(max_length=MOST_CAPTIONS)] = []


_json = msgspec.json.Decoder(_Entry)
_ENTRY_FIELDS = frozenset(_Entry.__struct_fields__) - {"flavors", "captions"}
_FLAVOR_FIELDS = frozenset(_Flavor.__struct_fields__)

Parse = Callable[[int, bytes], EntryRow]
"""A line's number and bytes to a row.  Raises ``BadLine``."""


def parse_json(number: int, line: bytes) -> EntryRow:
    """A line of a JSON lines file."""
    try:
        # only escaped can JSON hold what a database does not take
        return _row(number, _json.decode(line), plain=b"\\u" not in line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine(_reason(error)) from None


def csv_parser(header: bytes) -> Parse:
    """For the lines below *header*.  Raises ``BadLine`` for a header that cannot be."""
    names = _cells(header)
    for name in names:
        flavor = name.removeprefix(_FLAVOR_CELL)
        known = _FLAVOR_FIELDS if flavor != name else _ENTRY_FIELDS
        if flavor not in known:
            raise BadLine(f"column {name[:40]!r} is not known")
    if len(set(names)) < len(names):
        raise BadLine("a column is named twice")
    if "id" not in names:
        raise BadLine("there is no column id")

    def parse(number: int, line: bytes) -> EntryRow:
        cells = _cells(line)
        if len(cells) != len(names):
            raise BadLine(f"{len(cells)} cells, the header has {len(names)}")
        entry: Columns = {}
        flavor: Columns = {}
        for name, cell in zip(names, cells, strict=True):
            if cell == "":  # not said
                continue
            if name.startswith(_FLAVOR_CELL):
                flavor[name.removeprefix(_FLAVOR_CELL)] = cell
            else:
                entry[name] = cell
        if flavor:
            entry["flavors"] = [flavor]
        try:
            said = msgspec.convert(entry, _Entry, strict=False)
            return _row(number, said, plain=b"\0" not in line)
        except msgspec.ValidationError as error:
            raise BadLine(_reason(error)) from None

    return parse


def _cells(line: bytes) -> list[str]:
    try:
        found = list(csv.reader([line.decode()], strict=True))
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    except csv.Error as error:  # also a quoted cell that goes on in the next line
        raise BadLine(f"not CSV: {error}") from None
    return found[0] if found else []


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _row(number: int, said: _Entry, *, plain: bool) -> EntryRow:
    """*plain* if no text of the line can hold a NUL or half a character."""
    entry: Columns = msgspec.to_builtins(said)  # without what is not said
    flavors: list[Columns] = entry.pop("flavors", [])
    captions: list[Columns] = entry.pop("captions", [])
    if not plain:
        for row in (entry, *flavors, *captions):
            _check_storable(row)
    _check_id(said.id, "entry")
    for ours, theirs in (("start_at", "start_date"), ("end_at", "end_date")):
        if theirs in entry:
            seconds = entry.pop(theirs)
            entry[ours] = seconds and seconds * _SECONDS
    if entry.get("end_at") == 0:
        entry["end_at"] = None  # as Kaltura exports "never"
    if entry.get("start_at") == 0:
        entry["start_at"] = None
    if entry.get("playlist") is not None:
        entry["playlist"] = _playlist(entry["playlist"])
    for flavor in flavors:
        _check_flavor(flavor)
    if len({one["id"] for one in flavors}) < len(flavors):
        raise BadLine("a flavor is named twice")
    for one in captions:
        _check_id(one["id"], "captions")
    if len({one["id"] for one in captions}) < len(captions):
        raise BadLine("captions are named twice")
    return EntryRow(number, entry, flavors, captions)


def _check_flavor(flavor: Columns) -> None:
    _check_id(flavor["id"], "flavor")
    if _SECRET.match(flavor["path"]):
        raise BadLine("path: an address must not hold a name or a password")
    if "tags" in flavor:
        flavor["tags"] = _tags(flavor["tags"])


def _check_storable(row: Columns) -> None:
    for name, value in row.items():
        if isinstance(value, str) and not _storable(value):
            raise BadLine(f"{name}: NUL or half a character")


def _storable(text: str) -> bool:
    """PostgreSQL refuses NUL, and UTF-8 has no half of a surrogate pair."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _check_id(text: str, what: str) -> None:
    try:
        check_id(text, what)
    except BadId as error:
        raise BadLine(str(error)) from None


def _playlist(text: str) -> str:
    ids = [one.strip() for one in text.split(",") if one.strip()]
    for one in ids:
        _check_id(one, "entry")
    return ",".join(ids)


@lru_cache(maxsize=1024)
def _tags(text: str) -> str:
    tags = [one.strip() for one in text.split(",") if one.strip()]
    for one in tags:
        if not _TAG.fullmatch(one):
            raise BadLine(f"tag {one[:40]!r} has other than letters, digits and _.:-")
    return ",".join(dict.fromkeys(tags))
