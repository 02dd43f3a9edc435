"""A mapping JSON to a ``MediaSet`` (vod-module §4.6).  Pure.

Every field is either taken or refused by its name and place: what a mapping asks for and does
not get would be another presentation.  A field that is null counts as absent.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from unicodedata import category

from origin.errors import NotFound
from origin.mapping.errors import BadMapping, Garbage
from origin.mapping.media_set import (
    MediaSet,
    Rates,
    Sequence,
    SourceType,
    Subtitles,
)
from origin.tracks import FIRST, Tracks, parse_tracks
from packager.languages import bcp47
from packager.presentation import ClosedCaptions
from packager.recipe import MAX_FLAVORS

MAX_SEGMENT = 600_000
"""Milliseconds, as below."""

_MIN_SEGMENT = 500
_MAX_TIME = 10 * 24 * 3600 * 1000
_MAX_RATE = 10**12
"""Bits per second."""

_MAX_TEXT, _MAX_PATH = 256, 4096
"""Characters."""

_MAX_CAPTIONS = 67
_CODE = re.compile(r"[a-z]{3}", re.ASCII)
_SERVICE = re.compile(r"CC[1-4]|SERVICE(?:[1-9]|[1-5][0-9]|6[0-3])", re.ASCII)
_CAPTIONS = (".vtt", ".srt", ".ttml", ".dfxp", ".xml", ".cap", ".scc", ".ass", ".ssa")
_EMPTY = "empty"
"""A path of captions that there are none of."""

_LATER = {
    "set": frozenset({
        "referenceClipIndex", "notifications", "firstClipTime", "clipTimes", "segmentBaseTime",
        "firstClipStartOffset", "initialClipIndex", "initialSegmentIndex",
        "presentationEndTime", "expirationTime", "liveWindowDuration", "timeOffset",
    }),
    "sequence": frozenset({"roles"}),
    "clip": frozenset({
        "keyFrameDurations", "firstKeyFrameOffset", "clipFrom", "encryptionKey",
        "encryptionIv", "encryptionScheme", "rate", "source", "gain", "sources", "durations",
        "paths", "clipIds", "offset", "basePath", "notifications",
    }),
}  # fmt: skip
"""Fields of the module's grammar that are not built."""

_CLIP_TYPES = frozenset({
    "rateFilter", "mixFilter", "gainFilter", "silence", "concat", "dynamic",
})  # fmt: skip


def parse_mapping(data: bytes) -> MediaSet:
    """Raises ``Garbage`` for what is no JSON, ``BadMapping`` for what is refused, and
    ``NotFound`` where the mapping says that there is nothing."""
    if not data.strip():
        raise NotFound("the mapping is empty")
    try:
        found = json.loads(data, object_pairs_hook=_object, parse_constant=_no_constant)
    except BadMapping:
        raise
    except (ValueError, RecursionError):
        raise Garbage("the mapping is not JSON") from None
    return _media_set(_Fields(found, "", "set"))


def path_mapping(data: bytes, prefix: str, postfix: str) -> MediaSet | None:
    """The mapping of an answer that is just a path between *prefix* and *postfix*; None where
    it is not."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    text = text.strip()
    if len(text) < len(prefix) + len(postfix):
        return None
    if not (text.startswith(prefix) and text.endswith(postfix)):
        return None
    path = text[len(prefix) : len(text) - len(postfix)]
    return MediaSet(sequences=(Sequence(path=_path(path, "path")),))


def joined(sets: list[MediaSet]) -> MediaSet:
    """Those of a multi URL as one: each may have just one sequence."""
    if len(sets) == 1:
        _some(sets[0].sequences)
        return sets[0]
    if any(len(one.sequences) + len(one.subtitles) != 1 for one in sets):
        raise BadMapping("sequences: more than one where the URL names several mappings")
    for name in ("segment_duration", "clip_from", "clip_to", "closed_captions"):
        if len({getattr(one, name) for one in sets}) > 1:
            raise BadMapping(f"{_FIELDS[name]}: differs between the mappings of the URL")
    first = sets[0]
    names = [one.sequences[0].id for one in sets if one.sequences and one.sequences[0].id]
    if len(set(names)) < len(names):
        raise BadMapping("id: two mappings of the URL have the same")
    return MediaSet(
        sequences=_some(tuple(media for one in sets for media in one.sequences)),
        subtitles=tuple(text for one in sets for text in one.subtitles),
        segment_duration=first.segment_duration,
        clip_from=first.clip_from,
        clip_to=first.clip_to,
        closed_captions=first.closed_captions,
        cache=all(one.cache for one in sets),
    )


_FIELDS = {
    "segment_duration": "segmentDuration",
    "clip_from": "clipFrom",
    "clip_to": "clipTo",
    "closed_captions": "closedCaptions",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadMapping("a field stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _Fields:
    """An object whose fields are taken one by one; what is left over is refused."""

    def __init__(self, value: Any, place: str, kind: str) -> None:
        """*place* is where it stands, *kind* which fields are known there."""
        if not isinstance(value, dict):
            raise BadMapping(f"{place or 'the mapping'}: not an object")
        self._values: Mapping[str, Any] = value
        self._place, self._kind = place, kind
        self._taken: set[str] = set()

    def place(self, name: str) -> str:
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        return f"{self._place}.{shown}" if self._place else shown

    def refuse(self, name: str, why: str) -> NoReturn:
        raise BadMapping(f"{self.place(name)}: {why}")

    def get(self, name: str) -> Any:
        self._taken.add(name)
        return self._values.get(name)

    def done(self) -> None:
        """Raises ``BadMapping`` for a field that nobody asked for."""
        for name, value in self._values.items():
            if name not in self._taken and value is not None:
                later = name in _LATER.get(self._kind, ())
                self.refuse(name, "not supported yet" if later else "not a field of a mapping")

    def text(self, name: str) -> str | None:
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _is_text(value, _MAX_TEXT):
            self.refuse(name, f"not a text of at most {_MAX_TEXT} characters")
        return value or None

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "not true or false")
        return value

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.get(name)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            self.refuse(name, f"not a whole number from {low} to {high}")
        return value

    def items(self, name: str, low: int, high: int) -> list[tuple[str, Any]] | None:
        """Each with its place."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not low <= len(value) <= high:
            self.refuse(name, f"not an array of {low} to {high}")
        return [(f"{self.place(name)}[{at}]", one) for at, one in enumerate(value)]

    def parsed(self, name: str, parse: Callable[[str], Any], why: str) -> Any:
        """A text through *parse*, which answers None for one that is wrong."""
        text = self.text(name)
        if text is None:
            return None
        found = parse(text)
        if found is None:
            self.refuse(name, why)
        return found


def _media_set(fields: _Fields) -> MediaSet:
    """Without media where there are just captions: a URL may name these and media apart."""
    listed = fields.items("sequences", 1, MAX_FLAVORS)
    if listed is None:
        fields.refuse("sequences", "it is missing")
    if fields.text("playlistType") not in (None, "vod"):
        fields.refuse("playlistType", "only vod is supported yet")
    fields.text("id")
    fields.flag("consistentSequenceMediaInfo")  # of one clip there is nothing else
    fields.flag("discontinuity")
    clip_from = fields.number("clipFrom", 0, _MAX_TIME)
    clip_to = _earliest(fields.number("clipTo", 1, _MAX_TIME), _duration(fields))
    if clip_to is not None and clip_to <= (clip_from or 0):
        fields.refuse("clipTo", "not behind clipFrom")
    every = [_sequence(_Fields(one, place, "sequence")) for place, one in listed]
    found = MediaSet(
        sequences=tuple(one for one in every if isinstance(one, Sequence)),
        subtitles=tuple(one for one in every if isinstance(one, Subtitles)),
        segment_duration=fields.number("segmentDuration", _MIN_SEGMENT, MAX_SEGMENT),
        clip_from=clip_from or None,
        clip_to=clip_to,
        closed_captions=_closed_captions(fields),
        cache=fields.flag("cache") is not False,
    )
    fields.done()
    names = [one.id for one in found.sequences if one.id is not None]
    if len(set(names)) < len(names):
        fields.refuse("sequences", "two have the same id")
    return found


def _duration(fields: _Fields) -> int | None:
    """Of the one clip: nothing behind it is presented."""
    listed = fields.items("durations", 1, 128)
    if listed is None:
        return None
    if len(listed) > 1:
        fields.refuse("durations", "several clips are not supported yet")
    place, value = listed[0]
    if type(value) is not int or not 1 <= value <= _MAX_TIME:
        raise BadMapping(f"{place}: not a whole number from 1 to {_MAX_TIME}")
    return value


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def _some(sequences: tuple[Sequence, ...]) -> tuple[Sequence, ...]:
    if not sequences:
        raise BadMapping("sequences: nothing but captions")
    return sequences


def _sequence(fields: _Fields) -> Sequence | Subtitles | None:
    """None for captions that are empty."""
    clips = fields.items("clips", 1, 128)
    if clips is None:
        fields.refuse("clips", "it is missing")
    if len(clips) > 1:
        fields.refuse("clips", "several clips are not supported yet")
    path, source_type, tracks = _clip(_Fields(clips[0][1], clips[0][0], "clip"))
    found = Sequence(
        path=path,
        source_type=source_type,
        tracks=tracks,
        id=fields.text("id"),
        language=_language(fields),
        label=fields.text("label"),
        default=fields.flag("default"),
        bitrate=_rates(fields, "bitrate"),
        avg_bitrate=_rates(fields, "avg_bitrate"),
    )
    fields.done()
    if path == _EMPTY:
        return None
    if not _is_captions(path):
        return found
    return Subtitles(
        path=path,
        source_type=source_type,
        language=found.language,
        label=found.label,
        default=found.default is True,
    )


def _is_captions(path: str) -> bool:
    """A query is no part of a file's name."""
    name = path.partition("?")[0] if "://" in path else path
    return name.lower().endswith(_CAPTIONS)


def _clip(fields: _Fields) -> tuple[str, SourceType | None, Tracks]:
    kind = fields.text("type")
    if kind != "source":
        why = "not supported yet" if kind in _CLIP_TYPES else "not a type of clip"
        fields.refuse("type", f"{kind} is {why}" if kind in _CLIP_TYPES else why)
    path = fields.get("path")
    if path is None:
        fields.refuse("path", "it is missing")
    fields.text("id")
    source_type = fields.parsed("sourceType", _source_type, "neither file nor http")
    tracks = fields.parsed("tracks", parse_tracks, "not tracks such as v1-a1")
    fields.done()
    return _path(path, fields.place("path")), source_type, tracks or FIRST


def _path(path: Any, place: str) -> str:
    if not isinstance(path, str) or not _is_text(path, _MAX_PATH):
        raise BadMapping(f"{place}: not a path")
    if not path:  # the file is known and is not here
        raise NotFound("the mapping has an empty path: the file is not here")
    return path


def _source_type(text: str) -> SourceType | None:
    return SourceType(text) if text in set(SourceType) else None


def _language(fields: _Fields) -> str | None:
    text = fields.text("language")
    if text is None or text == "und":
        return None
    found = bcp47(text)
    if found is None:
        fields.refuse("language", "not a language code")
    return found


def _rates(fields: _Fields, name: str) -> Rates:
    value = fields.get(name)
    if value is None:
        return Rates()
    rates = _Fields(value, fields.place(name), name)
    found = Rates(rates.number("v", 0, _MAX_RATE) or 0, rates.number("a", 0, _MAX_RATE) or 0)
    rates.done()
    return found


def _closed_captions(fields: _Fields) -> tuple[ClosedCaptions, ...]:
    """None, by an empty array, is what manifests say anyway."""
    listed = fields.items("closedCaptions", 0, _MAX_CAPTIONS) or []
    found = tuple(_closed_caption(_Fields(one, place, "caption")) for place, one in listed)
    if len({one.id for one in found}) < len(found):
        fields.refuse("closedCaptions", "two have the same id")
    return found


def _closed_caption(fields: _Fields) -> ClosedCaptions:
    service, label = fields.text("id"), fields.text("label")
    if service is None or not _SERVICE.fullmatch(service):
        fields.refuse("id", "not CC1 to CC4 or SERVICE1 to SERVICE63")
    if not label:
        fields.refuse("label", "it is missing")
    language, code = _language(fields), fields.text("language")
    found = ClosedCaptions(
        id=service,
        label=label,
        language=language,
        code=code if language and code and _CODE.fullmatch(code) else None,
        default=fields.flag("default") is True,
    )
    fields.done()
    return found


def _is_text(text: str, most: int) -> bool:
    """Controls and lone surrogates are in no name and no label."""
    return len(text) <= most and not any(category(one) in ("Cc", "Cs") for one in text)
