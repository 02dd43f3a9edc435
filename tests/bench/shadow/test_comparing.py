"""Frames against frames, without containers."""

from contextlib import suppress
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.shadow.comparing import compare_tracks, match
from bench.shadow.differences import Tolerance
from bench.shadow.frames import Frame, Track, read_tracks, start_codes, without_adts

VIDEO, AUDIO = 0.04, 1024 / 48_000


def track(kind: str, names: str, start: float = 0.0) -> Track:
    """A frame for each letter."""
    each = VIDEO if kind == "video" else AUDIO
    frames = (
        Frame(start + number * each, start + number * each, 100, name.encode())
        for number, name in enumerate(names)
    )
    return Track(kind, "x", "", b"", tuple(frames))


def reasons(peer: list[Track], ours: list[Track]) -> list[str]:
    found = compare_tracks(peer, ours, Tolerance(), lambda kind: False)
    return [one.reason for one in found]


PICTURES = "abcdefghijklmnopqrstuvwxyz"
SILENCE = "-" * 48
CASES: dict[str, tuple[list[Track], list[Track], list[str]]] = {
    "another zero": (
        [track("video", PICTURES), track("audio", "ABCDEFGH")],
        [track("video", PICTURES, 10), track("audio", "ABCDEFGH", 10)],
        [],
    ),
    "a frame fewer": (
        [track("video", PICTURES)],
        [track("video", PICTURES.replace("h", ""))],
        ["frames", "times"],
    ),
    "silence, cut elsewhere": (
        [track("video", PICTURES), track("audio", SILENCE)],
        [track("video", PICTURES, 10), track("audio", SILENCE, 10 + 4 * AUDIO)],
        ["sound-cut", "sound-cut"],
    ),
    "sound that is late": (
        [track("video", PICTURES), track("audio", "ABCDEFGH")],
        [track("video", PICTURES, 10), track("audio", "ABCDEFGH", 10.05)],
        ["sync"],
    ),
    "nothing in common": ([track("video", "abc")], [track("video", "xyz")], ["boundaries"]),
    "no frames here": ([track("video", "abc")], [track("video", "")], ["boundaries"]),
    "no frames at all": ([track("video", "")], [track("video", "")], []),
    "other frames at an end": (
        [track("video", "abcx")],
        [track("video", "abcy")],
        ["frames"],
    ),
    "much more sound": (
        [track("audio", "A" * 5 + "BCD")],
        [track("audio", "A" * 5 + "BCD" + "E" * 40)],
        ["boundaries"],
    ),
}


@pytest.mark.parametrize(("peer", "ours", "expected"), CASES.values(), ids=CASES)
def test_frames(peer: list[Track], ours: list[Track], expected: list[str]) -> None:
    assert reasons(peer, ours) == expected
    assert reasons(ours, peer) == expected


def test_a_long_silence_is_no_long_wait() -> None:
    a = [b"-"] * 50_000
    assert match(a, [*a, b"x"]) == [(0, 0, 50_000)]
    b = [b"x", *a[:25_000], b"y", *a[:25_000], b"z"]
    assert match(b, [b"x", *a, b"z"])[0] == (0, 0, 25_001)


UNKNOWN: dict[str, list[str]] = {
    "ttml-in-mp4_sample.text.mp4": [],
    "sample_missing_stsd.mp4": ["video"],
}


@pytest.mark.parametrize(("name", "kinds"), UNKNOWN.items())
def test_tracks_that_are_not_known_are_left_out(
    media_dir: Path, name: str, kinds: list[str]
) -> None:
    tracks = read_tracks((media_dir / "media3" / name).read_bytes())
    assert [one.kind for one in tracks] == kinds


def test_a_damaged_segment_is_told_and_nothing_else(media_dir: Path) -> None:
    whole = (media_dir / "media3" / "sample_no_bframes.mp4").read_bytes()
    for number in range(0, len(whole) - 1, len(whole) // 60):
        for damaged in (whole[:number], whole[:number] + b"\xff\xff" + whole[number + 2 :]):
            with suppress(BenchError):
                read_tracks(damaged)


def test_units_of_a_byte_stream() -> None:
    data = bytes.fromhex("00000001 09f0 00000001 67aa 000001 6588 0000 000001 41")
    assert [unit.hex() for unit in start_codes(data)] == ["09f0", "67aa", "6588", "41"]
    assert start_codes(b"no start") == []


ADTS = {
    "fff14c8002fffc 0102": "0102",
    "fff04c8002fffc 5555 0102": "0102",
    "2110050102030405060708": "2110050102030405060708",
    "fff1": "fff1",
}


@pytest.mark.parametrize(("data", "frame"), ADTS.items())
def test_adts_is_taken_off(data: str, frame: str) -> None:
    assert without_adts(bytes.fromhex(data)).hex() == frame
