"""Whole runs of ``headrace shadow``: a peer that nobody of us wrote, with faults put in.

The peer is a folder that FFmpeg's HLS and DASH muxers made of the files that our origin
packages, served by nginx under the addresses that nginx-vod-module would have.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.clips import make_clip
from tests.support.engines import nginx
from tests.support.needs import need
from tests.support.processes import Running, free_port, headrace, running
from tests.support.waiting import until

HLS, SILENT = "hls/vod/,a,b,.mp4.urlset", "dash/vod/silent.mp4"
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=680000,RESOLUTION=96x54,CODECS="avc1.4d400a,mp4a.40.2"
index-f1-v1-a1.m3u8
#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=1070000,RESOLUTION=128x72,CODECS="avc1.4d400a,mp4a.40.2"
index-f2-v1-a1.m3u8
"""
SEGMENT = f"{HLS}/seg-2-f1-v1-a1.ts"
FRAGMENT = f"{SILENT}/fragment-2-f1-v1.m4s"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "a.mp4", width=96, height=54)
    make_clip(folder / "b.mp4", width=128, height=72)
    make_clip(folder / "silent.mp4", width=96, height=54, sound=False)
    return folder


@pytest.fixture(scope="module")
def origin(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("data")
    with running("origin", "--data", data, "--local-root", media, "--port", "0") as server:
        yield server


@pytest.fixture(scope="module")
def made(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The peer's folder as FFmpeg makes it."""
    root = tmp_path_factory.mktemp("made")
    hls, dash = root / HLS, root / SILENT
    for folder in (hls, dash):
        folder.mkdir(parents=True)
    inputs = ["-i", media / "a.mp4", "-i", media / "b.mp4"]
    maps = ["-map", "0:v", "-map", "0:a", "-map", "1:v", "-map", "1:a", "-c", "copy"]
    names = ["-var_stream_map", "v:0,a:0,name:f1 v:1,a:1,name:f2", "-start_number", "1"]
    names += ["-hls_segment_filename", "seg-%d-%v-v1-a1.ts"]
    cuts = ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod"]
    _ffmpeg(hls, *inputs, *maps, *cuts, *names, "index-%v-v1-a1.m3u8")
    (hls / "master.m3u8").write_text(MASTER)
    names = ["-init_seg_name", "init-f1-v1.mp4"]
    names += ["-media_seg_name", "fragment-$Number$-f1-v1.m4s"]
    cuts = ["-c", "copy", "-f", "dash", "-seg_duration", "6", "-use_timeline", "1"]
    _ffmpeg(dash, "-i", media / "silent.mp4", *cuts, *names, "manifest.mpd")
    return root


def _ffmpeg(folder: Path, *arguments: str | Path) -> None:
    subprocess.run([need("ffmpeg"), "-v", "error", *arguments], cwd=folder, check=True)


@pytest.fixture
def peer(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to put faults in."""
    return Path(shutil.copytree(made, tmp_path / "peer"))


def shadow(origin: Running, peer: Path, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit status, the differences, and the summary of a run over all that the peer has."""
    files = sorted(path for path in peer.rglob("*") if path.is_file())
    log = peer.with_name("access.log")
    lines = (f'::1 - - [x] "GET /{path.relative_to(peer)} HTTP/1.1" 200 1' for path in files)
    log.write_text("\n".join(lines))
    folder = peer.with_name("nginx")
    folder.mkdir()
    block = f"server {{ listen 127.0.0.1:PORT; root {peer}; }}"
    rewrites = ("--rewrite", "/hls/vod/=/hls/local/", "--rewrite", "/dash/vod/=/dash/local/")
    with nginx(block, folder) as port:
        where = ("--peer", f"http://127.0.0.1:{port}", "--origin", origin.url)
        done = headrace("shadow", log, *where, *rewrites, *options, env={"COLUMNS": "120"})
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, found, done.stderr


def test_what_ffmpeg_made_is_the_same_but_where_sound_is_cut(
    origin: Running, peer: Path
) -> None:
    status, found, summary = shadow(origin, peer)
    assert status == 1
    assert {one["reason"] for one in found} == {"sound-cut"}
    status, found, summary = again = shadow(origin, again_at(peer), "--ignore", "sound-cut")
    assert (status, found) == (0, []), again
    assert "14 compared" in summary


def again_at(peer: Path) -> Path:
    folder = peer.with_name("again")
    folder.mkdir()
    return Path(shutil.copytree(peer, folder / "peer"))


def remuxed(
    path: Path, edit: Callable[[av.Packet, int], bool], init: Path | None = None
) -> None:
    """Write a segment anew; *edit* gets each packet with its number among those of its kind,
    may change it, and says whether it stays."""
    whole = path.with_suffix(".whole")
    whole.write_bytes((init.read_bytes() if init else b"") + path.read_bytes())
    with (
        av.open(str(whole)) as stored,
        av.open(str(path), "w", format="mpegts", options={"muxdelay": "0"}) as output,
    ):
        streams = {one.index: output.add_stream_from_template(one) for one in stored.streams}
        seen: dict[int, int] = {}
        for packet in stored.demux():
            if packet.dts is None:
                continue
            index = packet.stream.index
            number = seen[index] = seen.get(index, -1) + 1
            if edit(packet, number):
                packet.stream = streams[index]
                output.mux_one(packet)
    whole.unlink()


def is_video(packet: av.Packet) -> bool:
    return bool(packet.stream.type == "video")


def drop_a_frame(peer: Path) -> None:
    remuxed(peer / SEGMENT, lambda one, number: not (is_video(one) and number == 70))


def drop_sound(peer: Path) -> None:
    remuxed(peer / SEGMENT, lambda one, number: is_video(one) or number != 100)


def move_a_frame(peer: Path) -> None:
    def edit(packet: av.Packet, number: int) -> bool:
        if is_video(packet) and number == 70:
            packet.pts += 900  # a hundredth of a second
        return True

    remuxed(peer / SEGMENT, edit)


def delay_sound(peer: Path) -> None:
    def edit(packet: av.Packet, number: int) -> bool:
        if not is_video(packet):
            packet.pts += 9000
            packet.dts += 9000
        return True

    remuxed(peer / SEGMENT, edit)


def leave_sound_out(peer: Path) -> None:
    path = peer / SEGMENT
    whole = path.with_suffix(".whole.ts")
    path.rename(whole)
    _ffmpeg(path.parent, "-i", whole, "-map", "0:v", "-c", "copy", "-copyts", path)
    whole.unlink()


def damage_a_picture(peer: Path) -> None:
    path = peer / SEGMENT
    data = bytearray(path.read_bytes())
    packet = len(data) // 188 // 2 * 188
    # Of the first PID, neither its first packet of a frame nor its last.
    while data[packet + 1 : packet + 3] != b"\x01\x00" or data[packet + 3] & 0x20:
        packet += 188
    data[packet + 100] ^= 0xFF
    path.write_bytes(data)


def another_file(peer: Path) -> None:
    other = peer / HLS / "seg-2-f2-v1-a1.ts"
    shutil.copy(other, peer / SEGMENT)


def a_longer_segment(peer: Path) -> None:
    folder = peer / HLS
    with (folder / "seg-2-f1-v1-a1.ts").open("ab") as file:
        file.write((folder / "seg-3-f1-v1-a1.ts").read_bytes())


def an_earlier_segment(peer: Path) -> None:
    shutil.copy(peer / HLS / "seg-1-f1-v1-a1.ts", peer / SEGMENT)


def not_a_segment(peer: Path) -> None:
    (peer / SEGMENT).write_bytes(b"\x47" + bytes(187) + b"\x47" + bytes(187))


def a_page(peer: Path) -> None:
    (peer / SEGMENT).write_text("<html>It is being repaired</html>")


def another_fragment(peer: Path) -> None:
    shutil.copy(peer / SILENT / "fragment-1-f1-v1.m4s", peer / FRAGMENT)


def another_init(peer: Path) -> None:
    path = peer / SILENT / "init-f1-v1.mp4"
    data = bytearray(path.read_bytes())
    place = data.index(b"avcC") + 4 + 6 + 2 + 5  # inside its sequence parameter set
    data[place] ^= 1
    path.write_bytes(data)


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(peer: Path) -> None:
        path = peer / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


FAULTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a frame fewer": (drop_a_frame, SEGMENT, "frames"),
    "a frame of sound fewer": (drop_sound, SEGMENT, "frames"),
    "a frame that comes late": (move_a_frame, SEGMENT, "times"),
    "sound that comes late": (delay_sound, SEGMENT, "sync"),
    "no sound": (leave_sound_out, SEGMENT, "tracks"),
    "a damaged picture": (damage_a_picture, SEGMENT, "frames"),
    "another file": (another_file, SEGMENT, "tracks"),
    "a longer segment": (a_longer_segment, SEGMENT, "boundaries"),
    "an earlier segment": (an_earlier_segment, SEGMENT, "boundaries"),
    "not a segment": (not_a_segment, SEGMENT, "unreadable"),
    "a page": (a_page, SEGMENT, "kind"),
    "an earlier fragment": (another_fragment, FRAGMENT, "boundaries"),
    "another init segment": (another_init, f"{SILENT}/init-f1-v1.mp4", "configuration"),
    "another codec": (
        edited(f"{HLS}/master.m3u8", "avc1.4d400a", "avc1.64001f"),
        f"{HLS}/master.m3u8",
        "codecs",
    ),
    "no variant": (
        edited(f"{HLS}/master.m3u8", MASTER[MASTER.rindex("#") :], ""),
        f"{HLS}/master.m3u8",
        "variant",
    ),
    "a longer line": (
        edited(f"{HLS}/index-f2-v1-a1.m3u8", "6.000000", "6.080000"),
        f"{HLS}/index-f2-v1-a1.m3u8",
        "duration",
    ),
    "a longer row": (
        edited(f"{SILENT}/manifest.mpd", 'codecs="avc1.4d400a"', 'codecs="avc1.64001f"'),
        f"{SILENT}/manifest.mpd",
        "codecs",
    ),
}


@pytest.mark.parametrize(("fault", "target", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_reason(
    origin: Running, peer: Path, fault: Callable[[Path], None], target: str, reason: str
) -> None:
    fault(peer)
    status, found, summary = shadow(origin, peer, "--ignore", "sound-cut")
    assert status == 1
    assert reason in {one["reason"] for one in found if one["target"] == f"/{target}"}
    assert {one["target"] for one in found} <= touched(target)
    assert reason in summary


def touched(target: str) -> set[str]:
    """Where a fault may show: what it is in, and segments that go with an init segment."""
    if "init-" not in target:
        return {f"/{target}"}
    return {f"/{target}", *(f"/{SILENT}/fragment-{number}-f1-v1.m4s" for number in (1, 2, 3))}


HARMLESS = {
    "delimiters": "aud=insert",
    "a message to nobody": "sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+hello",
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_shows_the_same_is_the_same(origin: Running, peer: Path, change: str) -> None:
    path = peer / SEGMENT
    whole = path.with_name("whole.ts")
    path.rename(whole)
    options = ("-map", "0", "-c", "copy", "-copyts", "-bsf:v", f"h264_metadata={change}")
    _ffmpeg(path.parent, "-i", whole, *options, path)
    assert path.read_bytes() != whole.read_bytes()
    whole.unlink()
    status, found, _ = shadow(origin, peer, "--ignore", "sound-cut")
    assert (status, found) == (0, []), found


def test_what_we_have_not_is_another_status(origin: Running, peer: Path) -> None:
    (peer / HLS / "seg-9-f1-v1-a1.ts").write_bytes(b"\x47" * 188)
    status, found, _ = shadow(origin, peer, "--ignore", "sound-cut")
    assert (status, [one["reason"] for one in found]) == (1, ["status"])
    assert found[0]["statuses"] == [200, 404]


def test_a_peer_that_is_away_ends_it_in_one_line(origin: Running, tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    log.write_text("/a")
    done = headrace("shadow", log, "--peer", f"http://127.0.0.1:{port}", "--origin", origin.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"headrace shadow: http://127.0.0.1:{port}: Connection refused\n"


def test_our_own_log_of_a_player(media: Path, origin: Running, tmp_path: Path) -> None:
    """A second origin over the same files answers all that FFmpeg asked the first one."""
    options = ("--data", tmp_path, "--local-root", media, "--port", "0")
    with running("origin", *options) as old:
        for path in ("hls/local/,a,b,.mp4.urlset/master.m3u8", "dash/local/a.mp4/manifest.mpd"):
            read = ("-i", f"{old.url}/{path}", "-map", "0", "-c", "copy", "-f", "null", "-")
            _ffmpeg(tmp_path, *read)
        until(lambda: old.stderr().count("/fragment-3-") >= 2)  # of picture and sound
        log = tmp_path / "access.log"
        shutil.copy(old.errors, log)
        done = headrace("shadow", log, "--peer", old.url, "--origin", origin.url)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    asked = {json.loads(line)["target"] for line in log.read_text().splitlines() if "/" in line}
    assert len(asked) > 10
    assert f"{len(asked)} compared" in done.stderr
