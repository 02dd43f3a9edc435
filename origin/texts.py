"""Captions of what is presented: for its manifests, and as playlists, segments and files.

A URL carries the recipe's token, which fixes where segments begin, and a mark of the file's
content: video keeps its URLs when captions change.
"""

import asyncio
import logging
from collections.abc import Callable

from cachetools import LRUCache

from origin.captions import ReadCaptions
from origin.catalog import Catalog, Presented
from origin.errors import NotFound, OriginError, SourceUnavailable
from origin.manifests import HLS_TYPE, asked_of, contained, text_playlist
from origin.responses import IMMUTABLE, MANIFEST, SHORT, Body, Text, strong_etag, text
from origin.urls import File, FileKind, Target
from packager.captions import fmp4
from packager.captions.fmp4 import TextForm
from packager.captions.rendition import CaptionTrack, clip_mark, cut_captions, text_timeline
from packager.captions.segments import segment
from packager.captions.webvtt import render
from packager.clip import Clip
from packager.errors import MalformedMedia, PackagerError, UnknownSegment, Unsupported
from packager.plan import Plan
from packager.presentation import Timeline

WEBVTT_TYPE = "text/vtt; charset=utf-8"
_FMP4_TYPE = "application/mp4"
_log = logging.getLogger("origin")


class Texts:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._said: LRUCache[tuple[str, str], None] = LRUCache(1_000)

    async def tracks(self, presented: Presented) -> tuple[CaptionTrack, ...]:
        """The captions that a manifest lists; of those that cannot be read the log says why."""
        numbers = range(1, len(presented.captions) + 1)
        found = await asyncio.gather(*(self._known(presented, n) for n in numbers))
        return tuple(one for one in found if one is not None)

    async def _known(self, presented: Presented, number: int) -> CaptionTrack | None:
        try:
            return await self._track(presented, number)
        except (OriginError, PackagerError) as error:
            self._say(presented.captions[number - 1].path, str(error))
            return None

    def _say(self, path: str, reason: str) -> None:
        """Once: manifests are asked for again and again."""
        if (path, reason) not in self._said:
            self._said[path, reason] = None
            _log.warning("captions are left out of manifests: %s: %s", path, reason)

    async def _track(self, presented: Presented, number: int) -> CaptionTrack:
        count = len(presented.captions)
        if not 1 <= number <= count:
            raise UnknownSegment(f"captions {number} of {count}")
        file = presented.captions[number - 1]
        found: ReadCaptions = await self._catalog.captions.read(file)
        return CaptionTrack(
            number=number,
            captions=found.captions,
            mark=found.mark,
            language=file.language,
            label=file.label,
            default=file.is_default,
            purpose=file.purpose,
        )

    async def find(self, target: Target) -> tuple[Presented, Body | Text]:
        """What *target* names, a file of captions.  Raises ``NotFound`` and what sources raise,
        ``MalformedCaptions`` with the line among it."""
        presented, track = await self._marked(target)
        target = contained(target, presented.recipe)
        recipe, file = asked_of(presented.recipe, target), target.file
        lasting = presented.lasting and file.mark is not None
        life = IMMUTABLE if lasting else SHORT
        if file.kind is FileKind.INDEX:
            needs = text_playlist(recipe, target, track, presented.token)
            playlist = await self._catalog.carry_out_aside(presented, needs)
            return presented, text(playlist, HLS_TYPE, MANIFEST)
        timeline = await self._catalog.carry_out_aside(presented, text_timeline(recipe))
        if file.form is not None:
            return presented, await _in_fmp4(track, timeline, file, file.form, life)
        if file.kind is FileKind.SUBTITLES:
            cut = cut_captions(track.captions, recipe.clip)
            return presented, await written(lambda: render(cut), life)
        return presented, await written(
            lambda: segment(track.captions, timeline, file.number, fmp4=target.fmp4), life
        )

    async def _marked(self, target: Target) -> tuple[Presented, CaptionTrack]:
        """With the captions that *target* carries the mark of, if it carries one."""
        found = await self._find(target)
        if found is None:
            await self._catalog.renew(target.source)  # they may have changed just now
            found = await self._find(target)
        if found is None:
            raise NotFound("no such token")
        return found

    async def _find(self, target: Target) -> tuple[Presented, CaptionTrack] | None:
        """A mark goes before the number, which others may have moved since."""
        file = target.file
        presented = await self._catalog.find(
            target.source, file.token, parameters=target.parameters
        )
        number, clip = file.text or 0, asked_of(presented.recipe, target).clip
        if file.mark is None:
            return presented, await self._track(presented, number)
        others = (n for n in range(1, len(presented.captions) + 1) if n != number)
        problem: Exception | None = None
        for one in (number, *others):
            try:
                track = await self._track(presented, one)
            except (SourceUnavailable, MalformedMedia, Unsupported) as error:
                if one == number:
                    problem = error  # unless another has the mark
            except UnknownSegment:
                continue  # there are fewer now
            else:
                if file.mark == _mark(file.kind, track, clip):
                    return presented, track
        if problem is not None:
            raise problem
        return None


def _mark(kind: FileKind, track: CaptionTrack, clip: Clip) -> str:
    return clip_mark(track.mark, clip) if kind is FileKind.SUBTITLES else track.mark


def facts_of(tracks: tuple[CaptionTrack, ...]) -> tuple[object, ...]:
    """What a manifest says of them, to know it again by."""
    return tuple(
        (one.number, one.mark, one.language, one.label, one.default, one.purpose)
        for one in tracks
    )


async def _in_fmp4(
    track: CaptionTrack, timeline: Timeline, file: File, form: TextForm, life: str
) -> Body:
    """An init segment or a media segment, made in a thread."""

    def make() -> bytes:
        if file.kind is FileKind.INIT:
            return fmp4.init(track.captions, form, track.language)
        line = fmp4.milliseconds(timeline)
        return fmp4.segment(track.captions, line, file.number, form, track.language)

    made = await asyncio.get_running_loop().run_in_executor(None, make)
    return Body(Plan((made,)), _FMP4_TYPE, life, strong_etag(made))


async def written(write: Callable[[], str], life: str) -> Text:
    """What *write* writes, in a thread: captions may be of any length."""

    def make() -> Text:
        return text(write(), WEBVTT_TYPE, life)

    return await asyncio.get_running_loop().run_in_executor(None, make)
