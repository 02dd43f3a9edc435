"""Small files of every container and codec that is taken, encoded by FFmpeg."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np

from tests.packager.generated import encoded
from tests.support.scheduling import ordinary

_PICTURES = 20


def made(
    container: str, video: str | None, audio: str | None, **options: str
) -> Callable[[], bytes]:
    """A file of 0.8 s."""

    def make() -> bytes:
        buffer = io.BytesIO()
        with ordinary(), av.open(buffer, "w", format=container, options=options) as output:
            streams = []
            if video is not None:
                stream = output.add_stream(video, rate=Fraction(25))
                stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
                streams.append((stream, _pictures()))
            if audio is not None:
                sound = output.add_stream(audio, rate=48_000, layout="stereo")
                streams.append((sound, _tone(sound.format.name)))
            for stream, frames in streams:
                for frame in frames:
                    output.mux(stream.encode(frame))
                output.mux(stream.encode())
        return buffer.getvalue()

    return make


def _pictures() -> list[av.VideoFrame]:
    frames = []
    for number in range(_PICTURES):
        picture = np.full((48, 64, 3), number * 10 % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        frames.append(frame)
    return frames


def _tone(kind: str) -> list[av.AudioFrame]:
    frames = []
    for at in range(0, 38_400, 960):
        wave = np.sin(np.arange(at, at + 960) / 20)
        frame = av.AudioFrame.from_ndarray(
            np.stack([wave, wave]).astype("f4"), "fltp", "stereo"
        )
        frame.pts, frame.sample_rate, frame.time_base = at, 48_000, Fraction(1, 48_000)
        frames.append(frame)
    resampler = av.AudioResampler(kind, "stereo", 48_000)
    return [part for frame in frames for part in resampler.resample(frame)]


_FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"

SOURCES: dict[str, Callable[[], bytes]] = {
    "mp4": lambda: encoded("short"),
    "mp4-sound": made("mp4", None, "aac"),
    "mp4-hevc": made("mp4", "libx265", "ac3"),
    "mp4-av1": made("mp4", "libsvtav1", "eac3"),
    "mp4-vp9": made("mp4", "libvpx-vp9", "libopus"),
    "mp4-flac": made("mp4", None, "flac"),
    "mp4-alac": made("mp4", None, "alac"),
    "mp4-mp3": made("mp4", "libx264", "libmp3lame"),
    "mov": made("mov", "libx264", "aac"),
    "fragmented": made("mp4", "libx264", "aac", movflags=_FRAGMENTS),
    "fragmented-sidx": made("mp4", "libx264", "aac", movflags=_FRAGMENTS + "+dash"),
    "fragmented-old": made("mp4", "libx264", "aac", movflags="frag_keyframe"),
    "ismv": made("ismv", "libx264", "aac"),
    "mkv": made("matroska", "libx264", "aac"),
    "mkv-hevc": made("matroska", "libx265", "ac3"),
    "mkv-flac": made("matroska", None, "flac"),
    "mkv-eac3": made("matroska", None, "eac3"),
    "mkv-mp3": made("matroska", None, "libmp3lame"),
    "webm": made("webm", "libvpx-vp9", "libopus"),
    "webm-live": made("webm", "libvpx", "libopus", live="1"),
    "webm-av1": made("webm", "libsvtav1", "libopus"),
}
