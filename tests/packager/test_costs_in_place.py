"""What it costs to index a file of fragments or clusters, and a segment of it, counted: reads
and bytes of the file, blocks of the index.  No clock is looked at."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from packager.index import Blocks, FlavorIndex
from packager.indexing import build_index
from packager.isobmff.box import box, full_box
from packager.matroska.clusters import WINDOW
from packager.plan import Extent, Extents, Plan, run_reads
from packager.recipe import Choice, Wanted, cmaf_segment, make_recipe, run_needs
from tests.packager.matroska.building import (
    VP9_KEY_FRAME,
    aac,
    cluster,
    file,
    simple,
    tracks,
    vp9,
)
from tests.packager.tables import FTYP, Trak

RATE, SOUND_RATE = 25, 44_100
GROUP = 50
"""Pictures of a fragment or a cluster: two seconds."""

PICTURE, SOUND = b"p" * 300, b"s" * 40
SHORT, LONG = 600, 7200


@dataclass(frozen=True, eq=False)
class Indexed:
    index: FlavorIndex
    size: int
    reads: list[Extent]

    def segment(self, number: int, choice: Choice) -> tuple[Plan, list[range]]:
        """What is sent, and the blocks that were wanted for it."""
        wanted: list[range] = []

        def load(each: Wanted) -> Blocks:
            wanted.append(each.numbers)
            known = self.index.blocks[self.index.position(each.track)]
            return {at: known[at] for at in each.numbers}

        made = run_needs(cmaf_segment(make_recipe([self.index]), choice, number), load)
        assert isinstance(made, Plan)
        return made, wanted


@cache
def indexed(make: Callable[[int], bytes], seconds: int) -> Indexed:
    data = make(seconds)
    reads: list[Extent] = []

    def read(extent: Extent) -> bytes:
        reads.append(extent)
        return data[extent.offset : extent.offset + extent.length]

    return Indexed(run_reads(build_index(len(data), facts=False), read), len(data), reads)


def matroska(seconds: int) -> bytes:
    """Pictures and sound in the order of their times, as a recorder interleaves them."""
    clusters = []
    sounds = np.arange(seconds * SOUND_RATE // 1024) * 1024_000 / SOUND_RATE
    for begin in range(0, 1000 * seconds, 1000 * GROUP // RATE):
        shown = [(row * 1000 // RATE, 0) for row in range(GROUP)]
        first, last = np.searchsorted(sounds, (begin, begin + 1000 * GROUP // RATE))
        heard = [(round(at) - begin, 1) for at in sounds[first:last].tolist()]
        blocks = [
            simple(SOUND, at, number=2) if kind else
            simple(PICTURE if at else VP9_KEY_FRAME, at, 0 if at else 0x80)
            for at, kind in sorted(shown + heard)
        ]  # fmt: skip
        clusters.append(cluster(*blocks, at=begin))
    return file(tracks(vp9(), aac(2)), *clusters)


UNIT = struct.pack(">IB", len(PICTURE) - 4, 0x41) + PICTURE[5:]
KEY = struct.pack(">IB", len(PICTURE) - 4, 0x65) + PICTURE[5:]


def fragmented(seconds: int) -> bytes:
    """A fragment for each group of pictures."""
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 40, len(PICTURE), 0x10000))
    init = FTYP + box(b"moov", mvhd, Trak([]).encode(0), box(b"mvex", trex))
    data = box(b"mdat", KEY, UNIT * (GROUP - 1))
    groups = range(seconds * RATE // GROUP)
    return init + b"".join(_moof(40 * GROUP * number) + data for number in groups)


def _moof(time: int) -> bytes:
    def made(offset: int) -> bytes:
        tfhd = full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1))
        tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", time))
        trun = full_box(b"trun", 0, 5, struct.pack(">III", GROUP, offset, 0))
        return box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), box(b"traf", tfhd, tfdt, trun))

    return made(len(made(0)) + 8)


VIDEO, AUDIO = Choice(1, video=1), Choice(1, audio=1)
CASES = {
    # what one frame more adds to the last but one segment: bytes made, bytes read, places
    "fragments, pictures": (fragmented, VIDEO, (0, 0, 0)),
    "clusters, pictures": (matroska, VIDEO, (0, 0, 0)),
    "clusters, sound": (matroska, AUDIO, (4, len(SOUND), 1)),
}


@pytest.mark.parametrize(("make", "choice", "more"), CASES.values(), ids=CASES)
def test_a_segment_of_two_hours_costs_what_one_of_ten_minutes_does(
    make: Callable[[int], bytes], choice: Choice, more: tuple[int, int, int]
) -> None:
    """The same bytes made, bytes read and places in the file; of the index one block, or two
    where one begins inside the segment, also at the end of two hours."""
    short, long = indexed(make, SHORT), indexed(make, LONG)
    plan, blocks = short.segment(50, choice)
    assert (cost(long.segment(50, choice)[0]), long.segment(50, choice)[1]) == (
        cost(plan), blocks,
    )  # fmt: skip
    late, _ = long.segment(LONG // 6 - 2, choice)
    assert cost(late) == tuple(np.add(cost(plan), more))
    for number in (1, 50, 100, 700, LONG // 6 - 2):
        [wanted] = long.segment(number, choice)[1]
        assert 1 <= len(wanted) <= 2


def cost(plan: Plan) -> tuple[int, int, int]:
    """Bytes that are made, bytes that are read, and the places where they lie."""
    heads = sum(len(part) for part in plan.pieces if isinstance(part, bytes))
    extents = [part for part in plan.pieces if isinstance(part, Extents)]
    assert len(extents) == 1
    return heads, len(extents[0]), len(extents[0].offsets)


def test_clusters_are_read_once_a_window_at_a_time() -> None:
    """Windows meet at a head, so that each byte is read once but for the few of a head; the
    first bytes tell the container, the first frames the configurations."""
    long = indexed(matroska, LONG)
    windows = [each for each in long.reads if each.length == WINDOW]
    assert len(windows) == long.size // WINDOW
    assert len(long.reads) <= len(windows) + 1 + 1 + 2
    read = sum(each.length for each in long.reads)
    assert read < long.size + len(windows) * 400 + (20 << 10)


def test_fragments_are_read_once_a_window_at_a_time() -> None:
    """Windows of 512 KiB once some were small, behind four of 64 to 256 KiB and the three heads
    of ftyp, moov and what is in it; between two lies at most what a fragment has of media."""
    long = indexed(fragmented, LONG)
    full = [each for each in long.reads if each.length == 512 << 10]
    fragment = GROUP * len(PICTURE)
    assert (len(full) - 1) * ((512 << 10) - fragment) <= long.size
    assert len(long.reads) <= long.size // ((512 << 10) - fragment) + 8 + 2
    assert sum(each.length for each in long.reads) < long.size + (1 << 20)
