"""Pictures of what is presented, as bodies: found, drawn once for all who ask, and kept."""

import asyncio
import importlib.util
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from cachetools import LRUCache

from origin.catalog import Catalog, Presented
from origin.drawers import Drawers, Fatal
from origin.errors import NotFound
from origin.flights import Flights
from origin.manifests import HLS_TYPE
from origin.responses import IMMUTABLE, MANIFEST, SHORT, Body, Text, strong_etag, text
from origin.room import Room
from origin.texts import WEBVTT_TYPE
from origin.urls import FileKind, Target, sheet_folder, sheet_name
from origin.windows import reads_of
from packager.errors import MalformedMedia, UnknownSegment
from packager.hls.images import image_playlist
from packager.pictures.jobs import Job, Tile, decoding_of, fitted
from packager.pictures.keys import (
    MAX_BYTES,
    Shot,
    form_of,
    frame_at,
    nearest_key,
    pictured,
    shown_size,
    video_track,
)
from packager.pictures.sheets import Sheets, sheet_job, sheets_of
from packager.pictures.storyboard import storyboard
from packager.plan import Extent, Plan
from packager.recipe import Choice, Recipe, clipped

OF_SHEETS = (FileKind.SHEET, FileKind.IMAGES, FileKind.STORYBOARD)
JPEG_TYPE = "image/jpeg"

_KEPT = 32 << 20
"""Bytes of pictures that a worker keeps."""

_READ = 2 * MAX_BYTES
"""Bytes of samples that are being decoded, at once."""

_MAX_SIZE = 4096
"""Pixels of a picture, each way."""

_LEAST = 4 << 10
"""Bytes that the smallest JPEG may have."""

_FATAL = 60.0
"""Seconds in which what ended a process is not tried again."""

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture, or why there is none: what cannot be decoded is not tried again and again."""

    jpeg: bytes
    error: MalformedMedia | None = None
    until: float = math.inf
    """On the loop's clock."""

    @property
    def weight(self) -> int:
        return 1024 + len(self.jpeg)


class Pictures:
    def __init__(self, catalog: Catalog, *, drawers: int, exact: bool, listed: bool) -> None:
        """*drawers* are processes, 0 for none; *exact* makes thumbnails the very frame;
        *listed* are sheets where a path does not say."""
        self._catalog = catalog
        self._exact, self._listed = exact, listed
        there = importlib.util.find_spec("av") is not None
        self._drawers = Drawers(drawers) if drawers and there else None
        self._missing = (
            "PyAV is not installed (av)" if drawers else "there is no --picture-processes"
        )
        self._room = Room(_READ)
        self._known: LRUCache[_Key, _Drawn] = LRUCache(_KEPT, lambda drawn: drawn.weight)
        self._flights: Flights[_Key, _Drawn] = Flights()

    async def close(self) -> None:
        if self._drawers is not None:
            await self._drawers.close()

    async def find(self, target: Target, presented: Presented) -> Body | Text:
        """Raises ``NotFound``, ``MalformedMedia`` and what sources raise."""
        if target.file.kind in OF_SHEETS:
            return await self._of_sheets(target, presented)
        recipe = _clipped(presented.recipe, target)
        return _body(target, presented, await self._thumbnail(target, presented, recipe))

    # -- sheets

    def listed(self, target: Target, recipe: Recipe) -> Sheets | None:
        """What a manifest lists."""
        asked = target.parameters.thumb_sheets
        if self._drawers is None or not (self._listed if asked is None else asked):
            return None
        return sheets_of(_clipped(recipe, target))

    async def _of_sheets(self, target: Target, presented: Presented) -> Body | Text:
        self._check()
        file, recipe = target.file, _clipped(presented.recipe, target)
        sheets = sheets_of(recipe)
        if sheets is None:
            raise UnknownSegment("there is no video")
        folder, mark = sheet_folder(target), presented.token + sheets.mark
        if file.kind is FileKind.IMAGES:
            playlist = image_playlist(sheets, lambda number: folder + sheet_name(number, mark))
            return text(playlist, HLS_TYPE, MANIFEST)
        if file.kind is FileKind.STORYBOARD:
            cues = storyboard(sheets, lambda number: folder + sheet_name(number, mark))
            return text(cues, WEBVTT_TYPE, MANIFEST)
        if file.mark not in (None, sheets.mark):
            raise NotFound("no such token")
        if not 1 <= file.number <= sheets.count:
            raise UnknownSegment(f"sheet {file.number} of {sheets.count}")
        return _body(
            target, presented, await self._sheet(presented, recipe, sheets, file.number)
        )

    async def _sheet(
        self, presented: Presented, recipe: Recipe, sheets: Sheets, number: int
    ) -> bytes:
        digest = recipe.digests[sheets.choice.flavor - 1]
        key = (digest, sheets.mark, sheets.choice, number)

        async def make() -> tuple[Job, list[Shot]]:
            needs = sheet_job(recipe, sheets, number)
            return await self._catalog.carry_out_aside(presented, needs)

        return await self._drawn(key, presented, sheets.choice, make)

    # -- one picture

    async def _thumbnail(self, target: Target, presented: Presented, recipe: Recipe) -> bytes:
        file = target.file
        exact = self._exact or file.kind is FileKind.FRAME
        at = recipe.clip.start + Fraction(file.number, 1000)
        if at >= (recipe.clip.stop or end_of(recipe)):
            raise UnknownSegment(f"{file.number} ms is behind the end")
        choice = file.choice or pictured(recipe, file.width, file.height)
        track = video_track(recipe, choice)
        find = frame_at if exact else nearest_key
        shot = await self._catalog.carry_out(presented, find(choice.flavor, track, at))
        choice = replace(choice, video=track.number)
        width, height = fitted(shown_size(form_of(track)), file.width, file.height)
        if max(width, height) > _MAX_SIZE:
            raise UnknownSegment(f"a picture of {width} by {height} pixels")
        key = (
            recipe.digests[choice.flavor - 1],
            choice.video,
            shot.shown,
            exact,
            width,
            height,
        )
        job = Job(
            decoding_of(form_of(track)), width, height, (width, height),
            (Tile(shot.sizes, shot.cts, shot.shown, ((0, 0),)),), width * height + _LEAST,
        )  # fmt: skip

        async def made() -> tuple[Job, list[Shot]]:
            return job, [shot]

        return await self._drawn(key, presented, choice, made)

    def _check(self) -> Drawers:
        if self._drawers is None:
            raise NotFound(f"pictures are not drawn here: {self._missing}")
        return self._drawers

    async def _drawn(
        self,
        key: _Key,
        presented: Presented,
        choice: Choice,
        make: Callable[[], Awaitable[tuple[Job, list[Shot]]]],
    ) -> bytes:
        drawers = self._check()
        known = self._known.get(key)
        if known is None or known.until <= _now():
            known = await self._flights.join(
                key, lambda: self._draw(drawers, key, presented, choice, make)
            )
        if known.error is not None:
            raise known.error.with_traceback(None)
        return known.jpeg

    async def _draw(
        self,
        drawers: Drawers,
        key: _Key,
        presented: Presented,
        choice: Choice,
        make: Callable[[], Awaitable[tuple[Job, list[Shot]]]],
    ) -> _Drawn:
        job, shots = await make()
        file = await self._catalog.open(presented, choice.flavor)
        extents = tuple(
            Extent(offset, size)
            for shot in shots
            for offset, size in zip(shot.offsets, shot.sizes, strict=True)
        )
        size = sum(extent.length for extent in extents)
        lease = self._room.lend(size)
        try:
            samples = memoryview(bytearray(size))
            await file.read(reads_of(extents), samples)
            drawn = _Drawn(await drawers.draw(job, samples))
        except Fatal as error:
            drawn = _Drawn(b"", error, _now() + _FATAL)
        except MalformedMedia as error:
            drawn = _Drawn(b"", error)
        finally:
            lease.release()
        if drawn.weight <= self._known.maxsize:
            self._known[key] = drawn
        return drawn


def _now() -> float:
    return asyncio.get_running_loop().time()


def _body(target: Target, presented: Presented, jpeg: bytes) -> Body:
    lasting = presented.lasting and target.file.token is not None
    return Body(
        Plan((jpeg,)), JPEG_TYPE, IMMUTABLE if lasting else SHORT, strong_etag("jpeg", jpeg)
    )


def _clipped(recipe: Recipe, target: Target) -> Recipe:
    """With the tracks of every protocol: all list the same sheets."""
    return clipped(recipe, target.parameters.clip_from, target.parameters.clip_to)


def end_of(recipe: Recipe) -> Fraction:
    """Seconds, of the longest track."""
    tracks = [track for flavor in recipe.flavors for track in flavor.tracks]
    return max(Fraction(one.end - one.origin, one.track.timescale) for one in tracks)
