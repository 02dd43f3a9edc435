"""Mappings and media from upstreams that are processes of their own, over real HTTP."""

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.origin.inside import take
from tests.support.http import get
from tests.support.processes import Running, free_port, headrace, running, started
from tests.support.waiting import until
from tests.system.delivery import names_in

_SERVER = """
import http.server, sys
handler = http.server.SimpleHTTPRequestHandler
server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(sys.argv[1])), lambda *a: handler(*a, directory=sys.argv[2])
)
print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
"""


class Chain:
    """Files that one origin serves, mappings of them, and an origin that knows neither."""

    def __init__(self, media: Running, maps: Path, paths: list[str]) -> None:
        self.media, self.maps, self.paths = media, maps, paths

    def write(self, name: str, paths: list[str], **clip: str) -> None:
        sequences = [{"clips": [{"type": "source", "path": one, **clip}]} for one in paths]
        whole = self.maps / f"{name}.new"
        whole.write_text(json.dumps({"sequences": sequences}))
        whole.rename(self.maps / name)  # never seen half written


@pytest.fixture(scope="module")
def chain(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    data, maps = tmp_path_factory.mktemp("stored") / "data", tmp_path_factory.mktemp("maps")
    taken = take(data, *clips)
    paths = [
        f"/p/101/sp/10100/serveFlavor/entryId/{one['entry']}/v/1/flavorId/{one['flavor']}"
        "/name/a.mp4"
        for one in taken
    ]
    with running("origin", "--data", data, "--port", "0") as media:
        yield Chain(media, maps, paths)


@pytest.fixture(scope="module")
def packager(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = [sys.executable, "-c", _SERVER, "0", str(chain.maps)]
    with started(server) as upstream:
        arguments = (
            "--data", tmp_path_factory.mktemp("none"), "--port", "0", "--workers", "2",
            "--mapping-upstream", upstream.url, "--remote-upstream", chain.media.url,
            "--mapping-ttl", "0.2", "--mapped-default",
        )  # fmt: skip
        with running("origin", *arguments) as packager:
            yield packager


def body(url: str) -> bytes:
    answer = get(url)
    assert answer.status == 200, (url, answer)
    return answer.body


def unlike(playlist: str, had: Collection[str]) -> list[str]:
    """The names in it, none of which is had already; or nothing yet."""
    names = names_in(playlist) if get(playlist).status == 200 else []
    return [] if set(names).intersection(had) else names


def local(clips: list[Path]) -> str:
    names = ",".join(clip.stem for clip in clips)
    return f"local/,{names},.mp4.urlset"


@pytest.mark.parametrize("source", ["mapped/films/it", "films/it"])
def test_a_mapping_plays_as_its_files(
    source: str, chain: Chain, packager: Running, clips: list[Path], tmp_path: Path
) -> None:
    (chain.maps / "films").mkdir(exist_ok=True)
    chain.write("films/it", chain.paths)
    arguments = ("--data", tmp_path, "--port", "0", "--local-root", clips[0].parent)
    with running("origin", *arguments) as plain:
        for protocol, name in (
            ("hls", "master.m3u8"),
            ("hls", "index-f2-v1-a1.m3u8"),
            ("cmaf", "manifest.mpd"),
            ("dash", "manifest.mpd"),
        ):
            ours = f"{packager.url}/{protocol}/{source}/{name}"
            theirs = f"{plain.url}/{protocol}/{local(clips)}/{name}"
            assert body(ours) == body(theirs)
            for one, other in zip(names_in(ours), names_in(theirs), strict=True):
                assert body(one) == body(other)


def test_files_of_a_server_play_by_their_paths(
    chain: Chain, packager: Running, clips: list[Path], tmp_path: Path
) -> None:
    arguments = ("--data", tmp_path, "--port", "0", "--local-root", clips[0].parent)
    with running("origin", *arguments) as plain:
        ours = f"{packager.url}/hls/remote{chain.paths[0]}/index-f1-v1-a1.m3u8"
        theirs = f"{plain.url}/hls/local/{clips[0].name}/index-f1-v1-a1.m3u8"
        assert body(ours) == body(theirs)
        for one, other in zip(names_in(ours), names_in(theirs), strict=True):
            assert body(one) == body(other)
    assert get(f"{packager.url}/hls/remote/p/101/none.mp4/master.m3u8").status in (404, 503)
    assert get(f"{packager.url}/hls/remote/p/%2e%2e/x/master.m3u8").status == 400


def test_players_go_on_over_a_change(chain: Chain, packager: Running) -> None:
    chain.write("changing", chain.paths[:1])
    playlist = f"{packager.url}/hls/mapped/changing/index-f1-v1-a1.m3u8"
    old = names_in(playlist)
    bodies = [body(name) for name in old]
    chain.write("changing", chain.paths[1:2])
    new = until(lambda: unlike(playlist, old))
    assert [body(name) for name in old] == bodies
    assert all(body(name) not in bodies for name in new)


@pytest.mark.parametrize("index", ["hls/{}/index-f1-v1-a1", "cmaf/{}/index-f1-v1"])
def test_players_go_on_over_another_segment_length(
    index: str, chain: Chain, packager: Running
) -> None:
    """Twice: segments of each length are those that they were, and no two sets share one."""
    name = f"lengths-{index[0]}"
    playlist = f"{packager.url}/{index.format(f'mapped/{name}')}.m3u8"
    had: dict[str, bytes] = {}
    media: list[set[str]] = []
    for length in (2000, 4000, 8000):
        clips = [{"type": "source", "path": chain.paths[0]}]
        mapping = {"segmentDuration": length, "sequences": [{"clips": clips}]}
        (chain.maps / f"{name}.new").write_text(json.dumps(mapping))
        (chain.maps / f"{name}.new").rename(chain.maps / name)
        # Asked once: each worker sees the change in its own time.
        names = until(lambda: unlike(playlist, had))
        had.update((one, body(one)) for one in names)
        media.append({one for one in had if "/seg-" in one}.difference(*media))
        assert {one: body(one) for one in had} == had
    assert len(media[0]) > len(media[1]) > len(media[2])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--mapping-upstream", "ftp://x/"), "--mapping-upstream: not http://host/path"),
        (("--mapping-upstream", "http://me:s3cret@x/"), "without user and password"),
        (("--remote-upstream", "http://x:99999/"), "--remote-upstream"),
        (("--source-allow", "films"), "--source-allow: neither a folder"),
        (("--source-allow", "https://me:s3cret@x/"), "--source-allow: neither a folder"),
        (("--mapping-root", "/none"), "--mapping-root"),
        (("--mapping-root", "/", "--mapping-upstream", "http://x/"), "not together"),
        (("--mapping-ttl", "-1"), "--mapping-ttl"),
        (("--data-center", "x"), "--data-center"),
    ],
)
def test_options_that_are_refused(arguments: tuple[str, ...], reason: str) -> None:
    done = headrace("origin", "--port", str(free_port()), *arguments)
    assert done.returncode == 2
    assert reason in done.stderr and "s3cret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
