"""Manifests of real media, whole, as judges that we did not write read them; and the bit rates
that they declare against the segments that are served."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import m3u8
import pytest

from origin.config import OriginConfig
from tests.origin.inside import Origin, running, take
from tests.packager.dash.test_mpd import judge
from tests.packager.hls.test_judges import read_strictly

BEAR = tuple(f"shaka-packager/bear-{size}.mp4" for size in ("320x180", "640x360", "1280x720"))
ENTRIES = {
    "ladder": BEAR,
    "languages": ("derived/count_multi_lang.mp4",),
    "delayed": ("media3/edit_list_positive_shift.mp4",),
    "negative": ("derived/bear_negative_cts_v1.mp4",),
    "lengths": ("media3/sample_2_byte_NAL_length.mp4",),
    "sound": ("shaka-packager/bear-640x360-aac_he-silent_right.mp4",),
    "alike": ("mediabunny/multiple-aac-tracks.mp4",),
    "rungs": (
        "mp4parser/BBB_fixedres_B_180x320_80.mp4", "mp4parser/BBB_fixedres_B_180x320_200.mp4",
    ),
    "codecs": (
        *BEAR, "shaka-packager/bear-640x360-hevc.mp4", "shaka-packager/bear-640x360-vp9.mp4",
        "shaka-packager/bear-640x360-hevc-hdr10.mp4", "shaka-packager/bear-640x360-ec3.mp4",
    ),
    "hlg": ("media3/hlg10-color-test.mp4",),
    "vision": ("shaka-packager/sparks_dovi_10.mp4",),
    "surround": ("mediabunny/ac3.mp4", "media3/sample_eac3.mp4"),
    "lossless": ("shaka-packager/bear-flac.mp4", "media3/sample_opus.mp4"),
    "long": ("media3/long_1080p_lowbitrate.mp4",),
}  # fmt: skip
HLS = ("/hls/e/{}", "/hls/container/fmp4/e/{}", "/cmaf/e/{}")


@pytest.fixture(scope="module")
def origin(
    media_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Origin, dict[str, str]]]:
    data = tmp_path_factory.mktemp("data")
    entries = {
        name: take(data, *(media_dir / file for file in files))[0]["entry"]
        for name, files in ENTRIES.items()
    }
    with running(OriginConfig(data=data)) as serving:
        yield serving, entries


def lists_of(serving: Origin, folder: str) -> dict[str, str]:
    """The multivariant playlist and every list that it names."""
    texts = {"master.m3u8": serving.get(f"{folder}/master.m3u8").decode()}
    master = m3u8.loads(texts["master.m3u8"])
    names = [one.uri for one in master.playlists] + [one.uri for one in master.media if one.uri]
    for name in dict.fromkeys(names):
        texts[name] = serving.get(f"{folder}/{name}").decode()
    return texts


@pytest.mark.parametrize("name", ENTRIES)
def test_hls_parser_reads_every_list_strictly(
    origin: tuple[Origin, dict[str, str]], name: str
) -> None:
    serving, entries = origin
    for folder in HLS:
        texts = lists_of(serving, folder.format(entries[name]))
        found = read_strictly(*texts.values())
        assert len({one.get("targetDuration") for one in found[1:]}) == 1


@pytest.mark.parametrize("name", ENTRIES)
def test_the_schema_accepts_every_mpd(
    origin: tuple[Origin, dict[str, str]], name: str, dash_xsd: Path
) -> None:
    serving, entries = origin
    for protocol in ("dash", "cmaf"):
        judge(dash_xsd, serving.get(f"/{protocol}/e/{entries[name]}/manifest.mpd").decode())


def measured(serving: Origin, folder: str, text: str) -> tuple[Fraction, Fraction]:
    """``(peak, average)`` of a media playlist's segments as they are served."""
    playlist = m3u8.loads(text)
    target = playlist.target_duration
    sizes = [
        8 * int(serving.ask(f"{folder}/{one.uri}", method="HEAD").headers["content-length"])
        for one in playlist.segments
    ]
    lasting = [Fraction(one.duration).limit_denominator(10**6) for one in playlist.segments]
    rates = [
        sum(sizes[start:stop], Fraction(0)) / sum(lasting[start:stop])
        for start in range(len(sizes))
        for stop in range(start + 1, min(start + 9, len(sizes)) + 1)
        if target <= 2 * sum(lasting[start:stop]) <= 3 * target
    ]
    average = Fraction(sum(sizes)) / sum(lasting)
    return max(rates, default=average), average


@pytest.mark.parametrize("name", ["ladder", "delayed", "lengths", "rungs", "long"])
@pytest.mark.parametrize("folder", HLS)
def test_declared_bit_rates_are_those_of_the_segments(
    origin: tuple[Origin, dict[str, str]], folder: str, name: str
) -> None:
    serving, entries = origin
    folder = folder.format(entries[name])
    texts = lists_of(serving, folder)
    master = m3u8.loads(texts["master.m3u8"])
    rates = {
        uri: measured(serving, folder, text) for uri, text in texts.items() if "EXTINF" in text
    }
    for variant in master.playlists:
        info: Any = variant.stream_info
        parts = [rates[variant.uri]]
        group = [
            rates[one.uri] for one in master.media if one.uri and one.group_id == info.audio
        ]
        if group:
            parts.append(max(group))
        peak, average = (sum(figures) for figures in zip(*parts, strict=True))
        assert 0.99 * info.bandwidth <= max(peak, average) <= info.bandwidth
        assert abs(average - info.average_bandwidth) <= 0.01 * info.average_bandwidth
