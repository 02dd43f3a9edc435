"""Captions that a file brings within it: tracks of text, and what is in its pictures."""

import os
from collections.abc import Callable, Iterable

from metadata.caption_changes import NewCaptions
from metadata.enums import CaptionFormat, CaptionPurpose
from origin.ingest.examine import Examined, Found
from origin.storage.sources import is_remote
from packager.captions.in_pictures import in_pictures
from packager.captions.mp4_tracks import read_text_track, text_tracks
from packager.containers import demux
from packager.errors import PackagerError
from packager.plan import Extent, Reads, run_reads
from packager.source import Container
from packager.tracks import Kind

_UNDETERMINED = "und"


def embedded_captions(
    files: Iterable[tuple[Found, Examined]], say: Callable[[str], None]
) -> tuple[NewCaptions, ...]:
    """Of the first of *files* that has any of a format: flavors of one film carry the same
    ones.  What is left out *say* is told of."""
    listed: dict[int, tuple[NewCaptions, ...]] = {}
    for found, made in files:
        if is_remote(found.path):
            continue
        own = _of_file(found, made, say)
        for form in (CaptionFormat.MP4, CaptionFormat.IN_PICTURES):
            some = tuple(one for one in own if one.format == form)
            if some:
                listed.setdefault(form, some)
    return tuple(one for some in listed.values() for one in some)


def _of_file(found: Found, made: Examined, say: Callable[[str], None]) -> list[NewCaptions]:
    """In a file that was remuxed there are no tracks of text."""
    path = found.path if made.remuxed is None else str(made.remuxed.part)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size

        def read(extent: Extent) -> bytes:
            return os.pread(fd, extent.length, extent.offset)

        channels = run_reads(_channels(size), read)
        texts = [] if made.remuxed else run_reads(_texts(size, found, say), read)
    except (OSError, PackagerError) as error:
        say(f"{found.path}: captions within it: {error}")
        return []
    finally:
        os.close(fd)
    in_it = [
        NewCaptions(
            path=found.path, format=CaptionFormat.IN_PICTURES, language=_UNDETERMINED,
            label=channel, changed_at=found.mtime_ns, channel=channel,
            purpose=CaptionPurpose.CAPTIONS,
        )
        for channel in channels
    ]  # fmt: skip
    return texts + in_it


def _channels(size: int) -> Reads[tuple[str, ...]]:
    movie = yield from demux(size)
    for track, samples in movie.tracks:
        if track.kind is Kind.VIDEO:
            return (yield from in_pictures(track, samples))
    return ()


def _texts(size: int, found: Found, say: Callable[[str], None]) -> Reads[list[NewCaptions]]:
    movie = yield from demux(size)
    if movie.container is not Container.MP4:
        return []
    made = []
    for track in (yield from text_tracks(size)):
        try:
            captions = yield from read_text_track(size, track.number)
        except PackagerError as error:
            say(f"{found.path}: track {track.number}: {track.form}: {error}")
            continue
        if captions.cues:
            purpose = CaptionPurpose.FORCED if track.forced else CaptionPurpose.SUBTITLES
            made.append(
                NewCaptions(
                    path=found.path, format=CaptionFormat.MP4,
                    language=track.language or _UNDETERMINED, label=None,
                    changed_at=found.mtime_ns, channel=str(track.number), purpose=purpose,
                )
            )  # fmt: skip
    return made
