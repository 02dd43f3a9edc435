"""Sound apart from the picture, over HTTP: packed audio beside MPEG-TS, its names and its
times; codecs that differ between tracks or flavors as audio groups."""

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import m3u8
import numpy as np
import numpy.typing as npt
import pytest

from origin.config import OriginConfig
from tests.origin.inside import Origin, running, take
from tests.packager.generated import encoded

TAG = 73
"""Bytes of the ID3 tag with the time."""

Serving = tuple[Origin, dict[str, str]]
"""And its entries."""

TYPES = {"aac": "audio/aac", "ac3": "audio/ac3", "ec3": "audio/eac3", "mp3": "audio/mpeg"}
ENTRIES = {
    # clips: codecs and channels of the groups, suffixes of their lists
    "two tracks": (("aac_and_ac3",), ["mp4a.40.2-2", "ac-3-2"], ["aac", "ac3"]),
    "two flavors": (("no_edit_list", "ac3"), ["mp4a.40.2-2", "ac-3-6"], ["aac", "ac3"]),
    "three flavors": (
        ("b_frames", "eac3", "mp3"), ["mp4a.40.2-2", "ec-3-6", "mp4a.6B-2"],
        ["aac", "ec3", "mp3"],
    ),
}  # fmt: skip
ALONE = {
    "aac": "audio_only",
    "aac with a program config": "program_config",
    "mp3": "mp3_of_mpeg_2",
    "mp3 of MPEG-2.5": "mp3_of_mpeg_2.5",
}


@pytest.fixture(scope="module")
def origin(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("sound")
    files = {name: one[0] for name, one in ENTRIES.items()} | {
        name: (clip,) for name, clip in ALONE.items()
    }
    for clip in {clip for clips in files.values() for clip in clips}:
        (folder / f"{clip}.mp4").write_bytes(encoded(clip))
    entries = {}
    for name, clips in files.items():
        paths = (folder / f"{clip}.mp4" for clip in clips)
        entries[name] = take(folder / "data", *paths)[0]["entry"]
    with running(OriginConfig(data=folder / "data")) as serving:
        yield serving, entries


def master(serving: Origin, entry: str) -> tuple[str, Any]:
    folder = f"/hls/e/{entry}"
    return folder, m3u8.loads(serving.text(f"{folder}/master.m3u8"))


@pytest.mark.parametrize("name", ["two tracks"])
def test_codecs_that_differ_are_groups(origin: Serving, name: str) -> None:
    """Every picture with every group; the picture's own lists have no sound."""
    serving, entries = origin
    _, groups, suffixes = ENTRIES[name]
    folder, playlist = master(serving, entries[name])
    assert [one.group_id for one in playlist.media] == [f"audio-{one}" for one in groups]
    counts = [one.rpartition("-")[2] for one in groups]
    assert [one.channels for one in playlist.media] == counts
    pictures = {one.uri for one in playlist.playlists}
    assert len(playlist.playlists) == len(pictures) * len(groups)
    for variant in playlist.playlists:
        assert variant.stream_info.audio.split("-", 1)[1].rpartition("-")[0] in (
            variant.stream_info.codecs
        )
    for uri in pictures:
        first = serving.get(serving.media_names(f"{folder}/{uri}")[0])
        with av.open(io.BytesIO(first)) as container:
            assert [one.type for one in container.streams] == ["video"]
    for one, suffix in zip(playlist.media, suffixes, strict=True):
        names = serving.media_names(f"{folder}/{one.uri}")
        assert len(names) > 1
        assert {each.rpartition(".")[2] for each in names} == {suffix}


@pytest.mark.parametrize("name", ALONE)
def test_names_and_types(origin: Serving, name: str) -> None:
    serving, entries = origin
    for path in lists(serving, entries[name]):
        first = serving.media_names(path)[0]
        stem, _, suffix = first.rpartition(".")
        answer = serving.ask(first)
        assert answer.headers["content-type"] == TYPES[suffix]
        assert answer.body[:3] == b"ID3"
        head = serving.ask(first, method="HEAD")
        assert int(head.headers["content-length"]) == len(answer.body)
        part = serving.ask(first, "Range: bytes=70-400")
        assert (part.status, part.body) == (206, answer.body[70:401])
        older = serving.ask(f"{stem}.ts")  # the name before there was packed audio
        assert (older.status, older.headers["content-type"]) == (200, "video/mp2t")
        assert older.body[0] == 0x47
        for other in (*TYPES, "m4s"):
            if other != suffix:
                assert serving.ask(f"{stem}.{other}").status == 404, other


def lists(serving: Origin, entry: str) -> list[str]:
    """Playlists of sound."""
    folder, playlist = master(serving, entry)
    named = playlist.media or playlist.playlists
    return [f"{folder}/{one.uri}" for one in named]


@pytest.mark.parametrize("name", [*ENTRIES, *ALONE])
def test_the_time_of_each_segment(origin: Serving, name: str) -> None:
    """Within a millisecond of the first frame's in MPEG-TS; the frames are the same."""
    serving, entries = origin
    for path in lists(serving, entries[name]):
        for each in serving.media_names(path):
            packed = serving.get(each)
            with av.open(io.BytesIO(serving.get(each.rpartition(".")[0] + ".ts"))) as container:
                packets = [one for one in container.demux() if one.size]
            time = int.from_bytes(packed[TAG - 8 : TAG], "big")
            assert abs(time - packets[0].pts) <= 90
            assert packed[TAG:] == b"".join(map(bytes, packets))


@pytest.mark.parametrize("name", ENTRIES)
def test_ffmpeg_hears_the_same(origin: Serving, name: str) -> None:
    """Packed audio against the list that has sound and picture in one."""
    serving, entries = origin
    for path in lists(serving, entries[name]):
        folder, _, uri = path.rpartition("/")
        flavor, _, track = uri.removesuffix(".m3u8").removeprefix("index-").partition("-")
        packed, muxed = (
            heard(serving, one) for one in (path, f"{folder}/index-{flavor}-v1-{track}.m3u8")
        )
        assert abs(packed[0] - muxed[0]) <= Fraction(1, 1000)
        length = min(packed[1].shape[1], muxed[1].shape[1])
        assert length > 6 * 44_100
        np.testing.assert_array_equal(packed[1][:, :length], muxed[1][:, :length])


def heard(serving: Origin, path: str) -> tuple[Fraction, npt.NDArray[Any]]:
    """When sound begins, seconds, and what is heard; FFmpeg follows the playlist itself."""
    host, port = serving.address
    with av.open(f"http://{host}:{port}{path}", format="hls") as container:
        frames = list(container.decode(audio=0))
    first = frames[0]
    pcm = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    return first.pts * first.time_base, pcm
