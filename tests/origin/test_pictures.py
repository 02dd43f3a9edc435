"""Pictures over HTTP: which frame, what size, what is read, what is refused."""

import fcntl
import io
import os
import posixpath
import re
import shutil
import signal
import termios
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import m3u8
import numpy as np
import pytest

from origin import drawers
from origin.storage.local import LocalFile
from origin.windows import Read
from packager.pictures.sheets import sheets_of
from packager.recipe import make_recipe
from packager.tracks import Kind
from tests.origin.inside import Origin, take, token_of
from tests.packager.dash.test_mpd import judge
from tests.packager.hls.test_judges import read_strictly
from tests.support.clips import damage_sample, index_of
from tests.support.media import Audio, Recipe, Video, made
from tests.support.waiting import LIMIT, until

Start = Callable[..., Origin]


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as opened:
        frame = next(opened.decode(video=0))
    return frame.width, frame.height


SIZES = {
    "as it is": ("thumb-0.jpg", (160, 90)),
    "a width": ("thumb-0-w80.jpg", (80, 45)),
    "a height": ("thumb-0-h30.jpg", (53, 30)),
    "both": ("thumb-0-w50-h50.jpg", (50, 50)),
    "larger": ("thumb-0-w320.jpg", (320, 180)),
    "odd": ("thumb-0-w51-h33.jpg", (51, 33)),
    "a flavor": ("thumb-0-f1.jpg", (96, 54)),
    "the frame": ("frame-1000-f1-v1-w64.jpg", (64, 36)),
}


@pytest.mark.parametrize(("name", "size"), SIZES.values(), ids=SIZES)
def test_a_picture_has_the_size_that_is_asked(
    name: str, size: tuple[int, int], shared: Origin
) -> None:
    answer = shared.ask(f"/thumb/e/{shared.entry}/{name}")
    assert answer.status == 200, answer.headers
    assert answer.headers["content-type"] == "image/jpeg"
    assert size_of(answer.body) == size


def test_lists_name_the_same_sheets(shared: Origin) -> None:
    at = f"e/{shared.entry}/thumbSheets/1"
    master = shared.text(f"/hls/{at}/master.m3u8")
    assert "#EXT-X-IMAGE-STREAM-INF:" in master
    images = shared.text(f"/hls/{at}/images.m3u8")
    mpd = shared.text(f"/dash/{at}/manifest.mpd")
    cues = shared.text(f"/thumb/{at}/storyboard.vtt")
    [sheet] = {line.partition("#")[0] for line in cues.splitlines() if "#xywh" in line}
    assert sheet in images.splitlines()
    assert f'media="{sheet.replace("sheet-1", "sheet-$Number$")}"' in mpd
    bodies = set()
    for protocol in ("hls", "dash", "cmaf", "thumb"):
        answer = shared.ask(posixpath.normpath(f"/{protocol}/{at}/{sheet}"))
        assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
        bodies.add(answer.body)
    assert len(bodies) == 1
    assert size_of(bodies.pop()) == (800, 450)


# -- which frame: clips repeat seven pictures of noise, with a key frame every 50


def luma(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as opened:
        return next(opened.decode(video=0)).to_ndarray(format="gray").astype(int)


@pytest.fixture(scope="module")
def frames(clips: Path) -> list[np.ndarray]:
    """Those of c.mp4, by FFmpeg."""
    with av.open(str(clips / "c.mp4")) as opened:
        return [frame.to_ndarray(format="gray").astype(int) for frame in opened.decode(video=0)]


TIMES = {
    "the first": ("thumb-0", 0),
    "before the middle of a group": ("thumb-999", 0),
    "the middle": ("thumb-1000", 0),
    "behind it": ("thumb-1001", 50),
    "a key frame": ("thumb-4000", 100),
    "the last": ("thumb-13999", 300),
    "the frame": ("frame-0", 0),
    "the last moment of a frame": ("frame-1039", 25),
    "the first moment of the next": ("frame-1040", 26),
    "before a key frame": ("frame-1999", 49),
    "a key frame of its own": ("frame-2000", 50),
    "the last frame": ("frame-13999", 349),
}


@pytest.mark.parametrize(("name", "number"), TIMES.values(), ids=TIMES)
def test_a_time_names_a_frame(
    name: str, number: int, shared: Origin, frames: list[np.ndarray]
) -> None:
    seen = luma(shared.get(f"/thumb/e/{shared.entry}/{name}-f3.jpg"))
    differences = [np.abs(seen - frame).mean() for frame in frames[number - number % 7 :][:7]]
    assert int(np.argmin(differences)) == number % 7
    assert min(differences) < 4


def test_a_clip_has_its_own_zero(shared: Origin) -> None:
    at = f"/thumb/e/{shared.entry}"
    clip = shared.get(f"{at}/clipFrom/6000/clipTo/12000/frame-1000.jpg")
    assert clip == shared.get(f"{at}/frame-7000.jpg")
    late = shared.ask(f"{at}/clipFrom/6000/clipTo/12000/frame-6000.jpg")
    assert (late.status, late.headers["x-headrace-error"]) == (404, "6000 ms is behind the end")


def test_the_i_frames_of_open_groups_are_pictures(start: Start, tmp_path: Path) -> None:
    film = made(Recipe(video=Video(open_groups=True, group=20), audio=()))
    (tmp_path / "media").mkdir()
    shutil.copy(film, tmp_path / "media" / "open.mp4")
    [track] = index_of(film).tracks
    assert len(track.entry) < len(track.sync)  # segments begin at fewer of them
    with av.open(str(film)) as opened:
        frames = [one.to_ndarray(format="gray").astype(int) for one in opened.decode(video=0)]
    origin = start()
    for number in range(0, 120, 20):
        for name in ("thumb", "frame"):
            seen = luma(origin.get(f"/thumb/local/open.mp4/{name}-{number * 40}.jpg"))
            assert np.abs(seen - frames[number]).mean() < 4, (name, number)
    leading = luma(origin.get("/thumb/local/open.mp4/frame-760.jpg"))  # shown before frame 20
    assert np.abs(leading - frames[19]).mean() < 4


# -- what is read


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Offset and size of whatever is read of media."""
    found: list[tuple[int, int]] = []
    original = LocalFile.read

    async def read(self: LocalFile, wanted: Sequence[Read], buffer: memoryview) -> None:
        found.extend((offset, stop - start) for offset, start, stop in wanted)
        await original(self, wanted, buffer)

    monkeypatch.setattr(LocalFile, "read", read)
    return found


def test_only_the_key_frame_is_read(
    start: Start, files: list[Path], tmp_path: Path, reads: list[tuple[int, int]]
) -> None:
    entry = take(tmp_path / "data", files[2])[0]["entry"]
    index = index_of(files[2])
    [video] = index.of_kind(Kind.VIDEO)
    rows = video.samples(0, video.count, index.blocks[index.tracks.index(video)])
    origin = start()
    origin.get(f"/thumb/e/{entry}/thumb-4100.jpg")
    assert reads == [(int(rows.offset[100]), int(rows.size[100]))]
    reads.clear()
    origin.get(f"/thumb/e/{entry}/frame-4000.jpg")
    origin.get(f"/thumb/e/{entry}/thumb-3900.jpg")
    assert sum(size for _, size in reads) <= int(rows.size[100])  # drawn once or twice
    reads.clear()
    origin.get(f"/thumb/e/{entry}/frame-4200.jpg")
    assert {offset for offset, _ in reads} <= set(rows.offset[100:110].tolist())


def test_a_sheet_decodes_each_key_frame_once_and_is_kept(
    start: Start, files: list[Path], tmp_path: Path, reads: list[tuple[int, int]]
) -> None:
    entry = take(tmp_path / "data", files[2])[0]["entry"]
    origin = start()
    sheet = origin.get(f"/thumb/e/{entry}/sheet-1.jpg")
    assert len(reads) == len(set(reads)) == 7  # 14 s, a key frame every 2 s
    assert origin.get(f"/hls/e/{entry}/sheet-1.jpg") == sheet
    assert len(reads) == 7
    tiles = luma(sheet)
    key = luma(origin.get(f"/thumb/e/{entry}/thumb-10000.jpg"))
    assert np.abs(tiles[90:180, :160] - key).mean() < 8  # the sixth tile
    assert tiles[180:, :].mean() < 1  # nothing there


# -- caching


def test_cached_as_segments_are(shared: Origin) -> None:
    at = f"/thumb/e/{shared.entry}"
    token = token_of(shared.media_names(f"/hls/e/{shared.entry}/index-f1-v1-a1.m3u8")[-1])
    lasting = shared.ask(f"{at}/thumb-0-w80-x{token}.jpg")
    assert lasting.headers["cache-control"] == "public, max-age=31536000, immutable"
    short = shared.ask(f"{at}/thumb-0-w80.jpg")
    assert short.headers["cache-control"] == "public, max-age=10"
    assert short.body == lasting.body and short.headers["etag"] == lasting.headers["etag"]
    again = shared.ask(f"{at}/thumb-0-w80.jpg", f"If-None-Match: {short.headers['etag']}")
    assert again.status == 304
    part = shared.ask(f"{at}/thumb-0-w80.jpg", "Range: bytes=0-1")
    assert (part.status, part.body) == (206, b"\xff\xd8")
    head = shared.ask(f"{at}/thumb-0-w80.jpg", method="HEAD")
    assert head.headers["content-length"] == str(len(short.body))


# -- what goes wrong

REFUSED = {
    "no time": ("thumb-.jpg", 400),
    "no number": ("thumb-01.jpg", 400),
    "negative": ("thumb--5.jpg", 400),
    "no width": ("thumb-0-w.jpg", 400),
    "nothing wide": ("thumb-0-w0.jpg", 400),
    "too wide": ("thumb-0-w4097.jpg", 400),
    "far too high": ("thumb-0-h99999.jpg", 400),
    "out of order": ("thumb-0-h5-w5.jpg", 400),
    "doubled": ("thumb-0-w5-w5.jpg", 400),
    "a track behind a size": ("thumb-0-w5-f1.jpg", 400),
    "another suffix": ("thumb-0.png", 400),
    "too high in its shape": ("thumb-0-w1-h4096.jpg", 200),
    "behind the end": ("thumb-99999999.jpg", 404),
    "no such flavor": ("thumb-0-f9.jpg", 404),
    "no such track": ("thumb-0-f1-v2.jpg", 404),
    "sound": ("thumb-0-f1-a1.jpg", 404),
    "another token": ("thumb-0-x00000000.jpg", 404),
    "no such sheet": ("sheet-2.jpg", 404),
    "sheet 0": ("sheet-0.jpg", 404),
    "a switch": ("thumbSheets/2/storyboard.vtt", 400),
    "not here": ("images.m3u8", 400),
}


@pytest.mark.parametrize(("name", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(name: str, status: int, shared: Origin) -> None:
    answer = shared.ask(f"/thumb/e/{shared.entry}/{name}")
    assert answer.status == status
    assert ("x-headrace-error" in answer.headers) == (status != 200)
    assert not shared.bugs


def test_no_pictures_where_they_are_turned_off(
    start: Start, files: list[Path], tmp_path: Path
) -> None:
    origin = start(picture_processes=0, thumb_sheets=True)
    for name in ("thumb-0.jpg", "sheet-1.jpg", "storyboard.vtt"):
        assert origin.ask(f"/thumb/local/a.mp4/{name}").status == 404
    assert "IMAGE" not in origin.text("/hls/local/a.mp4/master.m3u8")


def test_of_a_file_without_pictures(start: Start, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    sound = made(Recipe(video=None, audio=(Audio(),)))
    shutil.copy(sound, tmp_path / "media" / "sound.mp4")
    origin = start(thumb_sheets=True)
    assert origin.ask("/thumb/local/sound.mp4/thumb-0.jpg").status == 404
    assert origin.ask("/thumb/local/sound.mp4/storyboard.vtt").status == 404
    assert "IMAGE" not in origin.text("/hls/local/sound.mp4/master.m3u8")


def test_a_damaged_key_frame_is_a_bounded_error(
    start: Start, files: list[Path], tmp_path: Path
) -> None:
    entry = take(tmp_path / "data", files[0])[0]["entry"]
    touched = files[0].stat().st_mtime_ns
    damage_sample(files[0], 1)
    os.utime(files[0], ns=(touched, touched))  # nobody can tell
    origin = start()
    answer = origin.ask(f"/thumb/e/{entry}/thumb-0.jpg")
    assert answer.status == 502 and answer.headers["cache-control"] == "no-store"
    assert "cannot be decoded" in answer.headers["x-headrace-error"]
    origin.get(f"/thumb/e/{entry}/thumb-4000.jpg")
    tiles = luma(origin.get(f"/thumb/e/{entry}/sheet-1.jpg"))
    assert tiles[:90, :160].mean() < 1 < 50 < tiles[:90, 160:320].mean()


def drawing_processes() -> list[int]:
    """Those that draw for this process."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if parent == os.getpid() and b"origin.drawing" in command:
            found.append(int(folder.name))
    return found


def stop(pid: int) -> None:
    """Let it read nothing more."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text())


def waiting_input(pid: int) -> int:
    """Bytes that it has not read yet."""
    size = array("i", [0])
    with Path(f"/proc/{pid}/fd/0").open("rb") as pipe:
        fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


def test_a_process_that_is_killed_costs_nothing(start: Start, files: list[Path]) -> None:
    before = set(drawing_processes())
    origin = start()
    origin.get("/thumb/local/a.mp4/thumb-0.jpg")
    [pid] = set(drawing_processes()) - before
    stop(pid)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(origin.get, "/thumb/local/a.mp4/thumb-2000.jpg")
        until(lambda: waiting_input(pid))
        os.kill(pid, signal.SIGKILL)
        assert asked.result(LIMIT)


DYING = {
    "with a status": ("printf +; head -c 1 > /dev/null; exit 7", "status 7"),
    "by a signal": ("printf +; head -c 1 > /dev/null; kill -SEGV $$", "SIGSEGV"),
}


@pytest.mark.parametrize(("script", "end"), DYING.values(), ids=DYING)
def test_a_picture_that_ends_its_process_is_an_error(
    script: str, end: str, start: Start, files: list[Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    program = tmp_path / "dies"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(drawers.sys, "executable", str(program))
    origin = start()
    answer = origin.ask("/thumb/local/a.mp4/thumb-2000.jpg")
    reason = f"the decoder of the picture ended with {end}"
    assert (answer.status, answer.headers["x-headrace-error"]) == (502, reason)
    monkeypatch.undo()
    assert origin.ask("/thumb/local/a.mp4/thumb-2000.jpg").status == 502  # for a minute
    origin.get("/thumb/local/a.mp4/thumb-4000.jpg")


def test_a_process_that_does_not_begin_is_unavailable(
    start: Start, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawers.sys, "executable", "/bin/false")
    answer = start().ask("/thumb/local/a.mp4/thumb-2000.jpg")
    assert answer.status == 503 and "does not begin" in answer.headers["x-headrace-error"]


def test_a_picture_that_takes_too_long(
    start: Start, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(drawing_processes())
    origin = start()
    origin.get("/thumb/local/a.mp4/thumb-0.jpg")
    [pid] = set(drawing_processes()) - before
    stop(pid)
    monkeypatch.setattr(drawers, "_SECONDS", 0.2)
    answer = origin.ask("/thumb/local/a.mp4/thumb-2000.jpg")
    assert answer.status == 502 and "takes longer" in answer.headers["x-headrace-error"]
    assert pid not in drawing_processes()
    monkeypatch.undo()
    origin.get("/thumb/local/a.mp4/thumb-4000.jpg")


# -- manifests


def test_the_schema_accepts_a_thumbnail_track(shared: Origin, dash_xsd: Path) -> None:
    for protocol in ("dash", "cmaf"):
        judge(dash_xsd, shared.text(f"/{protocol}/e/{shared.entry}/thumbSheets/1/manifest.mpd"))


def test_strict_parsers_read_what_lists_sheets(shared: Origin) -> None:
    at = f"/hls/e/{shared.entry}/thumbSheets/1"
    plain = shared.text(f"/hls/e/{shared.entry}/master.m3u8")
    listed = shared.text(f"{at}/master.m3u8")
    assert "IMAGE" not in plain and listed.startswith(plain)
    read_strictly(listed)
    [stream] = m3u8.loads(listed).image_playlists
    assert stream.uri == "images.m3u8"
    assert stream.image_stream_info.resolution == (160, 90)
    images = m3u8.loads(shared.text(f"{at}/images.m3u8"))
    assert images.is_images_only and images.is_endlist
    assert [one.duration for one in images.segments] == [14]
    assert images.data["tiles"] == [{"resolution": "160x90", "layout": "5x5", "duration": 2.0}]


def test_a_manifest_without_video_lists_none(shared: Origin) -> None:
    at = f"e/{shared.entry}/thumbSheets/1"
    assert "sheet-" not in shared.text(f"/dash/{at}/manifest-v0.mpd")
    assert "IMAGE" not in shared.text(f"/hls/{at}/master-v0.m3u8")


def test_of_a_clip_sheets_are_its_own(shared: Origin) -> None:
    at = f"e/{shared.entry}/clipFrom/6000/clipTo/12000/thumbSheets/1"
    manifest = shared.text(f"/dash/{at}/manifest.mpd")
    [template] = re.findall(r'media="(sheet-[^"]+)"', manifest)
    sheet = luma(shared.get(f"/dash/{at}/{template.replace('$Number$', '1')}"))
    key = luma(shared.get(f"/thumb/e/{shared.entry}/thumb-6000.jpg"))
    assert np.abs(sheet[:90, :160] - key).mean() < 8
    cues = shared.text(f"/thumb/{at}/storyboard.vtt")
    assert "00:00:04.000 --> 00:00:06.000" in cues and "00:00:08" not in cues
    other = shared.ask(f"/dash/e/{shared.entry}/{template.replace('$Number$', '1')}")
    assert other.status == 404


LENGTHS = {
    "short": (3, 2, 1),
    "500 s": (500, 2, 10),
    "longer": (501, 5, 5),
    "an hour": (3600, 10, 15),
    "14 h": (50_000, 10, 200),
    "a hundred years": (3_000_000_000, 600_000, 200),
}


@pytest.mark.parametrize(("seconds", "interval", "count"), LENGTHS.values(), ids=LENGTHS)
def test_how_many_sheets(seconds: int, interval: int, count: int) -> None:
    index = index_of(made(Recipe(video=Video(), audio=())))
    [track] = index.tracks
    long = replace(track, end=track.origin + seconds * track.track.timescale)
    sheets = sheets_of(make_recipe([replace(index, tracks=(long,))]))
    assert sheets is not None
    assert (sheets.interval, sheets.count) == (interval, count)
