"""What a request costs an origin, counted: reads, bytes read, questions, system calls."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest

from bench.errors import NotThere
from bench.servers import Server, address_of
from bench.syscalls import count_calls
from origin.windows import GAP
from packager.index import FlavorIndex
from packager.recipe import Choice, make_recipe, mux, run_needs
from packager.samples import Samples
from packager.tracks import Kind
from tests.origin.inside import Origin, take
from tests.support.clips import index_of, make_clip
from tests.support.needs import missing
from tests.support.processes import children, running

Start = Callable[..., Origin]

_TIMES = 20
"""That a path is asked for."""

_SELDOM = 0.2
"""Calls a request: a few in all are not the request's."""


@pytest.fixture
def entry(files: list[Path], tmp_path: Path) -> str:
    """Of one flavor, whose pictures and sound are interleaved."""
    return f"e/{take(tmp_path / 'data', files[0])[0]['entry']}"


@pytest.fixture
def reads() -> Iterator[list[int]]:
    """Bytes of every read of a source from here on."""
    found: list[int] = []

    def preadv(file: int, buffers: Sequence[memoryview], offset: int, flags: int = 0) -> int:
        found.append(sum(map(len, buffers)))
        return os.preadv(file, buffers, offset, flags)

    with patch("origin.storage.local.preadv", preadv):
        yield found


def segment_rows(index: FlavorIndex, number: int) -> dict[Kind, Samples]:
    """Samples of TS segment *number*, which is cut as its tracks are on their own."""
    muxing = run_needs(mux(make_recipe([index]), Choice(1, 1, 1)), lambda _: {}).cuts
    rows = dict(zip((Kind.VIDEO, Kind.AUDIO), muxing.row(number - 1), strict=True))
    return {
        track.kind: track.samples(*rows[track.kind], blocks)
        for track, blocks in zip(index.tracks, index.blocks, strict=True)
    }


def runs(*parts: Samples, gap: int) -> list[int]:
    """Lengths of what is read for samples when runs up to *gap* bytes apart are joined."""
    places = sorted(
        (offset, offset + size)
        for rows in parts
        for offset, size in zip(rows.offset.tolist(), rows.size.tolist(), strict=True)
    )
    found: list[list[int]] = []
    for start, stop in places:
        if found and start - found[-1][1] <= gap:
            found[-1][1] = stop
        else:
            found.append([start, stop])
    return [stop - start for start, stop in found]


def test_reads_of_interleaved_segments(
    entry: str, files: list[Path], start: Start, reads: list[int]
) -> None:
    """One each, from the first sample to the last: what lies between belongs to the segment
    or is shorter than what reading around it would cost."""
    one = start()
    rows = segment_rows(index_of(files[0]), 2)
    sound, pictures = rows[Kind.AUDIO], rows[Kind.VIDEO]
    for name, parts in (
        (f"/hls/{entry}/seg-2-f1-v1-a1.ts", (pictures, sound)),
        (f"/cmaf/{entry}/seg-2-f1-v1.m4s", (pictures,)),
        (f"/cmaf/{entry}/seg-2-f1-a1.m4s", (sound,)),
    ):
        reads.clear()
        one.get(name)
        assert reads == runs(*parts, gap=GAP)
        assert len(reads) == 1


def test_reads_of_sound_between_large_pictures(
    start: Start, tmp_path: Path, reads: list[int]
) -> None:
    """A read for each run of sound, no byte of the pictures: they are larger than a call
    costs.  A playlist and a HEAD read nothing."""
    (tmp_path / "media").mkdir()
    file = make_clip(
        tmp_path / "media" / "big.mp4", width=320, height=180, seconds=3, quantizer=24
    )
    entry = take(tmp_path / "data", file)[0]["entry"]
    sound = segment_rows(index_of(file), 1)[Kind.AUDIO]
    one = start()
    one.get(f"/cmaf/e/{entry}/index-f1-a1.m3u8")
    one.ask(f"/cmaf/e/{entry}/seg-1-f1-a1.m4s", method="HEAD")
    assert reads == []
    one.get(f"/cmaf/e/{entry}/seg-1-f1-a1.m4s")
    assert reads == runs(sound, gap=GAP)
    assert len(reads) > 50 and sum(reads) < 2 * int(sound.size.sum())


def test_a_range_is_read_alone(
    entry: str, files: list[Path], start: Start, reads: list[int]
) -> None:
    """Of fMP4 the samples that it touches, and of the head of a segment none."""
    one = start()
    name = f"/cmaf/{entry}/seg-2-f1-v1.m4s"
    whole = one.get(name)
    reads.clear()
    for first, last in ((0, 99), (len(whole) - 500, len(whole) - 1)):
        answer = one.ask(name, f"Range: bytes={first}-{last}")
        assert (answer.status, answer.body) == (206, whole[first : last + 1])
    assert reads == [500]


def test_questions_of_a_seek(entry: str, start: Start) -> None:
    """The entry, and its header with the blocks of both tracks, one each here;
    nothing more for other segments of these blocks, for ranges, or for the manifests."""
    one = start()
    one.still = one.now()
    one.get(f"/hls/{entry}/seg-2-f1-v1-a1.ts")
    assert one.database.questions == 1 + 1
    for name in (
        f"/hls/{entry}/index-f1-v1-a1.m3u8", f"/cmaf/{entry}/seg-1-f1-v1.m4s",
        f"/cmaf/{entry}/seg-2-f1-a1.m4s", f"/cmaf/{entry}/manifest.mpd",
    ):  # fmt: skip
        one.get(name)
        one.ask(name, "Range: bytes=5-9")
    assert one.database.questions == 1 + 1


def test_an_index_that_was_let_go_costs_one_question(entry: str, start: Start) -> None:
    """However little room there is to keep it, and what was cut is not cut again."""
    one = start(index_cache=1024)
    one.get(f"/hls/{entry}/seg-2-f1-v1-a1.ts")
    for name in (f"/hls/{entry}/seg-1-f1-v1-a1.ts", f"/cmaf/{entry}/seg-2-f1-v1.m4s"):
        asked = one.database.questions
        one.get(name)
        assert one.database.questions == asked + 1


def test_system_calls_of_a_segment(entry: str, tmp_path: Path) -> None:
    """One read, as the segment lies in one run; two looks at the file, that its path still
    names it and that it was not written to meanwhile; no memory from the kernel and no file
    that is opened again.  fMP4 goes out in one write; of TS the tables go before the window."""
    with running("origin", "--data", tmp_path / "data", "--port", "0") as one:
        server = Server("origin", address_of(one.url), children(one.pid))
        for name, writes in (
            (f"{entry}/seg-2-f1-v1-a1.ts", 2),
            (f"{entry}/seg-2-f1-v1.m4s", 1),
        ):
            protocol = "hls" if name.endswith(".ts") else "cmaf"
            try:
                calls = count_calls(server, [f"/{protocol}/{name}"] * _TIMES)
            except NotThere as reason:
                missing(str(reason))
            assert calls["preadv2"] == 1
            assert calls["newfstatat"] == 2
            sent = sum(calls.get(call, 0) for call in ("write", "writev", "sendto", "sendmsg"))
            assert writes <= sent < writes + 1
            for call in ("brk", "mmap", "munmap", "openat", "pread64"):
                assert calls.get(call, 0) < _SELDOM, (call, calls)
