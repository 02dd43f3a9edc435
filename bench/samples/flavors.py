"""Three flavors of one sample: H.264 in aligned closed groups with B-frames, AAC, moov first.

A file gets its name when it is whole, so what lies there under its name is taken as it is.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from bench.samples.picture import FRAME_RATE, GROUP, Picture
from bench.samples.sound import SAMPLE_RATE, sound

Progress = Callable[[str, float], None]
"""Takes the name of the file in work and the share of it that is done, 0 to 1."""

_AUDIO_CHUNK = SAMPLE_RATE // FRAME_RATE


@dataclass(frozen=True, slots=True)
class Flavor:
    width: int
    height: int
    bitrate: int
    """Bits per second of the video."""

    def file_name(self, seconds: float) -> str:
        return f"sample-{seconds:g}s-{self.height}p.mp4"


FLAVORS = (
    Flavor(424, 240, 400_000),
    Flavor(848, 480, 1_000_000),
    Flavor(1280, 720, 2_400_000),
)


def make_samples(folder: Path, seconds: float, progress: Progress) -> list[Path]:
    """Make what is missing in *folder* and return the files, smallest picture first."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_make(folder, flavor, seconds, progress) for flavor in FLAVORS]


def _make(folder: Path, flavor: Flavor, seconds: float, progress: Progress) -> Path:
    path = folder / flavor.file_name(seconds)
    if path.exists():
        progress(path.name, 1.0)
        return path
    part = folder / f".{path.name}.{os.getpid()}.part"  # of its own, should two runs meet
    try:
        for share in encode_flavor(part, flavor, max(1, round(seconds * FRAME_RATE))):
            progress(path.name, share)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def encode_flavor(path: Path, flavor: Flavor, frames: int) -> Iterator[float]:
    """Write one flavor; yield the share that is done, about once a second of media."""
    options = {"movflags": "faststart", "fflags": "bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as output:
        video = _video_stream(output, flavor)
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        audio.bit_rate = 128_000
        samples = sound(frames * _AUDIO_CHUNK)
        picture = Picture(flavor.width, flavor.height)
        for number in range(frames):
            image = av.VideoFrame.from_ndarray(picture.frame(number), format="yuv420p")
            image.pts, image.time_base = number, Fraction(1, FRAME_RATE)
            output.mux(video.encode(image))
            start = number * _AUDIO_CHUNK
            chunk = samples[:, start : start + _AUDIO_CHUNK].copy()
            piece = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            piece.sample_rate = SAMPLE_RATE
            piece.pts, piece.time_base = start, Fraction(1, SAMPLE_RATE)
            output.mux(audio.encode(piece))
            if number % FRAME_RATE == 0:
                yield number / frames
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    yield 1.0


def _video_stream(output: OutputContainer, flavor: Flavor) -> VideoStream:
    x264 = {
        "keyint": GROUP,
        "min-keyint": GROUP,
        "scenecut": 0,
        "open-gop": 0,
        "bframes": 2,
        "b-adapt": 0,
        # Without these the bytes would differ from run to run: a number of threads that is the
        # machine's, a look ahead (mbtree) that is not reproducible, and a bounded buffer (VBV).
        "threads": 2,
        "mbtree": 0,
        "colorprim": "bt709",
        "transfer": "bt709",
        "colormatrix": "bt709",
    }
    stream = output.add_stream("libx264", rate=FRAME_RATE)
    stream.width, stream.height = flavor.width, flavor.height
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = flavor.bitrate
    stream.options = {
        "preset": "veryfast",
        "x264-params": ":".join(f"{name}={value}" for name, value in x264.items()),
    }
    return stream
