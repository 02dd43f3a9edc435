"""QuickTime's own: several sample descriptions, data references, tracks that are not media."""

import io
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from packager.errors import Unsupported
from packager.isobmff.box import box, full_box
from tests.packager.carrying import index_of
from tests.packager.tables import (
    LC_44100_STEREO,
    Trak,
    avc1,
    avcc,
    counted,
    esds,
    movie,
    mp4,
    mp4a,
    sound,
    stsd,
)
from tests.packager.test_equality import compare

STEREO, MONO = mp4a(esds(LC_44100_STEREO)), mp4a(esds(bytes.fromhex("1208")))
TWOS = box(b"twos", bytes(6), b"\0\1", bytes(20))


def described(*entries: bytes, rows: list[tuple[int, int, int]]) -> Trak:
    """Sound of five samples in chunks of one, whose stsc has *rows*."""
    trak = sound(5)
    trak.boxes = {
        b"stsd": stsd(*entries),
        b"stsc": counted(b"stsc", *rows),
        b"stco": counted(b"stco", *([100 + 10 * number] for number in range(5))),
    }
    return trak


TAKEN = {
    "the second alone": ([TWOS, STEREO], [(1, 1, 2)]),
    "two alike": ([STEREO, STEREO], [(1, 1, 1), (3, 1, 2)]),
    "one of no use": ([STEREO, TWOS], [(1, 1, 1)]),
    "a third of no use": ([STEREO, STEREO, MONO], [(1, 1, 1), (2, 1, 2)]),
}


@pytest.mark.parametrize(("entries", "rows"), TAKEN.values(), ids=TAKEN)
def test_several_descriptions(entries: list[bytes], rows: list[tuple[int, int, int]]) -> None:
    [track] = index_of(mp4(described(*entries, rows=rows))).tracks
    assert track.count == 5
    assert track.track.format.config.record == LC_44100_STEREO


LEFT_OUT = {
    "they differ": (
        described(STEREO, MONO, rows=[(1, 1, 1), (3, 1, 2)]),
        r"stsd: samples use 2 sample descriptions that differ \(mp4a.40.2\)",
    ),
    "one is of another codec": (
        described(STEREO, TWOS, rows=[(1, 1, 1), (3, 1, 2)]), "stsd: codec 'twos'",
    ),
    "there is none": (
        described(STEREO, rows=[(1, 1, 7)]), "stsd: sample description 7 of 1 is used",
    ),
    "none is zero": (
        described(STEREO, rows=[(1, 1, 0)]), "stsd: sample description 0 of 1 is used",
    ),
    "many": (
        described(STEREO, rows=[(n, 1, n) for n in range(1, 40)]),
        "stsd: 39 sample descriptions are used",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("trak", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_descriptions_that_leave_a_track_out(trak: Trak, reason: str) -> None:
    with pytest.raises(Unsupported, match=f"^track 1: {reason}$"):
        index_of(mp4(trak))
    index = index_of(mp4(trak, Trak(movie())))
    assert len(index.tracks) == len(index.left_out) == 1


def dinf(*references: bytes) -> bytes:
    table = full_box(b"dref", 0, 0, struct.pack(">I", len(references)), *references)
    return box(b"dinf", table)


ALIAS = full_box(b"alis", 0, 0, bytes(4) + b"\0\x01Macintosh HD")
HERE = full_box(b"alis", 0, 1)
REFERENCES = {
    "none": (b"", None),
    "no table": (box(b"dinf"), None),
    "here": (dinf(HERE), None),
    "a url of nothing": (dinf(full_box(b"url ", 0, 0, b"\0")), None),
    "none of that number": (dinf(), None),
    "elsewhere, of no use": (dinf(HERE, ALIAS), None),
    "alias": (dinf(ALIAS), "'alis'"),
    "url": (dinf(full_box(b"url ", 0, 0, b"file:///etc/passwd\0")), "'url '"),
    "resource": (dinf(full_box(b"rsrc", 0, 0, b"\0\1")), "'rsrc'"),
}


@pytest.mark.parametrize(("boxes", "named"), REFERENCES.values(), ids=REFERENCES)
def test_data_references(boxes: bytes, named: str | None) -> None:
    trak = sound(3)
    trak.dinf = boxes
    if named is None:
        assert len(index_of(mp4(trak)).tracks) == 1
        return
    with pytest.raises(Unsupported, match=f"dref: the media data is in another file .{named}"):
        index_of(mp4(trak))


def test_a_zero_ends_the_boxes_of_a_picture() -> None:
    """QuickTime ends an image description with four bytes of zero."""
    plain, ended = (avc1(box(b"avcC", avcc()), tail) for tail in (b"", bytes(4)))
    made = [index_of(mp4(Trak(movie(), entry=entry))).tracks[0] for entry in (plain, ended)]
    assert made[0].track == made[1].track


# -- files of FFmpeg


@dataclass(frozen=True)
class Made:
    video: str | None = "libx264"
    audio: str | None = "aac"
    timecode: str = ""
    chapters: bool = False


MADE = {
    "h264 and aac": (Made(), "video audio", []),
    "hevc": (Made("libx265"), "video audio", []),
    "alac": (Made(None, "alac"), "audio", []),
    "mp3": (Made(audio="libmp3lame"), "video", ["track 2: stsd: codec '.mp3'"]),
    "pcm little": (Made(audio="pcm_s16le"), "video", ["track 2: stsd: codec 'sowt'"]),
    "pcm big": (Made(audio="pcm_s16be"), "video", ["track 2: stsd: codec 'twos'"]),
    "pcm wide": (Made(audio="pcm_f64le"), "video", ["track 2: stsd: codec 'fl64'"]),
    "time code": (
        Made(timecode="01:00:00:00"), "video audio",
        ["track 3: hdlr: 'tmcd' is neither video nor audio"],
    ),
    "chapters": (
        Made(chapters=True), "video audio",
        ["track 3: hdlr: 'text' is neither video nor audio"],
    ),
}  # fmt: skip


def _video_stream(container: av.container.OutputContainer, codec: str) -> av.VideoStream:
    stream = container.add_stream(codec, rate=25)
    assert isinstance(stream, av.VideoStream)
    return stream


def _audio_stream(container: av.container.OutputContainer, codec: str) -> av.AudioStream:
    stream = container.add_stream(codec, rate=48_000, layout="stereo")
    assert isinstance(stream, av.AudioStream)
    return stream


def _quick_time(path: Path, made: Made) -> bytes:
    with av.open(str(path), "w", format="mov") as container:
        if made.chapters:
            container.set_chapters(
                [
                    {"id": n, "start": 1000 * n, "end": 1000 * n + 1000,
                     "time_base": Fraction(1, 1000), "metadata": {"title": f"part {n}"}}
                    for n in range(2)
                ]
            )  # fmt: skip
        if made.video is not None:
            video = _video_stream(container, made.video)
            video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
            video.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
            if made.timecode:
                video.metadata["timecode"] = made.timecode
        if made.audio is not None:
            audio = _audio_stream(container, made.audio)
        if made.video is not None:
            for number in range(50):
                picture = np.full((96, 160, 3), number * 5, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if made.audio is not None:
            tone = (np.sin(np.arange(96_000) / 17) * 9000).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], "s16", "stereo")
            heard.pts, heard.sample_rate, heard.time_base = 0, 48_000, Fraction(1, 48_000)
            container.mux(audio.encode(heard))
            container.mux(audio.encode())
    return path.read_bytes()


@pytest.mark.parametrize(("made", "kinds", "left_out"), MADE.values(), ids=MADE)
def test_what_ffmpeg_writes(
    made: Made, kinds: str, left_out: list[str], tmp_path: Path
) -> None:
    data = _quick_time(tmp_path / "made.mov", made)
    with av.open(io.BytesIO(data)) as container:
        assert len(container.streams) >= len(kinds.split())
    index = index_of(data)
    assert " ".join(track.kind.value for track in index.tracks) == kinds
    assert list(index.left_out) == left_out
    compare(data, "made.mov")
