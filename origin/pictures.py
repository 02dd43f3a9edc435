"""Pictures of what is presented, as bodies: found, drawn once for all who ask, and kept."""

import importlib.util
from dataclasses import dataclass, replace
from fractions import Fraction

from cachetools import LRUCache

from origin.catalog import Catalog, Presented
from origin.drawers import Drawers
from origin.errors import NotFound
from origin.flights import Flights
from origin.manifests import asked_of
from origin.responses import IMMUTABLE, SHORT, Body, strong_etag
from origin.room import Room
from origin.urls import FileKind, Target
from origin.windows import reads_of
from packager.errors import MalformedMedia, UnknownSegment
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
from packager.plan import Extent, Plan
from packager.recipe import Choice, Recipe

JPEG_TYPE = "image/jpeg"

_KEPT = 32 << 20
"""Bytes of pictures that a worker keeps."""

_READ = 2 * MAX_BYTES
"""Bytes of samples that are being decoded, at once."""

_MAX_SIZE = 4096
"""Pixels of a picture, each way."""

_LEAST = 4 << 10
"""Bytes that the smallest JPEG may have."""

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture, or why there is none: what cannot be decoded is not tried again and again."""

    jpeg: bytes
    error: MalformedMedia | None = None

    @property
    def weight(self) -> int:
        return 1024 + len(self.jpeg)


class Pictures:
    def __init__(self, catalog: Catalog, *, drawers: int, exact: bool) -> None:
        """*drawers* are processes, 0 for none; *exact* makes thumbnails the very frame."""
        self._catalog = catalog
        self._exact = exact
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

    async def find(self, target: Target, presented: Presented) -> Body:
        """Raises ``NotFound``, ``MalformedMedia`` and what sources raise."""
        recipe = asked_of(presented.recipe, target)
        lasting = presented.lasting and target.file.token is not None
        jpeg = await self._thumbnail(target, presented, recipe)
        return Body(
            Plan((jpeg,)), JPEG_TYPE, IMMUTABLE if lasting else SHORT, strong_etag("jpeg", jpeg)
        )

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
        return await self._drawn(key, presented, choice, job, (shot,))

    async def _drawn(
        self, key: _Key, presented: Presented, choice: Choice, job: Job, shots: tuple[Shot, ...]
    ) -> bytes:
        if self._drawers is None:
            raise NotFound(f"pictures are not drawn here: {self._missing}")
        known = self._known.get(key)
        if known is None:
            known = await self._flights.join(
                key, lambda: self._draw(key, presented, choice, job, shots)
            )
        if known.error is not None:
            raise known.error.with_traceback(None)
        return known.jpeg

    async def _draw(
        self, key: _Key, presented: Presented, choice: Choice, job: Job, shots: tuple[Shot, ...]
    ) -> _Drawn:
        assert self._drawers is not None
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
            drawn = _Drawn(await self._drawers.draw(job, samples))
        except MalformedMedia as error:
            drawn = _Drawn(b"", error)
        finally:
            lease.release()
        if drawn.weight <= self._known.maxsize:
            self._known[key] = drawn
        return drawn


def end_of(recipe: Recipe) -> Fraction:
    """Seconds, of the longest track."""
    tracks = [track for flavor in recipe.flavors for track in flavor.tracks]
    return max(Fraction(one.end - one.origin, one.track.timescale) for one in tracks)
