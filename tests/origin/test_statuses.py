"""What goes wrong, as a player or a cache sees it (design §3)."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.origin.inside import SECOND, Origin, take, token_of
from tests.support.clips import damage_sample, index_of, make_clip
from tests.support.http import Answer, Cut

SHORT, NO_STORE = "public, max-age=10", "no-store"
Start = Callable[..., Origin]


def check(answer: Answer, status: int, cache_control: str) -> str:
    """The reason of a failure, which is the same in the header and in the body."""
    assert (answer.status, answer.headers["cache-control"]) == (status, cache_control)
    reason = answer.headers["x-headrace-error"]
    assert answer.body.decode() == f"{reason}\n"
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Traceback" not in reason and tempfile.gettempdir() not in reason
    assert ("retry-after" in answer.headers) == (status == 503)
    return reason


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/hls/e/x/master.m3u8", "/hls/local/../a.mp4/master.m3u8"]
)
def test_what_does_not_parse(shared: Origin, path: str) -> None:
    check(shared.ask(path), 400, NO_STORE)


def test_what_is_not_there(shared: Origin) -> None:
    entry = f"e/{shared.entry}"
    for path in (
        "/hls/e/0_zzzzzzzz/master.m3u8",
        f"/hls/{entry}/index-f4-v1.m3u8",
        f"/hls/{entry}/index-f1-v2.m3u8",
        f"/hls/{entry}/index-f1-v1-a2.m3u8",
        f"/hls/{entry}/seg-1-f4-v1.ts",
        f"/hls/{entry}/seg-4-f1-v1-a1.ts",
        f"/hls/{entry}/seg-999999999-f1-v1-a1.ts",
        f"/hls/{entry}/seg-0-f1-v1-a1.ts",
        f"/hls/{entry}/seg-9999999999999999999-f1-v1-a1.ts",
        f"/hls/{entry}/index-f0-v1-a1.m3u8",
        f"/hls/{entry}/index-f1-v0.m3u8",
        f"/cmaf/{entry}/seg-4-f1-v1.m4s",
        f"/cmaf/{entry}/seg-1-f1-v1-a1.m4s",
        f"/cmaf/{entry}/index-f1-v1-a1.m3u8",
        f"/cmaf/{entry}/init-f1-v1-a1.mp4",
        f"/dash/{entry}/init-f1-a2.mp4",
        "/hls/local/nothing.mp4/master.m3u8",
        "/hls/local/nothing/a.mp4/master.m3u8",
        "/hls/local/,a,nothing,.mp4.urlset/master.m3u8",
        f"/hls/local/{'n' * 300}.mp4/master.m3u8",
    ):
        check(shared.ask(path), 404, SHORT)


def test_what_stands_behind_a_file(shared: Origin) -> None:
    reason = check(shared.ask("/hls/local/a.mp4/speed/2/master.m3u8"), 400, NO_STORE)
    assert reason == "speed is not supported yet"
    reason = check(shared.ask("/hls/local/a.mp4/b.mp4/master.m3u8"), 400, NO_STORE)
    assert reason == "left over: b.mp4"


def test_a_method_that_is_not_known(shared: Origin) -> None:
    answer = shared.ask(f"/hls/e/{shared.entry}/master.m3u8", method="PUT")
    assert (answer.status, answer.headers["cache-control"]) == (405, NO_STORE)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_local_files_where_there_is_no_root(start: Start) -> None:
    check(start().ask("/hls/local/a.mp4/master.m3u8"), 404, SHORT)


def test_only_files_below_the_root(files: list[Path], start: Start, tmp_path: Path) -> None:
    root = files[0].parent
    outside = shutil.copy(files[0], tmp_path / "outside.mp4")
    (root / "away.mp4").symlink_to(outside)
    (root / "up").symlink_to(tmp_path)
    (root / "loop.mp4").symlink_to(root / "loop.mp4")
    (root / "inside.mp4").symlink_to(files[0])
    (root / "folder.mp4").mkdir()
    os.mkfifo(root / "pipe.mp4")
    (tmp_path / "media-beside").mkdir()
    shutil.copy(files[0], tmp_path / "media-beside" / "a.mp4")
    (root / "beside").symlink_to(tmp_path / "media-beside")
    origin = start()
    for name in (
        "away.mp4", "up/outside.mp4", "up/media/a.mp4/", "loop.mp4", "folder.mp4", "pipe.mp4",
        "beside/a.mp4", "up",
    ):  # fmt: skip
        answer = origin.ask(f"/hls/local/{name}/master.m3u8")
        assert answer.status in (400, 404), name
        assert b"exists" not in answer.body
    assert origin.ask("/hls/local/up/media/a.mp4/master.m3u8").status == 200  # ends below it
    assert origin.ask("/hls/local/inside.mp4/master.m3u8").status == 200


def test_files_that_are_no_media(files: list[Path], start: Start) -> None:
    root = files[0].parent
    (root / "empty.mp4").touch()
    (root / "text.mp4").write_text("no media at all" * 100)
    (root / "short.mp4").write_bytes(files[0].read_bytes()[:-5000])
    whole = files[0].read_bytes()
    (root / "box.mp4").write_bytes(whole.replace(b"stts", b"sttx"))
    origin = start()
    for name in ("empty", "text", "short", "box"):
        check(origin.ask(f"/hls/local/{name}.mp4/master.m3u8"), 502, NO_STORE)
    assert "stts" in origin.ask("/hls/local/box.mp4/master.m3u8").headers["x-headrace-error"]


def test_a_source_that_is_missing_or_changed(
    files: list[Path], start: Start, tmp_path: Path
) -> None:
    flavors = take(tmp_path / "data", *files)
    origin = start()
    index = f"/hls/e/{flavors[0]['entry']}/index-f1-v1-a1.m3u8"
    segment = origin.media_names(index)[0]
    before = origin.get(segment)
    whole, times = files[0].read_bytes(), files[0].stat()

    files[0].rename(tmp_path / "away.mp4")
    assert check(origin.ask(segment), 503, NO_STORE) == "the source is missing"
    assert origin.ask(index).status == 200

    files[0].write_bytes(whole[:-1])
    assert "not the file" in check(origin.ask(segment), 503, NO_STORE)

    # as long as before, but of another encoding: its tables differ
    make_clip(files[0], width=64, height=64, quantizer=50)
    files[0].write_bytes(files[0].read_bytes().ljust(len(whole), b"\0"))
    assert "not the file" in check(origin.ask(segment), 503, NO_STORE)
    files[0].write_bytes(b"\0" * len(whole))
    assert "not the file" in check(origin.ask(segment), 503, NO_STORE)

    files[0].write_bytes(whole)  # a copy, with other times
    os.utime(files[0], ns=(0, times.st_mtime_ns + 7 * SECOND))
    assert origin.get(segment) == before


def test_no_database(start: Start, tmp_path: Path) -> None:
    origin = start()
    for path in ("/hls/e/0_abcd1234/master.m3u8", "/hls/e/0_abcd1234/seg-1-f1-x12345678.ts"):
        reason = check(origin.ask(path), 503, NO_STORE)
        assert reason == "the database is unavailable"


def test_the_database_appears(files: list[Path], start: Start, tmp_path: Path) -> None:
    origin = start()
    assert origin.ask("/hls/e/0_abcd1234/master.m3u8").status == 503
    take(tmp_path / "data", *files, entry="0_abcd1234")
    assert origin.ask("/hls/e/0_abcd1234/master.m3u8").status == 200


def test_a_damaged_index(files: list[Path], start: Start, tmp_path: Path) -> None:
    entry = take(tmp_path / "data", *files)[0]["entry"]
    with sqlite3.connect(tmp_path / "data" / "headrace.db") as database:
        for number, header in database.execute("SELECT int_id, header FROM flavor_index"):
            broken = header[:-9] + bytes([header[-9] ^ 1]) + header[-8:]
            change = "UPDATE flavor_index SET header = ? WHERE int_id = ?"
            database.execute(change, (broken, number))
    database.close()
    reason = check(start().ask(f"/hls/e/{entry}/master.m3u8"), 502, NO_STORE)
    assert "flavor_index " in reason and "checksum" in reason


def test_a_damaged_block(files: list[Path], start: Start, tmp_path: Path) -> None:
    entry = take(tmp_path / "data", *files)[0]["entry"]
    with sqlite3.connect(tmp_path / "data" / "headrace.db") as database:
        database.execute("UPDATE flavor_index_block SET data = substr(data, 2)")
    database.close()
    origin = start()
    reason = check(origin.ask(f"/hls/e/{entry}/seg-1-f1-v1-a1.ts"), 502, NO_STORE)
    assert "block 0" in reason
    assert origin.ask(f"/hls/e/{entry}/master.m3u8").status == 502


def test_a_missing_block(files: list[Path], start: Start, tmp_path: Path) -> None:
    entry = take(tmp_path / "data", *files)[0]["entry"]
    with sqlite3.connect(tmp_path / "data" / "headrace.db") as database:
        database.execute("DELETE FROM flavor_index_block")
    database.close()
    check(start().ask(f"/hls/e/{entry}/seg-1-f1-v1-a1.ts"), 502, NO_STORE)


def test_a_stale_index_is_parsed_again(files: list[Path], start: Start, tmp_path: Path) -> None:
    entry = take(tmp_path / "data", *files)[0]["entry"]
    index = f"/hls/e/{entry}/index-f1-v1-a1.m3u8"
    fresh = start()
    names = fresh.media_names(index)
    bodies = [fresh.get(name) for name in names]
    manifest = fresh.text(f"/cmaf/e/{entry}/manifest.mpd")
    assert fresh.indexes.parsed == 0
    with sqlite3.connect(tmp_path / "data" / "headrace.db") as database:
        database.execute("UPDATE flavor_index SET format = 99 WHERE int_id = 1")
        database.execute("DELETE FROM flavor_index WHERE int_id = 2")
    database.close()
    origin = start()
    assert origin.media_names(index) == names
    assert [origin.get(name) for name in names] == bodies
    assert origin.text(f"/cmaf/e/{entry}/manifest.mpd") == manifest
    assert origin.indexes.parsed == 2
    files[0].unlink()
    again = start()
    check(again.ask(index), 503, NO_STORE)


def test_damage_inside_the_media(files: list[Path], start: Start, tmp_path: Path) -> None:
    """CMAF passes the bytes; MPEG-TS cannot, and says which sample it is."""
    damage_sample(files[0], 60)
    entry = take(tmp_path / "data", *files)[0]["entry"]
    origin = start()
    assert index_of(files[0]).tracks
    sound = origin.get(f"/cmaf/e/{entry}/seg-1-f1-a1.m4s")
    assert sound
    for source in (f"e/{entry}", "local/a.mp4"):
        damaged = origin.get(f"/cmaf/{source}/seg-1-f1-v1.m4s")
        assert b"\x7f\xff\xff\xff" in damaged
        for method in ("GET", "HEAD"):
            answer = origin.ask(f"/hls/{source}/seg-1-f1-v1-a1.ts", method=method)
            assert answer.status == 502
            assert "sample 60:" in answer.headers["x-headrace-error"]
        assert origin.ask(f"/hls/{source}/seg-2-f1-v1-a1.ts").status == 200
        assert origin.ask(f"/hls/{source}/index-f1-v1-a1.m3u8").status == 200


def test_a_file_that_changes_under_a_response(
    files: list[Path], start: Start, tmp_path: Path
) -> None:
    """The connection is cut: what came is the old file's, and it does not look complete."""
    big = make_clip(files[0], width=320, height=180, seconds=6, quantizer=24)
    entry = take(tmp_path / "data", big)[0]["entry"]
    origin = start(send_window=64 << 10)
    path = f"/cmaf/e/{entry}/seg-1-f1-v1.m4s"
    whole = origin.get(path)
    assert len(whole) > 6 << 20
    with origin.connect(receive=16 << 10) as client:
        client.send(path)
        head = client.head()
        with big.open("r+b") as file:
            file.write(b"\0" * 64)
            file.seek(0, os.SEEK_END)
            file.seek(file.tell() // 2)
            file.write(os.urandom(file.tell()))
        with pytest.raises(Cut) as cut:
            client.body(head)
    assert whole.startswith(cut.value.got) and len(cut.value.got) < len(whole)
    assert origin.last_record()["reason"] == "the file was changed while it was read"


def test_a_replaced_file_is_served_to_its_end(
    files: list[Path], start: Start, tmp_path: Path
) -> None:
    """A file that another takes the place of stays open: the old bytes to the end."""
    big = make_clip(files[0], width=320, height=180, seconds=6, quantizer=24)
    origin = start(send_window=64 << 10)
    path = "/cmaf/local/a.mp4/seg-1-f1-v1.m4s"
    whole = origin.get(path)
    with origin.connect(receive=16 << 10) as client:
        client.send(path)
        head = client.head()
        shutil.copy(files[1], tmp_path / "new.mp4")
        (tmp_path / "new.mp4").rename(big)
        assert client.body(head) == whole
    assert origin.get(path) != whole


def test_an_error_that_nobody_foresaw(files: list[Path], start: Start) -> None:
    origin = start()

    async def fail(path: str) -> None:
        raise KeyError("/secret/path")

    origin.site.find = fail
    reason = check(origin.ask("/hls/local/a.mp4/master.m3u8"), 500, NO_STORE)
    assert reason == "internal error"
    assert [type(error) for error in origin.bugs] == [KeyError]
    origin.bugs.clear()


def test_tokens_that_are_not_ours(shared: Origin) -> None:
    for source in (f"e/{shared.entry}", "local/a.mp4"):
        names = shared.media_names(f"/hls/{source}/index-f1-v1-a1.m3u8")
        wrong = names[0].replace(token_of(names[0]), "00000000")
        check(shared.ask(wrong), 404, SHORT)
