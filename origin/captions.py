"""Files of captions: where they are, and what is in them.

A file is read and parsed once for as long as it is not touched, whoever asks for it meanwhile.
"""

import asyncio
from dataclasses import dataclass

from cachetools import LRUCache

from metadata.records import CaptionRecord
from origin.errors import NotFound, SourceUnavailable
from origin.flights import Flights
from origin.storage.source import Source
from origin.storage.sources import Sources
from packager.captions.cues import MAX_BYTES, Captions, MalformedCaptions
from packager.captions.formats import CaptionFormat, parse
from packager.captions.rendition import mark_of
from packager.errors import PackagerError
from packager.languages import bcp47
from packager.presentation import Purpose

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
}
"""Of rows: ``metadata.enums.CaptionFormat``."""

_PURPOSES = {2: Purpose.CAPTIONS, 3: Purpose.FORCED}


def caption_file(row: CaptionRecord) -> CaptionFile:
    """The file of a row."""
    return CaptionFile(
        path=row.path,
        language=bcp47(row.language),
        label=row.label,
        is_default=row.is_default,
        format=_FORMATS.get(row.format),
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


_Key = tuple[str, CaptionFormat | None, str]


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
        key = (file.path, file.format, source.validator)
        known = self._known.get(key)
        if known is None:
            known = await self._flights.join(key, lambda: self._read(key, source))
        if isinstance(known, _Faulty):
            raise known.error.with_traceback(None)
        return known

    async def _read(self, key: _Key, source: Source) -> ReadCaptions | _Faulty:
        async with self._gate:
            known = await _parsed(source, key[1])
        if known.weight <= self._known.maxsize:
            self._known[key] = known
        return known


async def _parsed(source: Source, form: CaptionFormat | None) -> ReadCaptions | _Faulty:
    size = source.size
    if size > MAX_BYTES:
        return _Faulty(MalformedCaptions(1, f"{size} bytes are more than {MAX_BYTES}"))
    buffer = bytearray(size)
    if size:
        await source.read([(0, 0, size)], memoryview(buffer))
    return await asyncio.get_running_loop().run_in_executor(None, _parse, bytes(buffer), form)


def _parse(data: bytes, form: CaptionFormat | None) -> ReadCaptions | _Faulty:
    try:
        captions = parse(data, form)
    except PackagerError as error:
        return _Faulty(error)
    return ReadCaptions(captions, mark_of(data, form or ""), len(data))
