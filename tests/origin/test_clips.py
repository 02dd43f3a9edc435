"""``clipFrom`` and ``clipTo``: manifests of a part, whose segments are those of the whole."""

import subprocess
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import m3u8
import pytest

from tests.origin.inside import Origin
from tests.packager.dash.test_mpd import judge

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
FOLDERS = ("/hls/e/{}", "/hls/container/fmp4/e/{}", "/cmaf/e/{}")
PART = "clipFrom/7000/clipTo/9000"
"""Of 14 s in groups of 2 s: the segment from 6 s to 12 s."""


def urls(origin: Origin, playlist: str) -> list[str]:
    """Of the segments of a media playlist."""
    found = m3u8.loads(origin.get(playlist).decode())
    return [urljoin(playlist, segment.uri) for segment in found.segments]


def lists(origin: Origin, folder: str) -> list[str]:
    master = m3u8.loads(origin.get(f"{folder}/master.m3u8").decode())
    names = [one.uri for one in master.playlists] + [one.uri for one in master.media if one.uri]
    return [f"{folder}/{name}" for name in dict.fromkeys(names)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_hls_lists_segments_of_the_whole(shared: Origin, folder: str) -> None:
    whole = folder.format(shared.entry)
    for playlist in lists(shared, f"{whole}/{PART}"):
        name = playlist.rpartition("/")[2]
        assert urls(shared, playlist) == urls(shared, f"{whole}/{name}")[1:2]
        found = m3u8.loads(shared.get(playlist).decode())
        assert found.media_sequence == 2
        if found.segment_map:
            init = urljoin(playlist, found.segment_map[0].uri)
            assert init.startswith(f"{whole}/init-")


@pytest.mark.parametrize("protocol", ["dash", "cmaf"])
def test_an_mpd_lists_them_too(shared: Origin, protocol: str, dash_xsd: Path) -> None:
    url = f"/{protocol}/e/{shared.entry}/{PART}/manifest.mpd"
    text = shared.get(url)
    judge(dash_xsd, text.decode())
    document = ElementTree.fromstring(text)
    [period] = document.iter(f"{MPD}Period")
    # The last frame of sound begins before the boundary and ends behind it.
    assert period.get("duration") == document.get("mediaPresentationDuration")
    assert period.get("duration") == "PT6.010666666S"
    for template in document.iter(f"{MPD}SegmentTemplate"):
        assert template.get("startNumber") == "2"
        zero = int(template.get("presentationTimeOffset"))
        scale = int(template.get("timescale"))
        [first, *_] = template.iter(f"{MPD}S")
        assert zero == 6 * scale
        assert 0 <= int(first.get("t")) - zero < scale // 40
        folder = urljoin(url, template.get("media")).rpartition("/")[0]
        assert folder == f"/{protocol}/e/{shared.entry}"


def frames(origin: Origin, address: str) -> list[str]:
    """Hashes of the pictures of a manifest, as ffmpeg decodes them."""
    host = "{}:{}".format(*origin.address)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", f"http://{host}{address}", "-map", "0:v:0",
         "-f", "framemd5", "-"],
        capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    lines = done.stdout.decode().splitlines()
    return [line.rpartition(",")[2] for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("name", ["hls/e/{}/{}index-f3-v1-a1.m3u8", "cmaf/e/{}/{}master.m3u8"])
def test_its_pictures_are_those_of_the_segment(shared: Origin, name: str) -> None:
    whole = frames(shared, "/" + name.format(shared.entry, ""))
    part = frames(shared, "/" + name.format(shared.entry, f"{PART}/"))
    assert part == whole[150:300]


def test_of_the_contracts_urls(shared: Origin) -> None:
    from_entry = lists(shared, f"/hls/e/{shared.entry}/{PART}")
    source = f"/hls/p/101/sp/10100/serveFlavor/entryId/{shared.entry}"
    flavor = shared.flavors[2]
    for within, behind in (("/clipTo/9000/clipFrom/7000", ""), ("", f"/{PART}")):
        playlist = f"{source}{within}/flavorId/{flavor}/name/a.mp4{behind}/index-f1-v1-a1.m3u8"
        [segment] = urls(shared, playlist)
        assert segment.startswith(f"{source}/flavorId/{flavor}/name/a.mp4/seg-2-f1-v1-a1-x")
        assert shared.get(segment) == shared.get(urls(shared, from_entry[2])[0])


REFUSED = {
    "clipFrom/14000/master.m3u8": 404,
    "clipFrom/99000/clipTo/99001/manifest.mpd": 404,
    "clipFrom/2/clipTo/1/master.m3u8": 400,
}


@pytest.mark.parametrize(("rest", "status"), REFUSED.items(), ids=REFUSED)
def test_refused(shared: Origin, rest: str, status: int) -> None:
    protocol = "dash" if rest.endswith("mpd") else "hls"
    answer = shared.ask(f"/{protocol}/e/{shared.entry}/{rest}")
    assert answer.status == status
