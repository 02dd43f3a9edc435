"""The flavor index: what is stored reads the same, is small, and cannot lie."""

import hashlib
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.errors import MalformedMedia
from packager.index import FlavorIndex, TrackIndex
from packager.index_blocks import BLOCK, decode_block, encode_block
from packager.index_header import decode_header, encode_header
from packager.indexing import build_index
from packager.isobmff.box import box
from packager.nal_facts import NalFacts
from packager.plan import Extent, run_reads
from packager.samples import Samples, column
from packager.tracks import Edit, Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.tables import (
    Trak,
    audio_track,
    avc1,
    avcc,
    counted,
    indexed,
    movie,
    mp4,
    samples,
    sound,
    video_track,
)

sizes = st.integers(0, 1000) | st.sampled_from([2**16 - 1, 2**16, 2**26])
durations = st.sampled_from([0, 1, 1001, 1001, 1001, 2**31 - 1])
offsets = st.sampled_from([0, 0, 1, -1, 2**31 - 1, -(2**31)])
positions = st.integers(0, 2**20) | st.sampled_from([2**32, 2**40])


@st.composite
def tables(draw: st.DrawFn, most: int = 30) -> Samples:
    count = draw(st.integers(1, most))

    def many(one: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(one, min_size=count, max_size=count))

    return samples(
        many(durations),
        sizes=many(sizes),
        offsets=many(offsets) if draw(st.booleans()) else None,
        positions=many(positions) if draw(st.booleans()) else None,
        sync=draw(st.lists(st.booleans(), min_size=count, max_size=count)),
        start=draw(st.sampled_from([0, 5, 2**45])),
    )


COLUMNS = ("dts", "cts", "duration", "size", "offset")


def same(found: Samples, wanted: Samples, *names: str) -> bool:
    return all(
        np.array_equal(getattr(found, name), getattr(wanted, name))
        for name in names or (*COLUMNS, "sync")
    )


@given(tables(), st.sampled_from([None, 0, 4, -6, 2**20]))
def test_a_block_reads_as_it_was(rows: Samples, growth: int | None) -> None:
    annexb = None if growth is None else rows.size + growth
    found, found_annexb = decode_block(encode_block(rows, annexb))
    assert same(found, rows, *COLUMNS)
    assert np.array_equal(found_annexb, rows.size if annexb is None else annexb)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_sample_takes_at_most_16_bytes(seed: int) -> None:
    """Whatever its table: 100,000 samples are at most 1.6 MB of cache."""
    random = np.random.default_rng(seed)
    rows = samples(
        random.integers(0, 2**31, BLOCK).tolist(),
        sizes=random.integers(0, 2**26, BLOCK).tolist(),
        offsets=random.integers(-(2**31), 2**31, BLOCK).tolist(),
        positions=random.integers(0, 2**32, BLOCK).tolist(),
    )
    assert len(encode_block(rows, None)) <= 16 * BLOCK + 32


def test_usual_samples_take_less() -> None:
    frames = samples([1024] * BLOCK, sizes=[300 + row % 99 for row in range(BLOCK)])
    assert len(encode_block(frames, None)) < 2.1 * BLOCK


@given(tables(), st.data())
def test_rows_come_back_from_any_blocks(rows: Samples, data: st.DataObject) -> None:
    track, blocks = indexed(video_track(timescale=1000), rows)
    start = data.draw(st.integers(0, len(rows) - 1))
    stop = data.draw(st.integers(start + 1, len(rows)))
    found = track.samples(start, stop, blocks)
    wanted = rows.rows(start, stop)
    names = [name for name in COLUMNS if name != "duration"]
    assert same(found, wanted, *names)
    expected = wanted.sync.copy()
    expected[0] |= start == 0  # decoding starts there
    assert np.array_equal(found.sync, expected)


def test_rows_over_several_blocks() -> None:
    count = 3 * BLOCK + 7
    rows = samples([40] * count, sizes=[row % 7 for row in range(count)])
    track, blocks = indexed(audio_track(), rows)
    assert (track.block_count, sorted(blocks)) == (4, [0, 1, 2, 3])
    for start, stop in ((0, count), (BLOCK - 1, BLOCK + 1), (2 * BLOCK, 3 * BLOCK), (5, 6)):
        needed = {number: blocks[number] for number in track.block_range(start, stop)}
        assert same(track.samples(start, stop, needed), rows.rows(start, stop))
        assert track.samples(start, stop, needed).first == start


def test_the_size_in_a_byte_stream_is_kept() -> None:
    rows = samples([40] * 5, sizes=[10] * 5)
    grown = NalFacts(column([12] * 5), rows.sync)
    track, blocks = indexed(video_track(), rows, grown)
    assert track.exact
    assert not track.plain
    assert track.annexb_sizes(1, 3, blocks).tolist() == [12, 12]
    plain, _ = indexed(video_track(), rows, NalFacts(rows.size, rows.sync))
    assert plain.plain
    damaged, _ = indexed(video_track(), rows, NalFacts(rows.size, rows.sync, complete=False))
    assert not damaged.exact


# -- where a segment may start, and times


def test_entries_are_closed() -> None:
    """Of an open group the leading pictures are shown before its sync sample (rule S-09)."""
    rows = samples(
        [1] * 8,
        offsets=[0, 0, 2, 0, 0, 0, 0, 0],
        sync=[True, False, True, False, False, True, False, True],
    )
    track, _ = indexed(video_track(), rows)
    assert rows.cts.tolist() == [0, 1, 4, 3, 4, 5, 6, 7]
    assert track.sync.tolist() == [0, 2, 5, 7]
    assert track.entry.tolist() == [0, 5, 7]


def test_a_last_sample_of_no_duration_lasts_as_long_as_others() -> None:
    track, _ = indexed(audio_track(), samples([1024, 1024, 0]))
    assert track.last_duration == 1024
    assert track.end == 3 * 1024


@given(tables(most=12), st.lists(st.integers(-100, 2**36), max_size=5))
def test_first_at_is_the_first_row_from_a_time_on(rows: Samples, times: list[int]) -> None:
    rows = Samples(
        rows.dts, rows.dts, rows.duration, rows.size, rows.offset, rows.sync, rows.first
    )
    track, blocks = indexed(audio_track(timescale=1000), rows)
    starts = rows.dts.tolist()
    found = track.first_at(column(sorted(times)), blocks)
    for time, row, start in zip(sorted(times), *found, strict=True):
        wanted = next((n for n, dts in enumerate(starts) if dts >= time), len(starts))
        assert row == wanted
        assert start == (starts[row] if row < len(starts) else track.end)


# -- the header


def described(track: TrackIndex) -> dict[str, object]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in (
            (name, getattr(track, name)) for name in TrackIndex.__dataclass_fields__
        )
    }


def movie_file(*, length_size: int = 4) -> bytes:
    boxes: dict[bytes, bytes | None] = {
        b"stss": counted(b"stss", [1]),
        b"ctts": counted(b"ctts", (1, 80), (2, 40)),
    }
    edits = counted(b"elst", (60, 80, 0x10000))
    entry = avc1(box(b"avcC", avcc(length_size=length_size)))
    video = Trak(movie(length_size=length_size), entry=entry, boxes=boxes, edits=edits)
    return mp4(video, Trak([b"x"], handler=b"meta"), sound(50))


def test_the_header_reads_as_it_was() -> None:
    index = index_of(movie_file())
    found = decode_header(encode_header(index))
    assert (found.file_size, found.digest) == (index.file_size, index.digest)
    assert found.left_out == index.left_out != ()
    for one, other in zip(found.tracks, index.tracks, strict=True):
        assert described(one) == described(other)
    assert found.tracks[0].track.edit == Edit(80, 180)
    assert found.blocks == ()


@given(tables(), st.sampled_from(["video", "audio"]))
def test_any_track_is_kept_by_the_header(rows: Samples, kind: str) -> None:
    make = video_track if kind == Kind.VIDEO else audio_track
    track, blocks = indexed(make(edit=Edit(3, 9)), rows)
    index = FlavorIndex(1, (track,), (), "", (blocks,))
    assert described(decode_header(encode_header(index)).tracks[0]) == described(track)


@given(tables(), st.sampled_from([None, 0, 4, -6]), st.sampled_from([1, 1000]))
def test_a_whole_track_reads_as_its_samples(
    rows: Samples, growth: int | None, times: int
) -> None:
    """Of one block and of several, for what manifests need of them."""
    every = samples(
        rows.duration.tolist() * times, sizes=rows.size.tolist() * times,
        offsets=(rows.cts - rows.dts).tolist() * times, sync=rows.sync.tolist() * times,
    )  # fmt: skip
    facts = None if growth is None else NalFacts(every.size + growth, every.sync)
    track, blocks = indexed(video_track(), every, facts)
    found, wanted = track.timed(blocks), track.samples(0, track.count, blocks)
    for name in ("dts", "cts", "sync", "size"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert np.array_equal(found.stops, wanted.dts + wanted.duration)
    assert np.array_equal(track.sizes(blocks), wanted.size)
    assert np.array_equal(found.annexb, track.annexb_sizes(0, track.count, blocks))


@given(st.data())
def test_damage_is_seen(data: st.DataObject) -> None:
    """A bit flipped or bytes missing, anywhere."""
    index = index_of(movie_file())
    track, block = index.tracks[0], index.blocks[0][0]
    for blob in (encode_header(index), block):
        at = data.draw(st.integers(0, len(blob) - 1))
        flipped = bytearray(blob)
        flipped[at] ^= 1 << data.draw(st.integers(0, 7))
        for damaged in (bytes(flipped), blob[:at], blob + b"\0"):
            if blob is block:
                with pytest.raises(MalformedMedia, match="flavor index"):
                    track.sizes({0: damaged})
            with pytest.raises(MalformedMedia, match="flavor index"):
                if blob is block:
                    track.samples(0, 1, {0: damaged})
                else:
                    decode_header(damaged)


def test_a_block_of_another_track_is_seen() -> None:
    track, _ = indexed(audio_track(), samples([1024] * 20))
    _, other = indexed(audio_track(), samples([1024] * 21))
    with pytest.raises(MalformedMedia, match="flavor index: block 0 is not of this track"):
        track.samples(0, 1, other)


def test_a_header_of_another_format_is_stale() -> None:
    header = bytearray(encode_header(index_of(movie_file())))
    header[5] += 1
    with pytest.raises(MalformedMedia, match="format 3 is not 2"):
        decode_header(bytes(header))


# -- identity


def test_the_digest_is_of_the_media_not_of_how_it_was_read() -> None:
    source = movie_file()
    assert index_of(source, facts=True).digest == index_of(source, facts=False).digest
    assert index_of(movie_file(length_size=2)).digest != index_of(source).digest


def test_each_thing_that_fixes_bytes_is_in_the_digest() -> None:
    boxes: dict[bytes, bytes | None] = {b"stss": counted(b"stss", [1])}
    files = [
        mp4(Trak(movie(), boxes=boxes)),
        mp4(Trak(movie(), boxes=boxes), moov_last=True),  # offsets
        mp4(Trak(movie(), boxes={b"stss": counted(b"stss", [1], [2])})),
        mp4(Trak(movie(), boxes=boxes, duration=41)),
        mp4(Trak(movie(), boxes=boxes, timescale=999)),
        mp4(Trak(movie(), boxes=boxes, edits=counted(b"elst", (0, 0, 0x10000)))) + b"x",
        mp4(Trak(movie(), boxes={**boxes, b"ctts": counted(b"ctts", (3, 1))})),
        mp4(Trak(movie(), boxes={**boxes, b"ctts": counted(b"ctts", (3, 2))})),
    ]
    assert len({index_of(file).digest for file in files}) == len(files)


TOKEN = """
import sys
from tests.packager.carrying import Packaged
from tests.packager.test_index import movie_file
packaged = Packaged(movie_file())
print(packaged.recipe.token(), packaged.flavors[0].digest)
"""


def test_tokens_do_not_depend_on_the_process() -> None:
    """Nor on its hash seed or time zone."""
    found = set()
    for seed, zone in (("0", "UTC"), ("12345", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        run = subprocess.run(
            [sys.executable, "-c", TOKEN],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(run.stdout)
    packaged = Packaged(movie_file())
    assert found == {f"{packaged.recipe.token()} {packaged.flavors[0].digest}\n"}


def test_a_token_names_target_layout_and_order() -> None:
    a, b = movie_file(), mp4(sound(40))
    tokens = {
        Packaged(a).recipe.token(),
        Packaged(a).recipe.token(layout=0),
        Packaged(a, target=Fraction(2)).recipe.token(),
        Packaged(a, b).recipe.token(),
        Packaged(b, a).recipe.token(),
    }
    assert len(tokens) == 5
    assert all(len(token) == 8 for token in tokens)


def test_an_index_is_made_without_reading_the_media() -> None:
    """Of media where every sample need not be looked at: the moov and both ends."""
    source = movie_file() + bytes(1 << 20)
    read: list[Extent] = []

    def reader(extent: Extent) -> bytes:
        read.append(extent)
        return source[extent.offset : extent.offset + extent.length]

    run_reads(build_index(len(source), facts=False), reader)
    assert sum(extent.length for extent in read) < 4000
    assert len(read) <= 8


def test_the_digest_is_sha256() -> None:
    assert len(bytes.fromhex(index_of(movie_file()).digest)) == hashlib.sha256().digest_size


def sealed(prefix: tuple[int, ...], body: bytes) -> bytes:
    data = struct.pack("<qqHBBHH", *prefix) + body
    return data + struct.pack("<I", zlib.crc32(data))


ONE = "0100 0100 01000000 0000 00000000"  # a size, a run, its duration, a jump, its position
CONTRADICTIONS = {
    "no samples": sealed((0, 0, 0, 2, 0, 1, 1), b""),
    "odd width": sealed((0, 0, 1, 3, 0, 1, 1), bytes(20)),
    "no position": sealed((0, 0, 1, 2, 0, 1, 0), bytes(20)),
    "too short": sealed((0, 0, 1, 2, 0, 1, 1), bytes(9)),
    "too long": sealed((0, 0, 1, 2, 0, 1, 1), bytes.fromhex(f"{ONE} 00")),
    "runs": sealed((0, 0, 1, 2, 0, 1, 1), bytes.fromhex(ONE.replace("0100 0100", "0100 0200"))),
    "positions": sealed(
        (0, 0, 1, 2, 0, 1, 1), bytes.fromhex("0100 0100 01000000 0100 00000000")
    ),
}


@pytest.mark.parametrize("block", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_sealed_block_that_contradicts_itself_is_refused(block: bytes) -> None:
    track, _ = indexed(audio_track(), samples([1024]))
    with pytest.raises(MalformedMedia, match="flavor index: block 0: "):
        track.samples(0, 1, {0: block})


def test_durations_that_do_not_add_up_are_refused_in_a_whole_track() -> None:
    track, _ = indexed(audio_track(), samples([1024, 1023, 1024]))
    assert not track.uniform_duration
    track = replace(track, count=1)
    assert track.sizes({0: CONTRADICTIONS["runs"]}).tolist() == [1]
    with pytest.raises(MalformedMedia, match="flavor index: block 0: durations do not add up"):
        track.timed({0: CONTRADICTIONS["runs"]})


def test_a_sealed_header_that_contradicts_itself_is_refused() -> None:
    index = index_of(movie_file())
    short = encode_header(index)[:-12]
    for wrong in (
        short + struct.pack("<I", zlib.crc32(short)),
        encode_header(replace(index, tracks=(replace(index.tracks[0], count=5000),))),
        encode_header(replace(index, tracks=())),
    ):
        with pytest.raises(MalformedMedia, match="flavor index: header: "):
            decode_header(wrong)


def test_rows_that_do_not_exist_are_our_mistake() -> None:
    track, blocks = indexed(audio_track(), samples([1024] * 3))
    for start, stop in ((0, 4), (-1, 2), (2, 2)):
        with pytest.raises(ValueError, match="of 3"):
            track.samples(start, stop, blocks)


def test_first_at_over_several_blocks() -> None:
    durations = [1000 + row % 2 for row in range(3 * BLOCK)]
    track, blocks = indexed(audio_track(timescale=1000), samples(durations))
    starts = samples(durations).dts.tolist()
    wanted = sorted(
        {starts[row] + more for row in range(BLOCK - 2, BLOCK + 2) for more in (0, 1)}
    )
    for time, row, start in zip(wanted, *track.first_at(column(wanted), blocks), strict=True):
        assert row == next(n for n, dts in enumerate(starts) if dts >= time)
        assert start == starts[row]
