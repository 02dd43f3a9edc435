"""A file of any container that FFmpeg reads, as one progressive MP4; never re-encoded."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass

import av
from av.error import FFmpegError

from origin.ingest.carrying import Carrier, NoCommonClock, carry, clock_of
from origin.ingest.choosing import Choice, choose
from origin.ingest.containers import HEAD, sniff
from origin.ingest.descriptors import Source, Target
from origin.ingest.programs import LOOK, programs

_PROBE = {"probesize": str(32 << 20), "analyzeduration": "10000000", "fflags": "+genpts"}
_MUXER = {"fflags": "+bitexact", "movie_timescale": "90000", "chunk_duration": "1000000"}
"""Chunks of a second, in microseconds: a segment is then a few runs of bytes."""

_TICKS = 90_000


class Refusal(Exception):
    """The message is the reason."""


@dataclass(frozen=True, slots=True)
class Done:
    left_out: list[str]
    notes: list[str]


def remux(fd: int, target: int, told: Callable[[int], None]) -> Done:
    """*told* hears how far the file was read.  Raises ``Refusal``."""
    head = os.pread(fd, LOOK, 0)
    container = sniff(head[:HEAD])
    if container is None:
        raise Refusal("the file changed while it was read")
    source, sink = Source(fd, container.packets), Target(target)
    maps = programs(head, container.packets) if container.packets else ()
    try:
        with av.open(
            source, format=container.demuxer, options=_PROBE, metadata_errors="replace"
        ) as read:
            choice = choose(read.streams, maps)
            _check(source, choice)
            with av.open(sink, "w", format="mp4", options=_options(choice)) as written:
                carrier = Carrier(written, choice.streams)
                carry(read, carrier, lambda: told(source.furthest))
            _check(source, choice)
        _check_written(sink)
        return Done(choice.left_out, carrier.notes())
    except NoCommonClock as error:
        raise Refusal(f"{container.title}: {error}") from None
    except (OSError, FFmpegError) as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from None
        _check_written(sink)
        raise Refusal(f"{container.title}: {error.strerror}") from None


def _check_written(sink: Target) -> None:
    """FFmpeg does not always tell."""
    if sink.error is not None:
        raise Refusal(f"the remuxed file: {sink.error.strerror}")


def _check(source: Source, choice: Choice) -> None:
    """Before FFmpeg's opinion of what cannot be read, and again once all was seen."""
    pids = source.scrambled & choice.pids
    if pids:
        names = ", ".join(f"0x{pid:x}" for pid in sorted(pids))
        raise Refusal(f"MPEG-TS: PID {names} is scrambled")
    if not choice.streams:
        reasons = "; ".join(choice.left_out) or "it has no streams"
        raise Refusal(f"nothing in it can be played: {reasons}")


def _options(choice: Choice) -> dict[str, str]:
    clock = clock_of(choice.streams)
    timescale = clock if _TICKS // 9 <= clock <= _TICKS * 10 else _TICKS
    return _MUXER | {"video_track_timescale": str(timescale)}
