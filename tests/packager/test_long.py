"""Half a day at 60 frames a second (rules C-08, S-04, T-04): tables of millions of samples are
indexed, and a segment costs the same at every hour.

The media are a few kilobytes that samples claim in turn; what is far in is planned, not read.
"""

import struct
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

from packager.index import FlavorIndex
from packager.index_header import decode_header, encode_header
from packager.isobmff.media_segment import media_segment
from packager.mpegts.clock import TIME_BASE, decode_times, timestamp_field
from packager.plan import Plan
from packager.recipe import Choice, Wanted, cmaf_segment, make_recipe, muxed_segment, run_needs
from packager.samples import Samples
from packager.tracks import Kind
from tests.packager.tables import audio_track, indexed, video_track

HOURS = 12
PICTURES = HOURS * 3600 * 60
FRAMES = HOURS * 3600 * 48_000 // 1024


def long_rows(count: int, duration: int, group: int, size: int, stride: int) -> Samples:
    """*count* samples of *size* bytes, one every *stride* bytes."""
    rows = np.arange(count)
    return Samples(
        rows * duration, rows * duration, np.full(count, duration), np.full(count, size),
        rows * stride, rows % group == 0,
    )  # fmt: skip


@cache
def long_flavor() -> FlavorIndex:
    video, video_blocks = indexed(video_track(), long_rows(PICTURES, 1500, 120, 1000, 1250))
    audio, audio_blocks = indexed(
        audio_track(timescale=48_000), long_rows(FRAMES, 1024, 1, 200, 1600)
    )
    return FlavorIndex(1 << 40, (video, audio), (), "00", (video_blocks, audio_blocks))


class Counted:
    """Hands out blocks of ``long_flavor`` and counts them."""

    def __init__(self) -> None:
        self.flavor, self.count = long_flavor(), 0
        self.recipe = make_recipe([self.flavor], Fraction(6))

    def load(self, wanted: Wanted) -> dict[int, bytes]:
        self.count += len(wanted.numbers)
        blocks = self.flavor.blocks[self.flavor.tracks.index(wanted.track)]
        return {number: blocks[number] for number in wanted.numbers}

    def cmaf(self, choice: Choice, number: int) -> Plan:
        return run_needs(cmaf_segment(self.recipe, choice, number), self.load)

    def ts(self, number: int) -> Any:
        return run_needs(muxed_segment(self.recipe, Choice(1, 1, 1), number), self.load)


LAST = HOURS * 600
CHOICES = [Choice(1, video=1), Choice(1, audio=1)]


@pytest.mark.parametrize("choice", CHOICES, ids=["video", "audio"])
def test_a_segment_of_the_last_hour_takes_no_more_blocks(choice: Choice) -> None:
    costs = []
    for number in (2, LAST // 2, LAST - 1):
        made = Counted()
        made.cmaf(choice, number)
        costs.append(made.count)
    assert max(costs) <= 2  # 360 pictures or 282 frames, across a border of blocks at most


def test_a_ts_segment_of_the_last_hour_takes_no_more_blocks() -> None:
    costs = []
    for number in (2, LAST // 2, LAST - 1):
        made = Counted()
        made.ts(number)
        costs.append(made.count)
    assert max(costs) <= 4


def test_segments_are_of_one_size_at_every_hour() -> None:
    made = Counted()
    lengths = {len(made.cmaf(CHOICES[0], number)) for number in (2, LAST // 2, LAST - 1)}
    assert len(lengths) == 1


def test_playlists_of_thousands_of_segments() -> None:
    made = Counted()
    assert len(made.recipe.times) + 1 == LAST
    assert made.recipe.times[-1] == HOURS * 3600 - 6
    [video] = made.flavor.of_kind(Kind.VIDEO)
    assert float(made.recipe.times[1000]) == 6006
    assert video.count == PICTURES


def test_the_header_of_half_a_day_is_small_and_whole() -> None:
    header = encode_header(long_flavor())
    assert len(header) < 2 << 20
    read = decode_header(header)
    assert [track.count for track in read.tracks] == [PICTURES, FRAMES]


def test_decode_times_past_32_bits() -> None:
    """Rule S-04: 13.25 hours at 90 kHz."""
    track, blocks = indexed(video_track(), long_rows(14 * 3600, 90_000, 1, 100, 100))
    start = track.count - 6
    plan = media_segment(track, track.samples(start, track.count, blocks), 1)
    head = bytes(next(iter(plan)))  # type: ignore[arg-type]
    at = head.index(b"tfdt")
    assert head[at + 4] == 1
    assert struct.unpack(">Q", head[at + 8 : at + 16])[0] == start * 90_000 > 1 << 32


def test_transport_times_wrap_at_33_bits() -> None:
    """Rule T-04: after 26.5 hours."""
    track, _ = indexed(video_track(), long_rows(27 * 3600, 90_000, 1, 100, 100))
    times = decode_times(
        track, np.array([(1 << 33) - TIME_BASE - 90_000, (1 << 33) - TIME_BASE])
    )
    read = [_read_field(bytes(field)) for field in timestamp_field(2, times)]
    assert read == [(1 << 33) - 90_000, 0]


def _read_field(field: bytes) -> int:
    """The 33 bits of a PTS between its marker bits (ISO/IEC 13818-1 §2.4.3.7)."""
    bits = f"{int.from_bytes(field):040b}"
    assert bits[:4] == "0010"
    assert bits[7] == bits[23] == bits[39] == "1"
    return int(bits[4:7] + bits[8:23] + bits[24:39], 2)
