"""Request targets as raw bytes: ways out of the folders, and thousands that mean nothing.

Each has an answer that is no failure of ours and tells nothing of the machine.
"""

import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clips import make_clip
from tests.support.http import ask
from tests.support.processes import Running, running
from tests.support.waiting import LIMIT
from tests.system.delivery import ENTRY, ingest

SEED = 20
COUNT = 3000
SECRET = "secret"


@dataclass
class Served:
    origin: Running
    folder: Path

    def answer(self, target: bytes) -> bytes:
        """Everything that comes for one request."""
        with closing(socket.create_connection(self.origin.address, LIMIT)) as client:
            client.settimeout(LIMIT)
            head = b"GET " + target + b" HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n"
            client.sendall(head)
            found = b""
            try:
                while more := client.recv(65536):
                    found += more
            except ConnectionResetError:
                pass
            return found

    def check(self, target: bytes) -> int:
        """The status; 0 where the connection was closed without a word."""
        found = self.answer(target)
        for told in (b"Traceback", b"internal error", os.fsencode(self.folder), b'File "'):
            assert told not in found, (target, found)
        if not found:
            return 0
        status = int(found.split(b" ", 2)[1])
        assert status < 500 or status in (502, 503), (target, found)
        return status


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The folder served has links out of it: a file, a folder, and one to itself."""
    folder = tmp_path_factory.mktemp("machine")
    root, maps, outside = folder / "root", folder / "maps", folder / "outside"
    for one in (root / "x", maps, outside, folder / "root2"):
        one.mkdir(parents=True)
    clip = make_clip(root / "a.mp4", width=64, height=64, seconds=3)
    for copy in (outside / "secret.mp4", folder / "root2" / "secret.mp4", root / "x" / "b.mp4"):
        copy.write_bytes(clip.read_bytes())
    (root / "link.mp4").symlink_to(outside / "secret.mp4")
    (root / "linked").symlink_to(outside)
    (root / "loop").symlink_to(root / "loop")
    (root / "inner.mp4").symlink_to(root / "x" / "b.mp4")
    mappings = {
        "good": root / "a.mp4", "abroad": outside / "secret.mp4", "link": root / "link.mp4",
        "linked": root / "linked" / "secret.mp4", "beside": folder / "root2" / "secret.mp4",
        "dots": f"{root}/../outside/secret.mp4", "relative": "../outside/secret.mp4",
    }  # fmt: skip
    for name, path in mappings.items():
        clips = [{"type": "source", "sourceType": "file", "path": str(path)}]
        (maps / name).write_text(json.dumps({"sequences": [{"clips": clips}]}))
    (outside / "map").write_text((maps / "good").read_text())
    (maps / "out").symlink_to(outside / "map")
    (maps / "folder").symlink_to(outside)
    ingest(folder / "data", clip)
    with running(
        "origin", "--data", folder / "data", "--port", "0", "--local-root", root,
        "--mapping-root", maps, "--mapped-default", "--remote-upstream", "http://127.0.0.1:1/m",
    ) as origin:  # fmt: skip
        yield Served(origin, folder)


def test_what_is_there_plays(served: Served) -> None:
    for source in ("local/a.mp4", "local/inner.mp4", "mapped/good", "good", f"e/{ENTRY}"):
        assert ask(served.origin.address, f"/hls/{source}/master.m3u8").status == 200, source


UP = [
    "..", "%2e%2e", "%2E%2E", ".%2e", "%2e.", "%252e%252e", "%25252e%25252e", "..%00", "%00..",
    "..%5c", "..\\", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%f0%80%80%ae", "..;", "..%2f",
    "%2f..", "..%252f", "%uff0e%uff0e", "．．", ". .", "%2e%2e%20", "..%0a", "..%0d%0a",
    "..%c0%af", "..%e2%88%95", "....//", "./..",
]  # fmt: skip
FORMS = [
    "/hls/local/{up}/outside/secret.mp4/master.m3u8",
    "/hls/local/x/{up}/{up}/outside/secret.mp4/master.m3u8",
    "/hls/local/x/,{up}/{up}/outside/secret,b,.mp4.urlset/master.m3u8",
    "/cmaf/local/{up}outside/secret.mp4/manifest.mpd",
    "/dash/mapped/{up}/outside/map/manifest.mpd",
    "/hls/{up}/outside/map/master.m3u8",
    "/hls/remote/{up}/secret.mp4/master.m3u8",
    "/hls/e/{up}/outside/secret.mp4/master.m3u8",
    "/{up}/outside/secret.mp4",
    "/hls/p/101/serveFlavor/entryId/{up}/flavorId/{up}/name/a.mp4/master.m3u8",
    "/p/101/sp/10100/serveFlavor/entryId/{up}/flavorId/{up}/name/a.mp4",
]
WORDS = [
    "/hls/local/link.mp4/master.m3u8",
    "/hls/local/linked/secret.mp4/master.m3u8",
    "/hls/local/loop/secret.mp4/master.m3u8",
    "/hls/local/loop/master.m3u8",
    "/hls/local/,a,link,.mp4.urlset/master.m3u8",
    "/hls/local/.,./outside/secret,./outside/secret,.mp4.urlset/master.m3u8",
    "/hls/local/x/.,./../outside/secret,b,.mp4.urlset/master.m3u8",
    "/hls/local//etc/passwd/master.m3u8",
    "/hls/local/%2fetc%2fpasswd/master.m3u8",
    "/hls/local/x%2fb.mp4/../../../outside/secret.mp4/master.m3u8",
    "/hls/local/{folder}/outside/secret.mp4/master.m3u8",
    "/hls/local/a.mp4%00.mp4/master.m3u8",
    *(
        f"/hls/mapped/{name}/master.m3u8"
        for name in (
            "abroad", "link", "linked", "beside", "dots", "relative", "out", "folder/map",
            "{folder}/outside/map", ".,./outside/map,./outside/map,.urlset",
        )
    ),
    "/hls/remote/http://127.0.0.1/x/master.m3u8",
    "/hls/remote//127.0.0.1/x/master.m3u8",
    "*",
    "//outside/secret.mp4",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_ways_up(served: Served, form: str) -> None:
    for up in UP:
        status = served.check(form.replace("{up}", up).encode())
        assert status in (0, 400, 404, 503), (form, up, status)
        assert status != 503 or "remote" in form, (form, up)


@pytest.mark.parametrize("word", WORDS)
def test_ways_round(served: Served, word: str) -> None:
    status = served.check(word.replace("{folder}", str(served.folder)).encode())
    assert status in (0, 400, 404, 503), (word, status)
    # a mapping that names what is not allowed is one that cannot be used
    assert status != 503 or "mapped" in word or "remote" in word, word


PIECES = [
    b"hls", b"dash", b"cmaf", b"e", ENTRY.encode(), b"local", b"a.mp4", b"x", b"mapped",
    b"good", b"remote", b"p", b"s", b"101", b"sp", b"10100", b"serveFlavor", b"playManifest",
    b"entryId",
    b"flavorId", b"flavorIds", b"flavorParamIds", b"sequence", b"clipFrom", b"clipTo", b"1000",
    b"0", b"-1", b"99999999999999999999", b"tracks", b"v1-a1", b"v0", b"lang", b"eng",
    b"captions", b"all", b"name", b"format", b"applehttp", b"mpegdash", b"url", b"protocol",
    b"http",
    b"container", b"fmp4", b"protect", b",a,b,.urlset", b",,,.urlset", b"a,b.urlset",
    b"api_v3", b"index.php", b"service", b"caption_captionasset", b"action", b"serveWebVTT",
    b"serve", b"captionAssetId", b"0_caption1", b"segmentIndex", b"1.vtt", b"segmentDuration",
    b"version", b"master.m3u8", b"index-f1-v1-a1.m3u8", b"master-s1.m3u8", b"master-lfra.m3u8",
    b"seg-1-f1-v1-a1.ts", b"seg-9-f9-v9-a9-x00000000.ts", b"init-f1-v1.mp4", b"manifest.mpd",
    b"fragment-1-f1-v1.m4s", b"sub-s1.vtt", b"a.m3u8", b"..", b"%2e%2e", b"%", b"%zz", b"%00",
    b"\xff", b"\xc3\xa9", b"\\", b";", b"", b"%0d%0a", b"\x01", b"\t", b"{", b"\"",
]  # fmt: skip
QUERIES = [
    b"?", b"?filter=x", b"?aws.manifestfilter=video_height:1-2", b"?aws.manifestfilter=%ff;;:",
    b"?filterSet=none", b"?pathOnly=1", b"?f=\xff", b"?" + b"a=b&" * 200, b"#x", b"?%00=%00",
]  # fmt: skip


FLAVOR = f"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/flavorId/0_flavor00/name/a.mp4"
SHAPES = [
    f"/hls/e/{ENTRY}/master.m3u8", f"/hls/e/{ENTRY}/seg-1-f1-v1-a1.ts",
    f"/cmaf/e/{ENTRY}/clipFrom/0/clipTo/2000/manifest.mpd",
    f"/hls/container/fmp4/e/{ENTRY}/tracks/v1/lang/eng/index-f1-v1.m3u8",
    "/hls/local/,a,x/b,.mp4.urlset/master.m3u8", "/dash/mapped/good/manifest.mpd",
    "/hls/good/index-f1-v1-a1.m3u8", "/hls/remote/m/a.mp4/master.m3u8", FLAVOR,
    f"/hls{FLAVOR}/master.m3u8", f"/hls{FLAVOR}/captions/all/master.m3u8",
    f"/hls/p/101/serveFlavor/entryId/{ENTRY}/sequence/{ENTRY}/name/a.mp4/master.m3u8",
    f"/p/101/sp/10100/playManifest/entryId/{ENTRY}/format/applehttp/protocol/http/a.m3u8",
    f"/p/101/playManifest/entryId/{ENTRY}/format/url/seekFrom/1/clipTo/2/a.mp4",
    "/api_v3/service/caption_captionasset/action/serveWebVTT/captionAssetId/0_a/segmentIndex/1.vtt",
]  # fmt: skip


def targets() -> Iterator[bytes]:
    """Each shape with some parts put in, left out and exchanged, and some bytes."""
    dice = random.Random(SEED)
    for number in range(COUNT):
        parts = dice.choice(SHAPES).encode().split(b"/")[1:]
        for _ in range(dice.randint(0, 3)):
            at, width = dice.randint(0, len(parts)), dice.randint(0, 1)
            parts[at : at + width] = [dice.choice(PIECES)] * dice.randint(0, 1)
        target = b"/" + b"/".join(parts)
        if dice.random() < 0.3:
            target += dice.choice(QUERIES)
        if number % 3 == 0 and len(target) > 1:
            raw = bytearray(target)
            for _ in range(dice.randint(1, 3)):
                raw[dice.randrange(1, len(raw))] = dice.choice(range(256))
            target = bytes(raw)
        yield target.replace(b"\n", b"\x0b")


def test_nothing_fails(served: Served) -> None:
    seen: dict[int, int] = {}
    for target in targets():
        status = served.check(target)
        seen[status] = seen.get(status, 0) + 1
    assert {200, 400, 404} <= set(seen), seen
    assert "Traceback" not in served.origin.stderr()
    test_what_is_there_plays(served)
