"""What the questions answer with: plain values, checked when they are made.

The database checks what it stores; these check what it returns, because SQLite keeps any type
in any column and files get edited by hand.  A value that cannot be true is ``BadRow``, here and
before it is stored.  Times are nanoseconds since 1970, UTC.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from metadata.errors import BadRow
from metadata.file_records import Copy

KEEP_REPLACED_NS = 24 * 3600 * 1_000_000_000
"""How long a replaced version stays servable: players do not reload a VOD playlist."""

_LARGEST = 2**63 - 1  # of a BIGINT


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorFacts:
    """What ingest found out about a source."""

    path: str
    """An absolute path, or an address: ``http(s)://``, ``s3://``, ``gs://`` or ``az://``."""

    size: int
    """Bytes."""

    mtime_ns: int
    """Tells only that a source was not touched since; never part of its identity.  Of a source
    that has an address, a number made of its validator."""

    width: int | None
    height: int | None
    """Of the video; both None where there is none."""

    codecs: str
    """RFC 6381, e.g. ``avc1.64001f,mp4a.40.2``."""

    duration_ms: int

    bitrate: int
    """Bits per second over the whole source."""

    identity: bytes
    """What the packager says identifies the source's bytes."""


@dataclass(frozen=True, slots=True)
class IndexBlock:
    track: int
    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class NewIndex:
    """A flavor index to store: the header, and the sample rows in blocks."""

    format: int
    header: bytes
    blocks: tuple[IndexBlock, ...]


@dataclass(frozen=True, slots=True)
class NewFlavor:
    """A flavor version to store; without an index it is parsed on first use."""

    id: str
    facts: FlavorFacts
    index: NewIndex | None = None

    def __post_init__(self) -> None:
        _check("flavor_asset", self.id, self.facts, _FACTS)
        if self.index is not None:
            _check("flavor_index", self.id, self.index, _INDEX)
            for block in self.index.blocks:
                _check("flavor_index_block", self.id, block, _BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorRecord(FlavorFacts):
    """One version of a flavor.

    Of one that was imported, and not read yet, ``size``, ``codecs`` and ``identity`` may be 0
    or empty: not known.
    """

    int_id: int
    """The row's own number; the index hangs on it.  Never given out again."""

    id: str
    """The same over all versions."""

    entry_id: str
    version: int
    created_at: int
    replaced_at: int | None
    """None while this version is the current one."""

    def __post_init__(self) -> None:
        _check("flavor_asset", self.int_id, self, _FLAVOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """An entry with its flavor versions: the current ones and those lately replaced."""

    id: str
    partner_id: int
    name: str
    created_at: int
    updated_at: int
    flavors: tuple[FlavorRecord, ...]
    """In no order: see ``flavors.current`` and ``flavors.generations``."""

    def __post_init__(self) -> None:
        _check("entry", self.id, self, _ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySummary:
    """An entry as one line of a list."""

    id: str
    partner_id: int
    name: str
    created_at: int
    updated_at: int
    flavors: int
    """How many current ones."""

    duration_ms: int
    """Of the longest current flavor; 0 without one."""

    def __post_init__(self) -> None:
        _check("entry", self.id, self, _ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord(FlavorRecord):
    """A version of a flavor, and what a manifest chooses by."""

    frame_rate: float | None
    tags: str
    """Between commas."""

    language: str | None
    label: str | None
    is_default: bool
    flavor_params_id: int | None
    copies: tuple[Copy, ...] = ()
    """Its files in data centres and storages, ready or not; see ``origin.contract.places``."""

    def __post_init__(self) -> None:
        _check("flavor_asset", self.int_id, self, _ASSET)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRecord:
    """An entry as a manifest needs it: see ``standing.refusal`` before anything of it."""

    id: str
    partner_id: int
    name: str
    type: int
    media_type: int
    status: int
    moderation_status: int
    start_at: int | None
    end_at: int | None
    version: int
    cache_version: int
    access_control_id: int | None
    playlist: str | None
    updated_at: int
    partner_status: int
    partner_cache_version: int
    has_rules: bool
    """Of access control."""

    flavors: tuple[AssetRecord, ...]
    """Ready ones, in no order."""

    replaced: tuple[AssetRecord, ...] = ()
    """Their versions before, as long as they are kept."""

    captions: tuple["CaptionRecord", ...] = ()
    """Ready ones, the default first."""

    @property
    def versions(self) -> tuple[AssetRecord, ...]:
        """All of them."""
        return self.flavors + self.replaced

    def __post_init__(self) -> None:
        _check("entry", self.id, self, _CONTENT)


@dataclass(frozen=True, slots=True)
class CaptionRecord:
    """Captions of an entry in one language."""

    id: str
    version: int
    format: int
    language: str
    label: str | None
    is_default: bool
    path: str
    channel: str | None = None
    """Which captions of the file, where it has more than them."""

    purpose: int = 1
    """``metadata.enums.CaptionPurpose``."""

    def __post_init__(self) -> None:
        _check("caption_asset", self.id, self, _CAPTION)


@dataclass(frozen=True, slots=True)
class IndexHeader:
    """The header of a flavor's index, as stored."""

    int_id: int
    format: int
    data: bytes

    def __post_init__(self) -> None:
        _check("flavor_index", self.int_id, self, _HEADER)

    def expect(self, known: int) -> bytes:
        """The header's bytes, if it is in the *known* format."""
        if self.format != known:
            reason = f"index format {self.format} is not {known}, the one known here"
            raise BadRow("flavor_index", self.int_id, reason)
        return self.data


Rule = Callable[[object], bool]


def _int(low: int) -> Rule:
    return lambda value: type(value) is int and low <= value <= _LARGEST


def _or_none(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def _text(value: object) -> bool:
    # lone surrogates come from file names that are not UTF-8; PostgreSQL refuses NUL
    if not isinstance(value, str) or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _word(value: object) -> bool:
    return _text(value) and value != ""


_PATH = re.compile(r"/|(?:https?|s3|gs|az)://[^/]")


def _path(value: object) -> bool:
    return isinstance(value, str) and _PATH.match(value) is not None and _text(value)


def _blob(value: object) -> bool:
    return isinstance(value, bytes)


def _filled(value: object) -> bool:
    return isinstance(value, bytes) and value != b""


_FACTS: dict[str, Rule] = {
    "path": _path,
    "size": _int(1),
    "mtime_ns": _int(-_LARGEST),
    "width": _or_none(_int(1)),
    "height": _or_none(_int(1)),
    "codecs": _word,
    "duration_ms": _int(0),
    "bitrate": _int(0),
    "identity": _filled,
}
_FLAVOR: dict[str, Rule] = {
    **_FACTS,
    "size": _int(0),
    "codecs": _text,
    "identity": _blob,
    "id": _word,
    "version": _int(1),
    "created_at": _int(0),
    "replaced_at": _or_none(_int(0)),
}
_ASSET: dict[str, Rule] = {
    **_FLAVOR,
    "tags": _text,
    "language": _or_none(_word),
    "label": _or_none(_text),
    "flavor_params_id": _or_none(_int(0)),
}
_CONTENT: dict[str, Rule] = {
    "name": _text,
    "partner_id": _int(0),
    "status": _int(-2),
    "moderation_status": _int(1),
    "start_at": _or_none(_int(0)),
    "end_at": _or_none(_int(0)),
    "playlist": _or_none(_text),
}
_CAPTION: dict[str, Rule] = {
    "path": _path,
    "language": _word,
    "label": _or_none(_text),
    "channel": _or_none(_text),
}
_ENTRY: dict[str, Rule] = {
    "name": _text,
    "partner_id": _int(0),
    "created_at": _int(0),
    "updated_at": _int(0),
}
_HEADER: dict[str, Rule] = {"format": _int(1), "data": _filled}
_INDEX: dict[str, Rule] = {"format": _int(1), "header": _filled}
_BLOCK: dict[str, Rule] = {"track": _int(0), "number": _int(0), "data": _filled}


def _check(table: str, row_id: object, record: object, rules: dict[str, Rule]) -> None:
    for column, rule in rules.items():
        value = getattr(record, column)
        if not rule(value):
            raise BadRow(table, row_id, f"{column} {_shown(value)} cannot be")
    if isinstance(record, FlavorFacts) and (record.width is None) != (record.height is None):
        raise BadRow(table, row_id, "width and height go together")
    if isinstance(record, FlavorRecord):
        end = record.replaced_at
        if end is not None and end <= record.created_at:
            raise BadRow(table, row_id, "replaced before it was made")


def _shown(value: object) -> str:
    """A number as it is; of anything else, which may be a path or a blob, only the type."""
    return str(value) if isinstance(value, int | float | None) else type(value).__name__
