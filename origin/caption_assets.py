"""The URLs of caption assets, answered: ``contract.caption_assets`` parses them."""

from collections.abc import Callable

from cachetools import LRUCache

from metadata.content import find_caption
from metadata.enums import CaptionFormat
from metadata.records import CaptionRecord, ContentRecord
from origin.captions import caption_file
from origin.catalog import Catalog
from origin.contract.admission import admitted, life
from origin.contract.caption_assets import CaptionAsset, Form
from origin.contract.refusals import Number, Refused
from origin.errors import NotFound
from origin.manifests import HLS_TYPE
from origin.responses import Body, Text, strong_etag, text
from origin.storage.source import Source
from origin.texts import WEBVTT_TYPE, written
from packager.captions.segments import segment
from packager.hls.media_playlist import media_playlist, target_duration
from packager.plan import Extents, Plan

_KEPT = 10_000
_TYPES: dict[int, str] = {
    CaptionFormat.SRT: "application/x-subrip",
    CaptionFormat.DFXP: "application/ttml+xml",
    CaptionFormat.WEBVTT: WEBVTT_TYPE,
}


class CaptionAssets:
    def __init__(self, catalog: Catalog, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._catalog = catalog
        self._clock = clock
        self._owners: LRUCache[str, str] = LRUCache(_KEPT)
        """Entries by the captions that belong to them, which never changes."""

    async def find(self, asked: CaptionAsset) -> tuple[Body | Text, Source | None]:
        """Raises ``Refused`` and what sources raise."""
        content, row = await self._row(asked)
        lasts = life(content, self._clock())
        cache_control = f"public, max-age={lasts}" if lasts else "no-store"
        file = caption_file(row)
        if asked.form is Form.FILE:
            return await self._file(row, cache_control)
        captions = (await self._catalog.captions.read(file)).captions
        length = max((one.duration_ms for one in content.flavors), default=0)
        timeline = asked.timeline(length or max((cue.end for cue in captions.cues), default=0))
        if asked.form is Form.SEGMENT:
            number = asked.segment
            made = await written(
                lambda: segment(captions, timeline, number, fmp4=False), cache_control
            )
            return made, None
        playlist = media_playlist(
            timeline,
            lambda number: asked.address(number, row.version),
            target=target_duration([timeline]),
        )
        return text(playlist, HLS_TYPE, cache_control), None

    async def _row(self, asked: CaptionAsset) -> tuple[ContentRecord, CaptionRecord]:
        """The entry, if it may be shown, and its captions."""
        entry = self._owners.get(asked.id)
        if entry is None:
            found = await self._catalog.ask(find_caption, asked.id)
            if found is None:
                raise Refused(Number.FILE_NOT_FOUND)
            self._owners[asked.id] = entry = found[0]
        content = await self._catalog.contents.find(entry)
        partner = 0 if content is None else content.partner_id
        shown = admitted(content, partner, self._clock())
        for row in shown.captions:
            if row.id == asked.id and asked.version in (None, row.version):
                return shown, row
        raise Refused(Number.FILE_NOT_FOUND)

    async def _file(self, row: CaptionRecord, cache_control: str) -> tuple[Body, Source]:
        try:
            source = await self._catalog.open_path(row.path)
        except NotFound:
            raise Refused(Number.FILE_NOT_FOUND) from None
        size = source.size
        kind = _TYPES.get(row.format, "application/octet-stream")
        plan = Plan((Extents((0,), (size,), size),) if size else (b"",))
        etag = strong_etag("captions", row.id, source.validator)
        return Body(plan, kind, cache_control, etag), source
