"""Short films in MP4, encoded by FFmpeg: noise that moves, and tones."""

import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np


@dataclass(frozen=True)
class Clip:
    """What to encode."""

    rate: Fraction | None = Fraction(25)
    """Frames per second; None for no video."""

    seconds: float = 7.0
    size: tuple[int, int] = (160, 90)
    group: int = 25
    b_frames: int = 2
    x264: str = ""
    """More parameters of the encoder."""

    channels: int | None = 2
    """Of sound; None for none."""

    sample_rate: int = 44_100
    sound: tuple[str, ...] = ("aac",)
    """Encoders, one for each track."""

    flags: str = "+faststart"
    """movflags; without faststart moov comes last."""

    mux: dict[str, str] = field(default_factory=dict, hash=False)


CLIPS = {
    "b_frames": Clip(),
    "no_b_frames": Clip(b_frames=0, group=50),
    "pyramid_odd_rate": Clip(Fraction(30_000, 1001), b_frames=3, x264="b-pyramid=normal"),
    "rate_23.976_mono": Clip(Fraction(24_000, 1001), channels=1, sample_rate=48_000),
    "rate_12.5": Clip(Fraction(25, 2), group=10),
    "open_gop": Clip(x264="open-gop=1", group=20, seconds=13.5),
    "long_gop": Clip(group=400, seconds=13),
    "delimiters": Clip(x264="aud=1"),
    "slices": Clip(x264="slices=4", size=(320, 180)),
    "interlaced_sizes": Clip(size=(322, 182), x264="sar=4/3"),
    "short": Clip(seconds=0.2),
    "one_frame": Clip(seconds=0.04, b_frames=0),
    "moov_last": Clip(flags="", channels=1, sample_rate=8000),
    "negative_offsets": Clip(flags="+faststart+negative_cts_offsets"),
    "no_edit_list": Clip(mux={"use_editlist": "0"}),
    "video_only": Clip(channels=None),
    "audio_only": Clip(rate=None, seconds=20),
    "surround": Clip(channels=6, sample_rate=48_000, seconds=3),
    "program_config": Clip(rate=None, channels=7, sample_rate=48_000, seconds=3),
    "ac3": Clip(sound=("ac3",), channels=6, sample_rate=48_000),
    "eac3": Clip(sound=("eac3",), channels=6, sample_rate=48_000),
    "aac_and_ac3": Clip(sound=("aac", "ac3"), sample_rate=48_000),
    "mp3": Clip(sound=("libmp3lame",)),
    "mp3_of_mpeg_2": Clip(rate=None, sound=("libmp3lame",), sample_rate=22_050),
    "mp3_of_mpeg_2.5": Clip(
        rate=None, sound=("libmp3lame",), sample_rate=11_025, channels=1, mux={"strict": "-1"}
    ),
    "alac": Clip(rate=None, sound=("alac",)),
}


@cache
def encoded(name: str) -> bytes:
    """The file of ``CLIPS[name]``."""
    clip = CLIPS[name]
    with tempfile.TemporaryDirectory() as folder:  # faststart reads back what it wrote
        path = Path(folder, "clip.mp4")
        _encode(path, clip)
        return path.read_bytes()


def _encode(path: Path, clip: Clip) -> None:
    options = {**({"movflags": clip.flags} if clip.flags else {}), **clip.mux}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = _video_stream(container, clip) if clip.rate is not None else None
        names = clip.sound if clip.channels is not None else ()
        audios = [_audio_stream(container, clip, name) for name in names]
        if video is not None:
            for picture in _pictures(clip):
                container.mux(video.encode(picture))
            container.mux(video.encode())
        for audio in audios:
            for piece in _sound(clip):
                container.mux(audio.encode(piece))
            container.mux(audio.encode())


def _video_stream(container: av.container.OutputContainer, clip: Clip) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=clip.rate)
    stream.width, stream.height = clip.size
    stream.pix_fmt = "yuv420p"
    parameters = [f"keyint={clip.group}:min-keyint=1:scenecut=0:bframes={clip.b_frames}"]
    parameters += [clip.x264] if clip.x264 else []
    stream.options = {
        "preset": "ultrafast", "threads": "1", "x264-params": ":".join(parameters)
    }  # fmt: skip
    return stream


def _pictures(clip: Clip) -> list[av.VideoFrame]:
    assert clip.rate is not None
    width, height = clip.size
    field_ = np.random.default_rng(1).integers(0, 255, (height * 2, width * 2, 3), np.uint8)
    frames = []
    for number in range(max(1, round(clip.seconds * clip.rate))):
        down, right = number % height, 2 * number % width
        picture = np.ascontiguousarray(field_[down : down + height, right : right + width])
        frame = av.VideoFrame.from_ndarray(picture // 4, "rgb24")
        frame.pts, frame.time_base = number, 1 / clip.rate
        frames.append(frame)
    return frames


_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 7: "6.1"}


def _audio_stream(
    container: av.container.OutputContainer, clip: Clip, name: str
) -> av.AudioStream:
    layout = _LAYOUTS[clip.channels or 0]
    stream = container.add_stream(name, rate=clip.sample_rate, layout=layout)
    stream.bit_rate = 32_000 * (clip.channels or 1)
    return stream


def _sound(clip: Clip) -> list[av.AudioFrame]:
    count = int(clip.seconds * clip.sample_rate)
    time = np.arange(count) / clip.sample_rate
    tones = np.stack(
        [np.sin(time * 440 * (n + 1) * 2 * np.pi) for n in range(clip.channels or 0)]
    )
    layout = _LAYOUTS[clip.channels or 0]
    frames = []
    for at in range(0, count, 1024):
        part = np.ascontiguousarray(tones[:, at : at + 1024] * 0.3, np.float32)
        frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
        frame.pts, frame.sample_rate = at, clip.sample_rate
        frame.time_base = Fraction(1, clip.sample_rate)
        frames.append(frame)
    return frames
