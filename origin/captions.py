"""Files of captions: where they are, and what is in them.

A file is read and parsed once for as long as it is not touched, whoever asks for it meanwhile.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cachetools import LRUCache

from metadata.records import CaptionRecord
from origin.errors import NotFound, SourceUnavailable
from origin.flights import Flights
from origin.storage.source import Source
from origin.storage.sources import Sources
from packager.captions.cues import MAX_BYTES, Captions, MalformedCaptions
from packager.captions.formats import CaptionFormat, parse
from packager.captions.mp4_tracks import read_text_track
from packager.captions.rendition import mark_of
from packager.captions.webvtt import render
from packager.errors import PackagerError, Unsupported
from packager.languages import bcp47
from packager.presentation import ClosedCaptions, Purpose

CHANNEL = re.compile(r"CC[1-4]|SERVICE(?:[1-9]|[1-5][0-9]|6[0-3])", re.ASCII)
"""Of captions in the pictures (RFC 8216 §4.3.4.1, INSTREAM-ID)."""

_KEPT = 64 << 20
"""Bytes of cues."""

_AT_ONCE = 2
"""Files that are parsed at the same time: each may take a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFile:
    """A file of captions in one language, beside the flavors."""

    path: str
    """An absolute path or an address, as of a flavor."""

    language: str | None
    """BCP 47; None where it is not known."""

    label: str | None = None
    is_default: bool = False
    format: CaptionFormat | None = None
    """None: what the file begins with tells."""

    channel: str | None = None
    """Of a track of text, its number in the file."""

    purpose: Purpose = Purpose.SUBTITLES
    id: str | None = None
    """Of the caption asset; None of what a mapping names."""


_FORMATS = {
    1: CaptionFormat.SRT,
    2: CaptionFormat.DFXP,
    3: CaptionFormat.WEBVTT,
    4: CaptionFormat.CAP,
    5: CaptionFormat.SCC,
    6: CaptionFormat.ASS,
    7: CaptionFormat.MP4,
}
"""Of rows: ``metadata.enums.CaptionFormat``."""

_PURPOSES = {2: Purpose.CAPTIONS, 3: Purpose.FORCED}


_IN_PICTURES = 8


def within_pictures(rows: Iterable[CaptionRecord]) -> tuple[ClosedCaptions, ...]:
    """Those of *rows* that are in the video: a manifest says so, and nothing is read."""
    found: dict[str, ClosedCaptions] = {}
    for row in rows:
        if row.format == _IN_PICTURES and row.channel and CHANNEL.fullmatch(row.channel):
            language = bcp47(row.language)
            one = ClosedCaptions(
                id=row.channel,
                label=row.label or row.channel,
                language=language,
                code=row.language if row.language != "und" and len(row.language) == 3 else None,
                default=row.is_default,
            )
            found.setdefault(one.id, one)
    return tuple(found.values())


def beside_pictures(rows: Iterable[CaptionRecord]) -> tuple[CaptionFile, ...]:
    return tuple(caption_file(row) for row in rows if row.format != _IN_PICTURES)


def caption_file(row: CaptionRecord) -> CaptionFile:
    """The file of a row."""
    return CaptionFile(
        path=row.path,
        language=bcp47(row.language),
        label=row.label,
        is_default=row.is_default,
        format=_FORMATS.get(row.format),
        channel=row.channel,
        purpose=_PURPOSES.get(row.purpose, Purpose.SUBTITLES),
        id=row.id,
    )


@dataclass(frozen=True, slots=True)
class ReadCaptions:
    """What is in a file."""

    captions: Captions
    mark: str
    """Of its content."""

    size: int
    """Bytes of the file."""

    @property
    def weight(self) -> int:
        return 1024 + 2 * self.size + 300 * len(self.captions.cues)


@dataclass(frozen=True, slots=True)
class _Faulty:
    """A file that cannot be read, and why."""

    error: PackagerError
    weight: int = 1024


_Key = tuple[str, CaptionFormat | None, str | None, str]


class CaptionFiles:
    def __init__(self, files: Sources) -> None:
        self._files = files
        self._known: LRUCache[_Key, ReadCaptions | _Faulty] = LRUCache(
            _KEPT, lambda known: known.weight
        )
        self._flights: Flights[_Key, ReadCaptions | _Faulty] = Flights()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def read(self, file: CaptionFile) -> ReadCaptions:
        """Raises ``SourceUnavailable`` and ``PackagerError``, which names the line."""
        try:
            source = await self._files.open(file.path)
        except NotFound:
            raise SourceUnavailable("the file of captions is missing") from None
        key = (file.path, file.format, file.channel, source.validator)
        known = self._known.get(key)
        if known is None:
            known = await self._flights.join(key, lambda: self._read(key, source))
        if isinstance(known, _Faulty):
            raise known.error.with_traceback(None)
        return known

    async def _read(self, key: _Key, source: Source) -> ReadCaptions | _Faulty:
        async with self._gate:
            known = await _parsed(source, key[1], key[2])
        if known.weight <= self._known.maxsize:
            self._known[key] = known
        return known


async def _parsed(
    source: Source, form: CaptionFormat | None, channel: str | None
) -> ReadCaptions | _Faulty:
    size = source.size
    if form is CaptionFormat.MP4:
        return await _track(source, channel or "")
    if size > MAX_BYTES:
        return _Faulty(MalformedCaptions(1, f"{size} bytes are more than {MAX_BYTES}"))
    buffer = bytearray(size)
    if size:
        await source.read([(0, 0, size)], memoryview(buffer))
    return await asyncio.get_running_loop().run_in_executor(None, _parse, bytes(buffer), form)


async def _track(source: Source, channel: str) -> ReadCaptions | _Faulty:
    """A track of text in a file of whatever size."""
    try:
        if not channel.isdecimal() or len(channel) > 3:
            raise Unsupported(f"captions of track {channel[:20]!r}")
        found = await source.carry_out(read_text_track(source.size, int(channel)))
    except PackagerError as error:
        return _Faulty(error)
    written = (await asyncio.get_running_loop().run_in_executor(None, render, found)).encode()
    return ReadCaptions(found, mark_of(written, CaptionFormat.MP4), len(written))


def _parse(data: bytes, form: CaptionFormat | None) -> ReadCaptions | _Faulty:
    try:
        captions = parse(data, form)
    except PackagerError as error:
        return _Faulty(error)
    return ReadCaptions(captions, mark_of(data, form or ""), len(data))
