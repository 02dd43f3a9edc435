"""Small MP4 files for the tests: noise that costs bits, aligned groups, AAC, moov first."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from packager.index import FlavorIndex
from packager.indexing import build_index
from packager.plan import run_reads
from packager.tracks import Kind

RATE = 25
GROUP = 50
"""Frames, 2 s."""

_SOUND = 48_000
_CHUNK = _SOUND // RATE


def make_clip(
    path: Path,
    *,
    width: int = 160,
    height: int = 90,
    seconds: float = 14,
    quantizer: int = 40,
    group: int = GROUP,
    sound: bool = True,
) -> Path:
    """H.264 with B-frames; the same arguments make the same bytes."""
    options = {"movflags": "faststart", "fflags": "bitexact"}
    noise = np.random.default_rng(width)
    grain = [noise.integers(16, 235, (height * 3 // 2, width), np.uint8) for _ in range(7)]
    with av.open(str(path), "w", format="mp4", options=options) as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        params = f"keyint={group}:min-keyint={group}:scenecut=0:bframes=2:b-adapt=0:threads=1"
        video.options = {
            "preset": "ultrafast",
            "qp": str(quantizer),
            "x264-params": params,
        }
        audio = output.add_stream("aac", rate=_SOUND, layout="stereo") if sound else None
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(grain[number % 7], format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(video.encode(frame))
            if audio is not None:
                tone = np.sin(np.arange(_CHUNK) * (0.02 + number * 1e-4)) * 0.3
                both = np.stack([tone, tone]).astype(np.float32)
                piece = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
                piece.sample_rate = _SOUND
                piece.pts, piece.time_base = number * _CHUNK, Fraction(1, _SOUND)
                output.mux(audio.encode(piece))
        output.mux(video.encode(None))
        if audio is not None:
            output.mux(audio.encode(None))
    return path


def index_of(path: Path) -> FlavorIndex:
    """The flavor index of a file, as it is made on first use."""
    data = path.read_bytes()
    reads = build_index(len(data), facts=False)
    return run_reads(reads, lambda e: data[e.offset : e.offset + e.length])


def damage_sample(path: Path, number: int) -> None:
    """Let the first NAL length of video sample *number* (from 1) point behind its sample."""
    index = index_of(path)
    [video] = index.of_kind(Kind.VIDEO)
    position = index.tracks.index(video)
    rows = video.samples(0, video.count, index.blocks[position])
    with path.open("r+b") as file:
        file.seek(int(rows.offset[number - 1]))
        file.write(b"\x7f\xff\xff\xff")
