"""Files that were written to hurt: refused by the name of the element, at once, in little
memory."""

import struct
import time
import tracemalloc
from collections.abc import Callable

import pytest

from packager.errors import PackagerError
from tests.packager.carrying import index_of
from tests.packager.matroska.building import (
    AUDIO,
    CLUSTER,
    GROUP,
    INFO,
    OPUS_FRAME,
    SCALE,
    SEGMENT,
    SIMPLE,
    TIMESTAMP,
    TRACKS,
    UNKNOWN,
    VOID,
    VP9_KEY_FRAME,
    aac,
    block,
    cluster,
    element,
    file,
    header,
    identifier,
    opus,
    real,
    simple,
    track,
    tracks,
    uint,
    unsized,
    vp9,
)

SECONDS = 1.0
"""Of CPU."""

MEMORY = 24 << 20
"""Beside the file itself: a window, and what was found in it."""

FIRST = simple(b"frame")
HUGE = b"\x01" + 7 * b"\xfe"
MILLION = 1_000_000


def one_track(*parts: bytes) -> bytes:
    return file(tracks(aac(1, *parts)), cluster(FIRST))


def sized(number: int, size: bytes, payload: bytes = b"") -> bytes:
    return identifier(number) + size + payload


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # -- sizes
    "a segment beyond the file": (
        lambda: header() + sized(SEGMENT, HUGE, tracks(aac())), "Segment: size "
    ),
    "tracks beyond the segment": (lambda: file(sized(TRACKS, HUGE)), "Tracks: size "),
    "a track beyond the tracks": (
        lambda: file(tracks(sized(0xAE, HUGE, bytes(100)))), "TrackEntry: size "
    ),
    "a cluster beyond the segment": (
        lambda: file(tracks(aac()), sized(CLUSTER, HUGE)), "Cluster: size "
    ),
    "a block beyond the cluster": (
        lambda: file(tracks(aac()), cluster(sized(SIMPLE, HUGE, bytes(9)))),
        "SimpleBlock: size ",
    ),
    "a block by one byte beyond the cluster": (
        lambda: file(tracks(aac()), cluster(FIRST, FIRST[:-1]), FIRST), "SimpleBlock: size 9 "
    ),
    "a group beyond the cluster": (
        lambda: file(tracks(aac()), cluster(sized(GROUP, HUGE))), "BlockGroup: size "
    ),
    "a block beyond its group": (
        lambda: file(tracks(aac()), cluster(element(GROUP, sized(0xA1, b"\xfe")))),
        "Block: size 126 ",
    ),
    "tracks of unknown size": (
        lambda: file(unsized(TRACKS, aac())), "Tracks: of unknown size"
    ),
    "tracks of unknown size, in one byte": (
        lambda: file(sized(TRACKS, b"\xff", aac())), "Tracks: of unknown size"
    ),
    "a block of unknown size": (
        lambda: file(tracks(aac()), cluster(unsized(SIMPLE, block(b"1")))),
        "SimpleBlock: of unknown size",
    ),
    "a block of unknown size, in one byte": (
        lambda: file(tracks(aac()), cluster(sized(SIMPLE, b"\xff", block(b"1")))),
        "SimpleBlock: of unknown size",
    ),
    "a group of unknown size": (
        lambda: file(tracks(aac()), cluster(unsized(GROUP))), "BlockGroup: of unknown size"
    ),
    "a size of nine bytes": (
        lambda: file(sized(TRACKS, b"\0" + bytes(8))), "Tracks: its size: longer than 8 bytes"
    ),
    "a block's size of nine bytes": (
        lambda: file(tracks(aac()), cluster(sized(SIMPLE, b"\0" + bytes(8)))),
        "SimpleBlock: its size: longer than 8 bytes",
    ),
    "EBMLMaxSizeLength of 9": (
        lambda: header(uint(0x42F3, 9)) + element(SEGMENT, tracks(aac())),
        "EBMLMaxSizeLength: 9 ",
    ),
    "EBMLMaxIDLength of 5": (
        lambda: header(uint(0x42F2, 5)) + element(SEGMENT, tracks(aac())), "EBMLMaxIDLength: 5 "
    ),
    "an identifier of zeros": (lambda: file(bytes(100)), "an element in Segment: "),
    "a header of a gigabyte": (
        lambda: sized(0x1A45DFA3, b"\x08\x40\0\0\0", bytes(100)), "EBML: size "
    ),
    "a header and nothing": (header, "an element in the file: cut short"),
    # -- nesting
    "a segment in a segment": (
        lambda: file(element(SEGMENT, tracks(aac()))), "Segment: a second one"
    ),
    "segments in segments": (
        lambda: header() + (identifier(SEGMENT) + UNKNOWN) * 100_000, "Segment: a second one"
    ),
    "a cluster in a cluster": (
        lambda: file(tracks(aac()), cluster(FIRST, cluster(FIRST))), "Cluster: inside a Cluster"
    ),
    "groups in groups": (
        lambda: file(tracks(aac()), cluster(nested(GROUP, 1000))), "BlockGroup: no Block"
    ),
    # -- floods
    "a million tracks": (
        lambda: file(tracks(*[element(0xAE, uint(0xD7, 1))] * MILLION)),
        "Tracks: more than 64 tracks",
    ),
    "tracks of 17 MiB": (
        lambda: file(tracks(element(VOID, bytes(17 << 20)))), "Tracks: 178257"
    ),
    "a million elements in tracks": (
        lambda: file(tracks(element(VOID) * MILLION)), "Tracks: more than 10000 elements"
    ),
    "a million elements in a track": (
        lambda: one_track(element(VOID) * MILLION), "TrackEntry: more than 10000 elements"
    ),
    "a hundred thousand elements in Info": (
        lambda: file(element(INFO, element(VOID) * 100_000)), "Info: more than 10000 elements"
    ),
    "a megabyte of Info": (
        lambda: file(element(INFO, bytes(2 << 20))), "Info: 2097152 bytes are more than"
    ),
    "empty clusters": (
        lambda: file(tracks(aac()), element(CLUSTER) * MILLION), "Segment: "
    ),
    "empty clusters of unknown size": (
        lambda: file(tracks(aac()), unsized(CLUSTER) * 200_000), "Segment: "
    ),
    "voids in a cluster": (
        lambda: file(tracks(aac()), cluster(element(VOID) * MILLION)), "Segment: "
    ),
    "blocks of no track": (
        lambda: file(tracks(aac()), cluster(simple(b"", number=9) * MILLION)), "Segment: "
    ),
    "blocks without a frame": (
        lambda: file(tracks(aac()), cluster(simple(b"") * MILLION)), "Segment: "
    ),
    "blocks of 256 frames of no size": (
        lambda: file(tracks(aac()), cluster(simple(b"\xff", flags=0x84) * MILLION)), "Segment: "
    ),
    "a configuration of 100 KiB": (
        lambda: file(tracks(track(1, AUDIO, "A_AAC", element(0x63A2, bytes(100 << 10))))),
        "CodecPrivate: 102400 bytes",
    ),
    # -- blocks
    "a block before its cluster's time": (
        lambda: file(tracks(aac()), element(CLUSTER, FIRST)), "Timestamp: missing before"
    ),
    "a block shorter than its header": (
        lambda: file(tracks(aac()), cluster(sized(SIMPLE, b"\x82", b"\x81\0"))),
        "Block: cut short",
    ),
    "a track number of nine bytes": (
        lambda: file(tracks(aac()), cluster(element(SIMPLE, bytes(12)))),
        "SimpleBlock: its track number: longer than 8 bytes",
    ),
    "a group without a block": (
        lambda: file(tracks(aac()), cluster(element(GROUP, uint(0x9B, 1)))),
        "BlockGroup: no Block",
    ),
    "blocks of unknown tracks alone": (
        lambda: file(tracks(aac()), cluster(simple(b"1", number=7))),
        "track 1: Cluster: no frames",
    ),
    "several pictures in a block": (
        lambda: file(tracks(vp9()), cluster(simple(b"\1" + VP9_KEY_FRAME, flags=0x84))),
        "track 1: Block: several pictures",
    ),
    # -- numbers
    "a time of 2^63": (
        lambda: file(tracks(aac()), cluster(FIRST, at=1 << 63)),
        "Timestamp: 9223372036854775808 ",
    ),
    "a time of nine bytes": (
        lambda: file(tracks(aac()), element(CLUSTER, element(TIMESTAMP, b"\1" * 9), FIRST)),
        "Timestamp: an integer of 9 bytes",
    ),
    "times that are ages apart": (
        lambda: file(
            element(INFO, uint(SCALE, 1_000_000_000)), tracks(aac()),
            cluster(FIRST), cluster(FIRST, at=1 << 46),
        ),
        "Timestamp: ",
    ),
    "pictures that are ages apart": (
        lambda: file(
            element(INFO, uint(SCALE, 1_000_000_000)), tracks(vp9()),
            cluster(simple(VP9_KEY_FRAME)), cluster(simple(VP9_KEY_FRAME), at=1 << 46),
        ),
        "Timestamp: ",
    ),
    "a time scale of zero": (
        lambda: file(element(INFO, uint(SCALE, 0)), tracks(aac()), cluster(FIRST)),
        "TimestampScale: 0 ",
    ),
    "a time scale of an hour": (
        lambda: file(element(INFO, uint(SCALE, 3600 * 10**9)), tracks(aac()), cluster(FIRST)),
        "TimestampScale: 3600000000000 ",
    ),
    "a duration of 2^63 before a picture": (
        lambda: one_track(uint(0x23E383, 1 << 63)), "DefaultDuration: "
    ),
    "a delay of 2^63": (lambda: one_track(uint(0x56AA, 1 << 63)), "CodecDelay: "),
    "a discard of nine bytes": (
        lambda: file(
            tracks(aac()),
            cluster(element(GROUP, element(0xA1, block(b"1")), element(0x75A2, bytes(9)))),
        ),
        "DiscardPadding: an integer of 9 bytes",
    ),
    # -- descriptions
    "a track of number zero": (lambda: file(tracks(aac(0))), "TrackNumber: missing or zero"),
    "two tracks of one number": (
        lambda: file(tracks(aac(), vp9()), cluster(FIRST)),
        "TrackNumber: the same in two tracks",
    ),
    "no width": (
        lambda: file(
            tracks(track(1, 1, "V_VP9", element(0xE0))), cluster(simple(VP9_KEY_FRAME))
        ),
        "PixelWidth: 0 pixels",
    ),
    "a width of 2^40": (
        lambda: file(
            tracks(track(1, 1, "V_VP9", element(0xE0, uint(0xB0, 1 << 40), uint(0xBA, 9)))),
            cluster(simple(VP9_KEY_FRAME)),
        ),
        "PixelWidth: ",
    ),
    "a sample rate that is no number": (
        lambda: file(tracks(track(1, AUDIO, "A_AAC", element(0xE1, real(0xB5, float("nan")))))),
        "SamplingFrequency: nan is out of range",
    ),
    "a roll without end": (
        lambda: file(
            tracks(vp9(1, element(0x7670, real(0x7675, float("inf"))))),
            cluster(simple(VP9_KEY_FRAME)),
        ),
        "ProjectionPoseRoll: inf is out of range",
    ),
    "a float of three bytes": (
        lambda: file(tracks(track(1, AUDIO, "A_AAC", element(0xE1, element(0xB5, b"abc"))))),
        "SamplingFrequency: a float of 3 bytes",
    ),
    "an OpusHead that is cut short": (
        lambda: file(
            tracks(track(1, AUDIO, "A_OPUS", element(0x63A2, b"OpusHead\1"))),
            cluster(simple(OPUS_FRAME)),
        ),
        "CodecPrivate: no OpusHead",
    ),
    "255 channels whose mapping is missing": (
        lambda: file(
            tracks(track(1, AUDIO, "A_OPUS", element(
                0x63A2, b"OpusHead" + struct.pack("<BBHIhB", 1, 255, 0, 48_000, 0, 1)
            ))),
            cluster(simple(OPUS_FRAME)),
        ),
        "CodecPrivate: OpusHead is cut short",
    ),
    "H.264 without a configuration": (
        lambda: file(
            tracks(track(1, 1, "V_MPEG4/ISO/AVC", element(0xE0, uint(0xB0, 9), uint(0xBA, 9)))),
            cluster(FIRST),
        ),
        "CodecPrivate: missing for V_MPEG4/ISO/AVC",
    ),
    "AAC of which nothing is known": (
        lambda: file(tracks(aac(private="ff")), cluster(FIRST)),
        "CodecPrivate: AudioSpecificConfig is cut short",
    ),
    "VP9 that begins with anything": (
        lambda: file(tracks(vp9()), cluster(simple(b"\xff" * 40))), "VP9: the first frame"
    ),
}  # fmt: skip


def nested(number: int, depth: int) -> bytes:
    made = b""
    for _ in range(depth):
        made = element(number, made)
    return made


@pytest.mark.parametrize(("make", "said"), HOSTILE.values(), ids=HOSTILE)
def test_refused_by_name_at_once(make: Callable[[], bytes], said: str) -> None:
    data = make()
    tracemalloc.start()
    try:
        with pytest.raises(PackagerError) as error:
            index_of(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(said), str(error.value)
    assert len(str(error.value)) < 300
    assert peak < MEMORY
    begin = time.process_time()
    with pytest.raises(PackagerError):
        index_of(data)
    assert time.process_time() - begin < SECONDS


def test_every_frame_is_taken_whatever_is_between() -> None:
    """Some rubbish is no flood."""
    parts = [simple(OPUS_FRAME, 20 * n) + element(VOID) * 5 for n in range(1000)]
    [found] = index_of(file(tracks(opus()), cluster(*parts))).tracks
    assert found.count == 1000
