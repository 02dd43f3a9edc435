"""What packaging one segment costs, by container, with no network and no server.

The packager is fed as a shell feeds it: index blocks on demand, one vectored read for each run
of extents into a buffer that is reused.  *Warm* has the recipe at hand; *cold* begins with the
stored index: its header is decoded and the segments are cut anew.
"""

import os
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.figures import Figure, Result, figure
from bench.harness import Harness
from packager.bandwidth import minimum_buffer
from packager.dash.mpd import Period, mpd
from packager.hls.media_playlist import media_playlist, target_duration
from packager.index import Blocks, FlavorIndex
from packager.index_header import decode_header, encode_header
from packager.indexing import build_index
from packager.plan import (
    Buffer,
    Extent,
    Extents,
    Piece,
    Plan,
    Reads,
    Transform,
    Unplanned,
    run_reads,
)
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    Wanted,
    cmaf_segment,
    make_recipe,
    merged_audio,
    mux,
    muxed_segment,
    presentation,
    run_needs,
)

PROGRAM = "packaging"
_IOV_MAX = 1022
_GAP = 8 << 10
"""Bytes that are cheaper to read than to go around."""
_SCRAP = memoryview(bytearray(_GAP))
_MIB = 1 << 20

Make = Callable[[Recipe, int], Needs[Plan | Unplanned] | Needs[Plan]]

Write = Callable[[Recipe], Needs[str]]


def _playlist(recipe: Recipe) -> Needs[str]:
    timeline = (yield from mux(recipe, Choice(1, 1, 1))).timeline
    seconds = target_duration([timeline])
    return media_playlist(timeline, lambda n: f"seg-{n}-f1-v1-a1-x0.ts", target=seconds)


def _mpd(recipe: Recipe) -> Needs[str]:
    every = merged_audio((yield from presentation(recipe)))
    period = Period(
        presentation=every,
        media=lambda one: f"fragment-$Number$-{one.name}-x0.m4s",
        initialization=lambda one: f"init-{one.name}-x0.mp4",
    )
    return mpd(period, min_buffer=minimum_buffer(one.timeline for one in every.renditions))


_TEXTS: dict[str, tuple[Write, float | None]] = {
    "media playlist": (_playlist, 1.5),
    "MPD": (_mpd, None),
}
"""And their targets, for a file of 2 h."""

_CONTAINERS: dict[str, Make] = {
    "TS": lambda recipe, number: muxed_segment(recipe, Choice(1, 1, 1), number),
    "fMP4 video": lambda recipe, number: cmaf_segment(recipe, Choice(1, video=1), number),
    "DASH audio": lambda recipe, number: cmaf_segment(recipe, Choice(1, audio=1), number),
}


@dataclass(slots=True)
class Source:
    """A file, what ingest keeps of it, and a buffer that all reads go to."""

    descriptor: int
    header: bytes
    blocks: tuple[Blocks, ...]
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray()))
    calls: int = 0
    """Reads that were made."""
    read_bytes: int = 0

    def read(self, extents: Sequence[Extent]) -> memoryview:
        """The bytes of *extents*, end to end, valid until the next call."""
        size = sum(extent.length for extent in extents)
        if len(self.buffer) < size:
            self.buffer = memoryview(bytearray(size))
        parts, position = [], 0
        for extent in extents:
            parts.append(self.buffer[position : position + extent.length])
            position += extent.length
        self._fill(extents, parts)
        return self.buffer[:size]

    def _fill(self, extents: Sequence[Extent], parts: Sequence[memoryview]) -> None:
        """One call for neighbours; what lies in a small gap between them is read too."""
        views: list[memoryview] = []
        start = end = extents[0].offset
        for extent, part in zip(extents, parts, strict=True):
            gap = extent.offset - end
            if views and (not 0 <= gap <= _GAP or len(views) >= _IOV_MAX):
                self._call(views, start)
                views, start, gap = [], extent.offset, 0
            views += [_SCRAP[:gap], part] if gap else [part]
            end = extent.offset + extent.length
        self._call(views, start)

    def _call(self, views: Sequence[memoryview], offset: int) -> None:
        self.calls += 1
        self.read_bytes += os.preadv(self.descriptor, views, offset)


@dataclass(slots=True)
class Segment:
    """What became of one segment."""

    plan_seconds: float
    carry_seconds: float
    size: int
    """Bytes of the body."""
    made: int
    """Bytes of it that the packager made, not read."""
    calls: int
    read_bytes: int


def run(harness: Harness) -> None:
    scale = harness.scale
    lengths = (scale.short, scale.long)
    with harness.step(PROGRAM, len(lengths) * (2 * len(_CONTAINERS) + len(_TEXTS))) as advance:
        for seconds in lengths:
            length = f"{seconds / 60:g} min"
            source = open_source(harness.media(scale.high, seconds))
            try:
                for container, make in _CONTAINERS.items():
                    for cold in (False, True):
                        name = f"{container}, {length}, {'cold' if cold else 'warm'}"
                        figures = _measure(harness, source, make, cold=cold)
                        harness.record(Result(PROGRAM, name, figures))
                        advance(name)
                for text, (write, at_most) in _TEXTS.items():
                    figures = _measure_text(harness, source, write, at_most)
                    harness.record(Result(PROGRAM, f"{text}, {length}", figures))
                    advance(text)
            finally:
                os.close(source.descriptor)


def open_source(file: Path) -> Source:
    """Index *file* as ingest does."""
    descriptor = os.open(file, os.O_RDONLY)
    reads: Reads[FlavorIndex] = build_index(os.fstat(descriptor).st_size, facts=True)
    index = run_reads(reads, lambda one: os.pread(descriptor, one.length, one.offset))
    return Source(descriptor, encode_header(index), index.blocks)


def recipe_of(source: Source) -> Recipe:
    return make_recipe([decode_header(source.header)])


def _measure(harness: Harness, source: Source, make: Make, *, cold: bool) -> dict[str, Figure]:
    scale = harness.scale
    kept = recipe_of(source)
    segments = len(kept.times) + 1
    numbers = sorted({1 + n * segments // scale.segments for n in range(scale.segments)})
    once = partial(_segment, source, make, None if cold else kept)
    for number in numbers:
        once(number)
    runs = [_loop(once, numbers, scale.seconds) for _ in range(scale.runs)]
    allocated = _allocated(once, numbers)
    done = [segment for run in runs for segment in run]
    plan = [_mean(run, lambda one: one.plan_seconds) * 1000 for run in runs]
    carry = [_mean(run, lambda one: one.carry_seconds) * 1000 for run in runs]
    return {
        "CPU": figure("ms", [sum(both) for both in zip(plan, carry, strict=True)]),
        "plan": figure("ms", plan),
        "read, make": figure("ms", carry),
        "body": figure("KiB", [_mean(done, lambda one: one.size / 1024)]),
        "read": figure("KiB", [_mean(done, lambda one: one.read_bytes / 1024)]),
        "made": figure("KiB", [_mean(done, lambda one: one.made / 1024)]),
        "reads": figure("calls", [_mean(done, lambda one: one.calls)]),
        "allocated": figure("MiB at most", [allocated / _MIB]),
    }


def _mean(segments: Sequence[Segment], of: Callable[[Segment], float]) -> float:
    return sum(map(of, segments)) / len(segments)


def _measure_text(
    harness: Harness, source: Source, write: Write, at_most: float | None
) -> dict[str, Figure]:
    """A manifest from a recipe at hand; its own cache is a server's."""
    recipe, runs, text = recipe_of(source), [], ""
    for _ in range(harness.scale.runs):
        count, began, wall = 0, time.thread_time(), time.perf_counter()
        while not count or time.perf_counter() - wall < harness.scale.seconds:
            text = run_needs(write(recipe), partial(_load, source, recipe))
            count += 1
        runs.append((time.thread_time() - began) * 1000 / count)
    return {"CPU": figure("ms", runs, at_most), "size": figure("KiB", [len(text) / 1024])}


def _loop(
    once: Callable[[int], Segment], numbers: Sequence[int], seconds: float
) -> list[Segment]:
    """For so many *seconds*, each of *numbers* as often as the others."""
    found: list[Segment] = []
    began = time.perf_counter()
    while not found or len(found) % len(numbers) or time.perf_counter() - began < seconds:
        found.append(once(numbers[len(found) % len(numbers)]))
    return found


def _allocated(once: Callable[[int], Segment], numbers: Sequence[int]) -> float:
    """Bytes that one segment needs in fresh memory at once: what is copied and not reused."""
    tracemalloc.start()
    try:
        highest = 0
        for number in numbers:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            once(number)
            _, peak = tracemalloc.get_traced_memory()
            highest = max(highest, peak - before)
        return highest
    finally:
        tracemalloc.stop()


def _segment(source: Source, make: Make, recipe: Recipe | None, number: int) -> Segment:
    began = time.thread_time()
    recipe = recipe or recipe_of(source)
    plan = run_needs(make(recipe, number), partial(_load, source, recipe))
    planned = time.thread_time()
    calls, read_bytes = source.calls, source.read_bytes
    size, made = carry_out(plan, source)
    return Segment(
        planned - began,
        time.thread_time() - planned,
        size,
        made,
        source.calls - calls,
        source.read_bytes - read_bytes,
    )


def _load(source: Source, recipe: Recipe, wanted: Wanted) -> Blocks:
    position = recipe.flavors[wanted.flavor - 1].tracks.index(wanted.track)
    return {number: source.blocks[position][number] for number in wanted.numbers}


def carry_out(
    plan: Plan | Unplanned, source: Source, take: Callable[[Buffer], object] = len
) -> tuple[int, int]:
    """Read and make all of *plan*, and hand it to *take*; bytes in all, and of them made."""
    if isinstance(plan, Unplanned):
        plan = plan.make(source.read(plan.extents))
    size = made = 0
    extents: list[Extent] = []
    for piece in plan:
        size += len(piece)
        if isinstance(piece, Extents):
            extents += piece
            continue
        made += len(piece)
        _hand_over(source, extents, take)
        extents = []
        take(_made(piece, source))
    _hand_over(source, extents, take)
    return size, made


def _made(piece: Piece, source: Source) -> Buffer:
    if isinstance(piece, Transform):
        return piece.apply(source.read(piece.extents))
    assert isinstance(piece, bytes)
    return piece


def _hand_over(
    source: Source, extents: Sequence[Extent], take: Callable[[Buffer], object]
) -> None:
    if extents:
        take(source.read(extents))
