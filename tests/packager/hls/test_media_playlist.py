"""Media playlists: the text, and the sums that must not drift."""

import re
from fractions import Fraction

import pytest
from hypothesis import example, given

from packager.hls.media_playlist import media_playlist, target_duration
from packager.presentation import Timeline
from tests.packager.hls.presentations import line, timelines

TS = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:6.006000,
seg-1-f1-v1-a1.ts
#EXTINF:6.006000,
seg-2-f1-v1-a1.ts
#EXTINF:0.033367,
seg-3-f1-v1-a1.ts
#EXT-X-ENDLIST
"""

FMP4 = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:7
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="init-f1-a1.mp4"
#EXTINF:6.013968,
seg-1-f1-a1.m4s
#EXT-X-ENDLIST
"""


def extinf(playlist: str) -> list[Fraction]:
    found = re.findall(r"^#EXTINF:([\d.]+),$", playlist, re.MULTILINE)
    return list(map(Fraction, found))


def test_a_list_of_transport_stream_segments() -> None:
    timeline = line([180_180, 180_180, 1001], 30_000)
    assert media_playlist(timeline, lambda n: f"seg-{n}-f1-v1-a1.ts", target=6) == TS


def test_a_list_of_fmp4_segments() -> None:
    timeline = line([265_216], 44_100, start=1024)
    assert (
        media_playlist(
            timeline, lambda n: f"seg-{n}-f1-a1.m4s", target=7, map_uri="init-f1-a1.mp4"
        )
        == FMP4
    )


@given(timelines)
@example(line([1] * 1000, 3))
@example(line([1001] * 1000, 30_000))
def test_sums_of_extinf_stay_within_a_microsecond_of_the_timeline(timeline: Timeline) -> None:
    printed = extinf(media_playlist(timeline, str, target=1))
    assert len(printed) == len(timeline.starts)
    total = Fraction(0)
    for duration, stop in zip(printed, (*timeline.starts[1:], timeline.end), strict=True):
        total += duration
        exact = Fraction(stop - timeline.starts[0], timeline.timescale)
        assert abs(total - exact) <= Fraction(1, 10**6)


@given(timelines)
@example(line([6_499_999_600], 10**9))  # 6.4999996 s is printed as 6.500000
def test_no_extinf_rounds_to_more_than_the_target(timeline: Timeline) -> None:
    printed = extinf(media_playlist(timeline, str, target=1))
    longest = max(int(duration + Fraction(1, 2)) for duration in printed)
    assert target_duration([timeline]) == max(1, longest)


@pytest.mark.parametrize(
    ("durations", "expected"),
    [([6499], 6), ([6500], 7), ([1000, 400], 1), ([40], 1), ([2000, 9600], 10)],
)
def test_target_durations(durations: list[int], expected: int) -> None:
    assert target_duration([line([500]), line(durations)]) == expected
