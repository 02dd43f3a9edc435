"""The header of a flavor index: JSON facts of each track, then its columns, then a CRC-32."""

import json
import struct
from fractions import Fraction
from typing import Any

import numpy as np

from packager.errors import MalformedMedia
from packager.index import FlavorIndex, TrackIndex
from packager.index_blocks import BLOCK, sealed, unsealed
from packager.index_formats import format_facts, parse_format
from packager.samples import Column, column
from packager.source import Container
from packager.tracks import Edit, Track

FORMAT = 2
"""Version of header and blocks.  Another one is stale: the flavor is parsed again."""

_MAGIC = b"HRix"
_PREFIX = struct.Struct(">4sHI")  # magic, format, length of the JSON


_NUMBERS = (
    "number", "count", "first_in_source", "total_size", "end", "least_offset",
    "uniform_duration", "last_duration",
)  # fmt: skip
_BOOLEANS = ("has_offsets", "exact", "plain", "all_sync")
_COLUMNS = ("sync", "entry", "entry_cts", "block_dts")
_KINDS: dict[int, "np.dtype[Any]"] = {4: np.dtype("<u4"), 8: np.dtype("<i8")}
"""By width; the narrow one where all values fit: a header is read for a segment of any time."""

_AS_SYNC = 0
"""Width of ``entry`` where it is the same as ``sync``: every group is closed."""


def track_facts(made: TrackIndex, *, identity: bool = False) -> dict[str, Any]:
    track = made.track
    facts = {
        "id": track.id,
        "timescale": track.timescale,
        "edit": [track.edit.origin, track.edit.end],
        "language": track.language,
        "format": format_facts(track.format),
    }
    if not identity:
        facts |= {name: getattr(made, name) for name in (*_NUMBERS, *_BOOLEANS)}
        facts["columns"] = [[_width(made, name), len(getattr(made, name))] for name in _COLUMNS]
    return facts


def _width(made: TrackIndex, name: str) -> int:
    values: Column = getattr(made, name)
    if name == "entry" and np.array_equal(values, made.sync):
        return _AS_SYNC
    narrow = not len(values) or (int(values.min()) >= 0 and int(values.max()) < 1 << 32)
    return 4 if narrow else 8


def encode_header(index: FlavorIndex) -> bytes:
    facts = {
        "file_size": index.file_size,
        "container": index.container,
        "digest": index.digest,
        "left_out": index.left_out,
        "tracks": [track_facts(track) for track in index.tracks],
    }
    if index.begin:
        facts["begin"] = index.begin.as_integer_ratio()
    text = json.dumps(facts, separators=(",", ":")).encode()
    columns = (
        getattr(track, name).astype(_KINDS[width]).tobytes()
        for track in index.tracks
        for name in _COLUMNS
        if (width := _width(track, name)) != _AS_SYNC
    )
    return sealed(b"".join((_PREFIX.pack(_MAGIC, FORMAT, len(text)), text, *columns)))


def decode_header(header: bytes) -> FlavorIndex:
    """Raises ``MalformedMedia`` for a header of another format or that is damaged."""
    try:
        return _decode_header(header)
    except (ValueError, KeyError, TypeError, struct.error, ZeroDivisionError) as error:
        raise MalformedMedia(f"flavor index: header: {error}") from None


def _decode_header(header: bytes) -> FlavorIndex:
    magic, version, length = _PREFIX.unpack_from(header)
    if (magic, version) != (_MAGIC, FORMAT):
        raise ValueError(f"format {version} is not {FORMAT}")
    body = unsealed(header)
    facts = json.loads(bytes(body[_PREFIX.size : _PREFIX.size + length]))
    position = _PREFIX.size + length
    tracks = []
    for each in facts["tracks"]:
        columns: dict[str, Any] = {}
        for name, (width, count) in zip(_COLUMNS, each["columns"], strict=True):
            if width == _AS_SYNC and name == "entry":
                columns[name] = columns["sync"]
                continue
            columns[name] = column(np.frombuffer(body, _KINDS[width], count, position))
            position += width * count
        tracks.append(_parse_track(each, columns))
    if position != len(body) or not tracks:
        raise ValueError("lengths do not add up")
    return FlavorIndex(
        int(facts["file_size"]),
        tuple(tracks),
        tuple(facts["left_out"]),
        str(facts["digest"]),
        container=Container(facts.get("container", Container.MP4)),
        begin=Fraction(*map(int, facts.get("begin", (0, 1)))),
    )


def _parse_track(facts: dict[str, Any], columns: dict[str, Any]) -> TrackIndex:
    origin, end = facts["edit"]
    track = Track(
        int(facts["id"]),
        parse_format(facts["format"]),
        int(facts["timescale"]),
        Edit(int(origin), None if end is None else int(end)),
        facts["language"],
    )
    numbers: dict[str, Any] = {name: int(facts[name]) for name in _NUMBERS}
    booleans: dict[str, Any] = {name: bool(facts[name]) for name in _BOOLEANS}
    made = TrackIndex(track=track, **numbers, **booleans, **columns)
    if made.block_count != -(-made.count // BLOCK) or made.count < 1 or track.timescale < 1:
        raise ValueError("a track's counts contradict each other")
    return made
