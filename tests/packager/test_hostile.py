"""Files whose fields were changed on purpose: each plays or is refused, quickly and by name.

Not bytes at random: fields of the boxes inside moov, to values where the rules change.
"""

import random
import time
import tracemalloc

import pytest

from packager.errors import PackagerError
from packager.index_header import decode_header, encode_header
from packager.indexing import build_index
from packager.isobmff.init_segment import init_segment
from packager.plan import Extent, run_reads
from packager.recipe import make_recipe
from tests.packager.carrying import Packaged
from tests.packager.generated import encoded
from tests.packager.tables import Trak, counted, movie, mp4, sound

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}
VALUES = [
    0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
    2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**46, 2**62, 2**63 - 1, 2**63, 2**64 - 1,
]  # fmt: skip


def places(data: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """Where boxes lie, those inside containers too."""
    found = []
    while start + 8 <= stop:
        size = int.from_bytes(data[start : start + 4], "big")
        fourcc = data[start + 4 : start + 8]
        if size < 8 or start + size > stop:
            break
        if fourcc not in (b"udta", b"mdat", b"free"):
            found.append((start, start + size))
        if fourcc in CONTAINERS:
            found += places(data, start + 8, start + size)
        start += size
    return found


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    boxes = places(data, 0, len(data))
    for _ in range(chance.choice([1, 1, 2, 3])):
        start, stop = chance.choice(boxes)
        width = min(chance.choice([1, 2, 4, 4, 4, 8]), stop - start)
        first = start if chance.random() < 0.1 else min(start + 8, stop - width)
        at = chance.randint(
            first, min(stop - width, first + chance.choice([0, 8, 16, 40, 200]))
        )
        value = chance.choice(VALUES) % (1 << 8 * width)
        changed[at : at + width] = value.to_bytes(width, "big")
    return bytes(changed)


def play(data: bytes, chance: random.Random) -> None:
    """Everything that a request could make of it."""
    reads: list[Extent] = []

    def read(extent: Extent) -> bytes:
        reads.append(extent)
        return data[extent.offset : extent.offset + extent.length]

    index = run_reads(build_index(len(data), facts=chance.random() < 0.7), read)
    assert all(extent.offset >= 0 <= extent.length for extent in reads)
    decode_header(encode_header(index))
    packaged = Packaged.__new__(Packaged)
    packaged.sources, packaged.flavors = (data,), [index]
    packaged.recipe = make_recipe([index])
    packaged.presentation()
    packaged.muxed_bitrate(packaged.choice(), 7)
    for track in index.tracks:
        init_segment(track)
        packaged.cmaf(track)
    packaged.ts()


def files() -> dict[str, bytes]:
    video = Trak(movie(60), boxes={b"stss": counted(b"stss", [1], [31])})
    video.boxes[b"ctts"] = counted(b"ctts", (1, 80), (30, 0), (29, 2**32 - 20))
    video.edits = counted(b"elst", (60, 0xFFFFFFFF, 0x10000), (0, 80, 0x10000))
    return {
        "numbers": mp4(video, sound(120)),
        "numbers, wide": mp4(video, sound(120), wide=True, moov_last=True),
        "encoded": encoded("short"),
    }


@pytest.mark.parametrize("name", ["numbers", "numbers, wide", "encoded"])
def test_changed_fields(name: str) -> None:
    source = files()[name]
    chance = random.Random(name)
    outcomes = {True: 0, False: 0}
    for _ in range(150):
        data = damaged(source, chance)
        begin = time.perf_counter()
        tracemalloc.start()
        try:
            play(data, chance)
            played = True
        except PackagerError as error:
            played = False
            assert str(error)
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert time.perf_counter() - begin < 3  # a tenth of it without tracing
        assert peak < 64 << 20
        outcomes[played] += 1
    assert min(outcomes.values()) > 10
