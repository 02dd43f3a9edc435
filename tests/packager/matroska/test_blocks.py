"""Blocks: lacing, groups, what is taken out at both ends, and the window on the file."""

import pytest

from packager.errors import MalformedElement
from packager.matroska.clusters import WINDOW
from packager.matroska.lacing import EBML, FIXED, XIPH, laced
from packager.tracks import Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.isobmff.reading import parse_segment
from tests.packager.matroska.building import (
    DURATION,
    OPUS_FRAME,
    PADDING,
    VOID,
    VP9_KEY_FRAME,
    aac,
    cluster,
    element,
    file,
    group,
    header,
    lace,
    opus,
    simple,
    sint,
    tracks,
    uint,
    unsized,
    vp9,
)

SEGMENT, CLUSTER, TIMESTAMP = 0x18538067, 0x1F43B675, 0xE7


def frames_of(data: bytes) -> list[bytes]:
    """Of the first track, as its segments have them."""
    packaged = Packaged(data)
    _, *segments = packaged.cmaf(packaged.flavors[0].tracks[0])
    return [frame for segment in segments for frame in parse_segment(segment).samples]


FRAMES = [b"a" * 700, b"b" * 5, b"c" * 255, b"d" * 254, b"e" * 20_000, b"f"]
LACES = {
    "Xiph": (XIPH, FRAMES),
    "EBML": (EBML, FRAMES),
    "fixed": (FIXED, [letter * 33 for letter in (b"a", b"b", b"c")]),
    "Xiph, one frame": (XIPH, FRAMES[:1]),
    "EBML, one frame": (EBML, FRAMES[:1]),
    "fixed, one frame": (FIXED, FRAMES[:1]),
    "Xiph, 256 frames": (XIPH, [b"x" * size for size in range(1, 257)]),
    "EBML, 256 frames": (EBML, [b"x" * size for size in range(256, 0, -1)]),
}


@pytest.mark.parametrize(("kind", "frames"), LACES.values(), ids=LACES)
def test_laces(kind: int, frames: list[bytes]) -> None:
    payload = lace(kind, frames)
    before, sizes = laced(payload, kind, len(payload))
    assert sizes == list(map(len, frames))
    assert before == len(payload) - sum(sizes)
    blocks = simple(payload, flags=0x80 | kind), simple(b"behind", time=6000)
    assert frames_of(file(tracks(aac()), cluster(*blocks))) == [*frames, b"behind"]


def test_frames_of_a_lace_follow_each_other() -> None:
    blocks = [simple(lace(FIXED, [b"12", b"34", b"56"]), 70 * n, 0x84) for n in range(3)]
    [track] = index_of(file(tracks(aac()), cluster(*blocks))).tracks
    assert (track.count, track.uniform_duration, track.end) == (9, 1024, 9 * 1024)


DAMAGED_LACES = {
    # flags, payload: what is said
    "no count": (XIPH, b"", "cut short before the number"),
    "not equal": (FIXED, b"\2" + bytes(7), "7 bytes are not 3 equal frames"),
    "Xiph beyond": (XIPH, b"\1\xff\x10ab", "exceed the 5 bytes"),
    "Xiph cut short": (XIPH, b"\2\xff\xff", "cut short inside the sizes"),
    "EBML beyond": (EBML, b"\1\x90ab", "exceed the 4 bytes"),
    "EBML below zero": (EBML, b"\2\x81\x80ab", "exceed the 5 bytes"),
    "EBML of 9 bytes": (EBML, b"\1\0ab", "longer than 8 bytes"),
    "EBML cut short": (EBML, b"\3\x81", "cut short"),
}


@pytest.mark.parametrize(
    ("flags", "payload", "said"), DAMAGED_LACES.values(), ids=DAMAGED_LACES
)
def test_damaged_laces(flags: int, payload: bytes, said: str) -> None:
    with pytest.raises(MalformedElement, match=said):
        laced(payload, flags, len(payload))
    with pytest.raises(MalformedElement, match=said):
        index_of(file(tracks(aac()), cluster(simple(payload, flags=0x80 | flags))))


def test_a_lace_of_nothing_is_no_frame() -> None:
    """However many frames of no size it tells of."""
    empty = simple(b"\xff", flags=0x84)
    assert laced(b"\xff", FIXED, 1) == (1, [])
    assert frames_of(file(tracks(aac()), cluster(empty, simple(b"frame"), empty))) == [b"frame"]


MAKERS = {
    "SimpleBlock": lambda frame: simple(frame),
    "SimpleBlock, laced": lambda frame: simple(lace(EBML, [frame, b"ab", b"c"]), flags=0x86),
    "BlockGroup": lambda frame: group(frame, uint(DURATION, 23)),
}


@pytest.mark.parametrize("short", [*range(0, 90, 3), 100, 200])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_where_a_window_ends_does_not_matter(make: object, short: int) -> None:
    """Every place of a block at the end of a window, with bytes of its frame that count."""
    assert callable(make)
    begin = len(file(tracks(aac()), cluster(simple(b"first")))) + 8
    filling = element(VOID, bytes(WINDOW - begin - short))
    blocks = simple(b"first"), filling, make(b"x" * 50), simple(b"last", time=100)
    found = frames_of(file(tracks(aac()), cluster(*blocks)))
    assert (found[:2], found[-1]) == ([b"first", b"x" * 50], b"last")


def test_heads_of_frames_at_the_end_of_a_window() -> None:
    """20 ms each: none is taken for another's."""
    count = 2 * WINDOW // 30
    blocks = (simple(OPUS_FRAME, time=20 * (n % 1000)) for n in range(1000))
    clusters = [cluster(*blocks)]
    one = b"".join(simple(OPUS_FRAME, time=20 * n) for n in range(1000))
    clusters = [cluster(one, at=20_000 * n) for n in range(count // 1000)]
    [track] = index_of(file(tracks(opus()), *clusters)).tracks
    assert track.count == count // 1000 * 1000
    assert track.uniform_duration == 960


# -- what is taken out


def sound(*parts: bytes, padding: int | None = None, early: int | None = None) -> bytes:
    """Ten packets of Opus; *padding* of the last one, *early* of another, nanoseconds."""
    blocks = []
    for n in range(10):
        told = padding if n == 9 else early if n == 4 else None
        blocks.append(
            simple(OPUS_FRAME, 20 * n)
            if told is None
            else group(OPUS_FRAME, sint(PADDING, told), time=20 * n)
        )
    return file(tracks(opus(1, *parts)), cluster(*blocks))


DELAY = uint(0x56AA, 6_500_000)
ENDS = {
    # parts of the track, DiscardPadding: first and last sample that is heard
    "nothing": ((), None, 0, None),
    "CodecDelay": ((DELAY,), None, 312, None),
    "DiscardPadding": ((DELAY,), 13_500_000, 312, 9600 - 648),
    "less than nothing": ((), -13_500_000, 0, None),
    "as long as a packet": ((), 20_000_000, 0, None),
}


@pytest.mark.parametrize(("parts", "padding", "begin", "end"), ENDS.values(), ids=ENDS)
def test_what_is_not_heard(
    parts: tuple[bytes, ...], padding: int | None, begin: int, end: int | None
) -> None:
    [track] = index_of(sound(*parts, padding=padding)).tracks
    assert (track.track.edit.origin, track.track.edit.end) == (begin, end)
    assert track.count == 10


def test_padding_in_the_middle_takes_out_nothing() -> None:
    [track] = index_of(sound(early=13_500_000)).tracks
    assert track.track.edit.end is None


def test_the_delay_of_aac() -> None:
    data = file(
        tracks(aac(1, uint(0x56AA, 23_219_955))), cluster(simple(b"1"), simple(b"2", 23))
    )
    [track] = index_of(data).tracks
    assert track.origin == 1024


# -- sizes that are not known, times


def test_a_recording_that_was_cut_off_between_blocks() -> None:
    """Sizes are unknown down to the last cluster."""
    clusters = [
        unsized(CLUSTER, uint(TIMESTAMP, 100 * n), simple(VP9_KEY_FRAME), simple(b"p", 50, 0))
        for n in range(5)
    ]
    data = header() + unsized(SEGMENT, tracks(vp9()), *clusters)
    [track] = index_of(data).tracks
    assert (track.count, track.uniform_duration * 20) == (10, track.track.timescale)
    assert track.sync.tolist() == [0, 2, 4, 6, 8]


def test_a_group_without_a_reference_is_a_key_frame() -> None:
    reference = sint(0xFB, -40)
    blocks = (
        group(VP9_KEY_FRAME),
        group(b"p", reference, time=40),
        group(VP9_KEY_FRAME, time=80),
    )
    [track] = index_of(file(tracks(vp9()), cluster(*blocks))).tracks
    assert track.sync.tolist() == [0, 2]


def test_blocks_before_their_cluster_s_time() -> None:
    blocks = simple(b"1", -1000), simple(b"2", -977)
    [track] = index_of(file(tracks(aac()), cluster(*blocks, at=1100))).tracks
    assert track.count == 2
    assert abs(track.origin + 4410) <= 44


def test_other_tracks_are_passed_over() -> None:
    text = element(0xAE, uint(0xD7, 2), uint(0x83, 17), element(0x86, b"S_TEXT/UTF8"))
    blocks = simple(b"1"), simple(b"text", number=2), group(b"text", number=2), simple(b"2", 23)
    index = index_of(file(tracks(aac(), text), cluster(*blocks, simple(b"?", number=300))))
    assert [track.count for track in index.of_kind(Kind.AUDIO)] == [2]
    assert index.left_out == ("track 2: TrackType: subtitle is neither video nor audio",)
