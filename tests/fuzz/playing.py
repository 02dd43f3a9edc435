"""Everything that requests could make of a file, in memory."""

import random

from packager.index_header import decode_header, encode_header
from packager.indexing import build_index
from packager.isobmff.init_segment import init_segment
from packager.plan import Extent, run_reads
from packager.recipe import make_recipe
from tests.packager.carrying import Packaged


def play(data: bytes, chance: random.Random) -> None:
    """Raises ``PackagerError`` where *data* is refused, and nothing else."""
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
    for track in index.tracks:
        init_segment(track)
        packaged.cmaf(track)
    if packaged.recipe.in_ts:
        packaged.muxed_bitrate(packaged.choice(), 7)
        packaged.ts()
