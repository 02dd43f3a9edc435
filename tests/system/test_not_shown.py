"""What must not be shown is not, within a second, by any address and however warm: manifests,
segments, captions, files and parts of them, sequences and the administration's answers."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from posixpath import normpath

import pytest

from tests.support.clips import make_clip
from tests.support.http import ask, get
from tests.support.processes import free_port, headrace, running
from tests.support.waiting import until
from tests.system.delivery import names_in

ENTRY, OTHER = "0_abcd1234", "0_other123"
TOKEN = "a-token-of-the-administration"
RULES = "INSERT INTO access_control (id, name, rules) VALUES (1, 'some', '[{\"a\": 1}]')"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"

CHANGES = (
    "status = 3",
    "moderation_status = 1",
    "moderation_status = 3",
    "end_at = 1",
    "start_at = 9000000000000000000",
    "access_control_id = 1",
)
SHOWN = (
    "status = 2, moderation_status = 6, start_at = NULL, end_at = NULL, "
    "access_control_id = NULL"
)
SEEN = 1.5
"""Seconds: the catalog is looked at about once a second."""


class Served:
    def __init__(self, url: str, admin: tuple[str, int], data: Path) -> None:
        self.url, self.admin, self.data = url, admin, data
        flavor, caption = self.one("flavor_asset"), self.one("caption_asset")
        other = self.one("flavor_asset", OTHER)
        file = f"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/flavorId/{flavor}/name/a.mp4"
        versioned = file.replace("/flavorId", "/v/1/flavorId")
        excerpt = file.replace("/flavorId", "/clipFrom/1000/clipTo/2000/flavorId")
        captions = "/api_v3/index.php/service/caption_captionasset/action"
        play = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}/format/applehttp/protocol/http"
        before = f"/p/101/sp/10100/serveFlavor/entryId/{OTHER}/sequence/{ENTRY}"
        sequence = f"{before}/flavorIds/{other}/name/a.mp4"
        self.path_only = f"{file}?pathOnly=1"
        self.paths = [
            f"{play}/a.m3u8", file, versioned, excerpt,
            f"{captions}/serveWebVTT/captionAssetId/{caption}/a.m3u8",
            f"{captions}/serve/captionAssetId/{caption}",
            f"/hls{sequence}/master.m3u8", f"/dash{sequence}/manifest.mpd",
        ]  # fmt: skip
        for source in (f"/e/{ENTRY}", file, f"{file}/captions/all", f"/e/{ENTRY}/clipTo/2000"):
            self.paths += [f"/hls{source}/master.m3u8", f"/dash{source}/manifest.mpd"]
            for manifest in (
                f"/hls{source}/index-f1-v1-a1.m3u8", f"/hls{source}/index-s1.m3u8",
                f"/cmaf{source}/index-f1-v1.m3u8",
            ):  # fmt: skip
                if get(url + manifest).status == 200:
                    names = names_in(url + manifest)
                    self.paths += [
                        manifest,
                        *(normpath(one.removeprefix(url)) for one in names),
                    ]

    def one(self, table: str, entry: str = ENTRY) -> str:
        with closing(sqlite3.connect(self.data / "headrace.db")) as database:
            query = f"SELECT id FROM {table} WHERE entry_id = ?"
            return str(database.execute(query, (entry,)).fetchone()[0])

    def change(self, what: str) -> None:
        with closing(sqlite3.connect(self.data / "headrace.db")) as database, database:
            database.execute(f"UPDATE entry SET {what} WHERE id = ?", (ENTRY,))

    def statuses(self) -> dict[str, int]:
        found = {path: get(self.url + path).status for path in self.paths}
        bearer = f"Authorization: Bearer {TOKEN}"
        found["pathOnly"] = ask(self.admin, self.path_only, bearer).status
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, admin = tmp_path_factory.mktemp("shown"), free_port()
    data, captions = folder / "data", folder / "a.vtt"
    captions.write_text(VTT)
    for entry, more in ((ENTRY, ("--captions", f"{captions}:eng")), (OTHER, ())):
        clip = make_clip(folder / f"{entry}.mp4", width=96, height=54, seconds=8)
        done = headrace("ingest", clip, "--entry", entry, "--data", data, *more)
        assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(data / "headrace.db")) as database, database:
        database.execute(RULES)
    with running(
        "origin", "--data", data, "--port", "0", "--admin-port", str(admin),
        env={"HEADRACE_ORIGIN_ADMIN_TOKEN": TOKEN},
    ) as origin:  # fmt: skip
        yield Served(origin.url, ("127.0.0.1", admin), data)


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_of_it_is_shown(served: Served, change: str) -> None:
    assert len(served.paths) > 40
    until(lambda: get(served.url + served.paths[-1]).status == 200)
    assert not {path: status for path, status in served.statuses().items() if status != 200}
    path = served.paths[-1]
    began = time.monotonic()
    served.change(change)
    until(lambda: get(served.url + path).status == 404)
    took = time.monotonic() - began
    found = served.statuses()
    served.change(SHOWN)
    shown = {path: status for path, status in found.items() if status != 404}
    assert not shown
    assert took < SEEN
