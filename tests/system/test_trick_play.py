"""Key frames in segments of their own: each decodes alone to the picture of the source."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import av
import numpy as np
import pytest

from tests.support.http import get
from tests.support.processes import Running, running

WAYS = ("hls", "hls/container/fmp4", "cmaf")


@pytest.fixture(scope="module")
def origin(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("trick")
    arguments = ("--data", data, "--port", "0", "--local-root", clips[0].parent)
    with running("origin", *arguments) as running_origin:
        yield running_origin


def text(url: str) -> str:
    answer = get(url)
    assert answer.status == 200, (url, answer)
    return answer.body.decode()


def pictures(
    data: bytes, *, keys: bool = False
) -> "list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]":
    with av.open(io.BytesIO(data)) as container:
        if keys:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("way", WAYS)
def test_every_key_frame_decodes_alone(way: str, clips: list[Path], origin: Running) -> None:
    master = f"{origin.url}/{way}/local/{clips[0].name}/trickPlay/1/master.m3u8"
    line = re.search(r"#EXT-X-I-FRAME-STREAM-INF:(.*)", text(master))
    assert line is not None
    assert "FRAME-RATE" not in line[1] and "mp4a" not in line[1]
    said = re.search(r"^BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)", line[1])
    uri = re.search(r'URI="([^"]+)"', line[1])
    assert said is not None and uri is not None
    playlist = urljoin(master, uri[1])
    listed = text(playlist)
    assert "#EXT-X-I-FRAMES-ONLY\n" in listed
    header = re.search(r'#EXT-X-MAP:URI="([^"]+)"', listed)
    assert (header is None) == (way == "hls")
    init = get(urljoin(playlist, header[1])).body if header else b""
    bodies = [
        get(urljoin(playlist, name)).body
        for name in re.findall(r"^(?!#).+", listed, re.MULTILINE)
    ]
    lasting = [float(one) for one in re.findall(r"#EXTINF:([\d.]+)", listed)]
    assert len(bodies) == len(lasting) > 1
    wanted = pictures(clips[0].read_bytes(), keys=True)
    found = [picture for body in bodies for picture in pictures(init + body)]
    assert len(found) == len(wanted) == len(bodies)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    average = 8 * sum(map(len, bodies)) / sum(lasting)
    assert abs(int(said[2]) - average) <= 1 + average / 10**4
    assert int(said[1]) >= int(said[2])


def test_an_mpd_lists_them_in_a_set_of_their_own(clips: list[Path], origin: Running) -> None:
    url = f"{origin.url}/dash/local/{clips[0].name}/trickPlay/1/manifest.mpd"
    mpd = text(url)
    (trick,) = [one for one in mpd.split("<AdaptationSet") if "guidelines/trickmode" in one]
    assert 'trickmode" value="1"' in trick and 'codingDependency="false"' in trick
    media = re.search(r'media="([^"]+)"', trick)
    header = re.search(r'initialization="([^"]+)"', trick)
    assert media is not None and header is not None
    data = get(urljoin(url, header[1])).body
    second = get(urljoin(url, media[1].replace("$Number$", "2"))).body
    assert len(pictures(data + second)) == 1


@pytest.mark.parametrize("way", ["hls", "cmaf"])
def test_without_the_parameter_none_are_listed(
    way: str, clips: list[Path], origin: Running
) -> None:
    assert "I-FRAME" not in text(f"{origin.url}/{way}/local/{clips[0].name}/master.m3u8")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("key-0-f1-v1.ts", 404),
        ("key-999-f1-v1.ts", 404),
        ("key-1-f1-v1-a1.ts", 404),
        ("key-1-f1-v1.m4s", 404),
        ("iframes-f1-a1.m3u8", 404),
        ("iframes-f1-v1.m3u8", 200),
        ("key-1-f1-v1.ts", 200),
    ],
)
def test_names(name: str, status: int, clips: list[Path], origin: Running) -> None:
    assert get(f"{origin.url}/hls/local/{clips[0].name}/{name}").status == status
