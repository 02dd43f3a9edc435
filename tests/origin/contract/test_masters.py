"""The master playlist at several places: redundant variants (RFC 8216 §4.3.4.2)."""

from fractions import Fraction
from itertools import groupby

import m3u8

from origin.contract.masters import whole_master
from packager.hls.multivariant import AudioMedia, MultivariantPlaylist, SubtitleMedia, Variant
from packager.presentation import Bitrate
from tests.origin.contract.test_replies import row


def variant(number: int) -> Variant:
    return Variant(
        bitrate=Bitrate(900_000 * number, 800_000 * number),
        codecs=("avc1.64001f", "mp4a.40.2"),
        resolution=(640, 360),
        frame_rate=Fraction(25),
        audio="audio-aac",
        subtitles="subs",
        uri=f"index-f{number}-v1.m3u8",
    )


SOUND = AudioMedia(
    group="audio-aac", name="English", language="en", default=True, autoselect=True,
    channels=2, uri="index-f3-a1.m3u8",
)  # fmt: skip
TEXT = SubtitleMedia(
    group="subs", name="English", language="en", default=False, autoselect=True,
    uri="index-s1.m3u8",
)  # fmt: skip
PLAYLIST = MultivariantPlaylist((variant(1), variant(2)), (SOUND, TEXT))
PLACES = ("https://edge/kVOD/cdn/hls/x/", "https://cdn/hls/x/")


def test_all_of_one_place_then_all_of_the_next() -> None:
    found = m3u8.loads(whole_master(PLAYLIST, PLACES, first=2))
    names = ("index-f2-v1.m3u8", "index-f1-v1.m3u8")
    assert [one.uri for one in found.playlists] == [
        place + name for place in PLACES for name in names
    ]


def test_each_place_has_groups_of_its_own() -> None:
    found = m3u8.loads(whole_master(PLAYLIST, PLACES, first=1))
    of_group = {(one.type, one.group_id): one.uri for one in found.media}
    assert len(of_group) == len(found.media) == 4
    for one in found.playlists:
        place = one.uri.rpartition("/")[0]
        info = one.stream_info
        assert of_group["AUDIO", info.audio] == f"{place}/index-f3-a1.m3u8"
        assert of_group["SUBTITLES", info.subtitles] == f"{place}/index-s1.m3u8"


def test_redundant_variants_differ_in_nothing_else() -> None:
    found = m3u8.loads(whole_master(PLAYLIST, PLACES, first=1))

    def said(one: m3u8.Playlist) -> tuple[object, ...]:
        info = one.stream_info
        return info.bandwidth, info.average_bandwidth, info.codecs, info.resolution

    alike = groupby(sorted(found.playlists, key=said), key=said)
    assert [len(list(own)) for _, own in alike] == [2, 2]


def test_legacy_bandwidth() -> None:
    rows = {
        1: row("0_aaaa1111", bitrate=900_999, frame_rate=None),
        2: row("0_bbbb2222", bitrate=0),
    }
    lines = whole_master(PLAYLIST, ("/hls/",), 1, rows).splitlines()
    infos = [line for line in lines if line.startswith("#EXT-X-STREAM-INF:")]
    # the frame rate is that of the file where the row has none
    assert infos[0].startswith(
        "#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=960434,AVERAGE-BANDWIDTH=800000,"
    )
    # without a bit rate in its row the measured one stays
    assert infos[1].startswith("#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=1800000,")
