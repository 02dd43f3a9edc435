"""Short MP4 files with the features that packaging must cope with, made by PyAV.

    path = made(Recipe(b_frames=0, frame_rate=Fraction(24_000, 1001)))

A recipe is made once per session; the same recipe gives the same bytes.
"""

import atexit
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from bench.samples.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    size: tuple[int, int] = (160, 96)
    frame_rate: Fraction = Fraction(25)
    b_frames: int = 2
    group: int = 50
    """Frames from one IDR to the next."""

    open_groups: bool = False
    """Only each third group starts with an IDR; frames presented before the I-frame of the
    others follow it."""

    delimiters: bool = False
    """Access unit delimiters inside the samples."""

    uneven: bool = False
    """Frames are not equally long."""

    start: Fraction = Fraction(0)
    """When the first frame is presented, seconds: later makes an empty edit, before zero an
    edit that starts inside the media, in the middle of a group if it falls there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    sample_rate: int = 48_000
    layout: Literal["mono", "stereo", "5.1"] = "stereo"
    language: str | None = None
    start: Fraction = Fraction(0)
    seconds: Fraction | None = None
    """As long as the recipe says, unless this does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    seconds: Fraction = Fraction(5)
    video: Video | None = Video()
    audio: tuple[Audio, ...] = (Audio(),)
    moov: Literal["first", "last", "fragmented"] = "first"
    timescale: int | None = None
    """Of the video track; None leaves it to the muxer."""

    edit_list: bool = True
    negative_offsets: bool = False
    """Composition offsets below zero (ctts version 1) instead of an edit list for video."""


@cache
def made(recipe: Recipe = Recipe()) -> Path:
    """The file of *recipe*, which nobody may change."""
    folder = _folder()
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    make(path, recipe)
    return path


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="headrace-media-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def make(path: Path, recipe: Recipe) -> None:
    """Write the file of *recipe* to *path*."""
    with av.open(str(path), "w", format="mp4", options=_muxer_options(recipe)) as output:
        video = _add_video(output, recipe.video) if recipe.video else None
        audio = [(track, _add_audio(output, track)) for track in recipe.audio]
        if recipe.video and video:
            _encode_video(output, video, recipe.video, recipe.seconds)
        for track, stream in audio:
            _encode_audio(output, stream, track, track.seconds or recipe.seconds)


def _muxer_options(recipe: Recipe) -> dict[str, str]:
    flags = {"first": ["faststart"], "last": [], "fragmented": ["frag_keyframe", "empty_moov"]}
    movflags = [*flags[recipe.moov], *(["negative_cts_offsets"] * recipe.negative_offsets)]
    options = {
        "fflags": "bitexact",
        "max_interleave_delta": "0",  # tracks come one after the other, and are interleaved
        "use_editlist": str(int(recipe.edit_list)),
    }
    if movflags:
        options["movflags"] = "+".join(movflags)
    if recipe.timescale:
        options["video_track_timescale"] = str(recipe.timescale)
    return options


def _add_video(output: OutputContainer, video: Video) -> VideoStream:
    x264 = {
        "keyint": video.group,
        "min-keyint": video.group,
        "scenecut": 0,
        "open-gop": int(video.open_groups),
        "bframes": video.b_frames,
        "b-adapt": 0,
        "aud": int(video.delimiters),
        "threads": 1,
        "mbtree": 0,  # not reproducible
    }
    stream = output.add_stream("libx264", rate=video.frame_rate)
    stream.width, stream.height = video.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = 1 / (4 * video.frame_rate)
    stream.options = {
        "preset": "ultrafast",
        "forced-idr": "1",
        "x264-params": ":".join(f"{name}={value}" for name, value in x264.items()),
    }
    return stream


def _add_audio(output: OutputContainer, audio: Audio) -> AudioStream:
    stream = output.add_stream("aac", rate=audio.sample_rate, layout=audio.layout)
    stream.bit_rate = 96_000
    if audio.language:
        stream.metadata["language"] = audio.language
    return stream


def _encode_video(
    output: OutputContainer, stream: VideoStream, video: Video, seconds: Fraction
) -> None:
    for image in _images(video, max(1, round(seconds * video.frame_rate))):
        _mux(output, stream.encode(image), video.start)
    _mux(output, stream.encode(None), video.start)


def _images(video: Video, count: int) -> Iterator[av.VideoFrame]:
    picture = Picture(*video.size)
    for number in range(count):
        image = av.VideoFrame.from_ndarray(picture.frame(number), format="yuv420p")
        image.pts = 4 * number + (video.uneven and number % 3 == 1)
        image.time_base = 1 / (4 * video.frame_rate)
        if video.open_groups and number % (3 * video.group) == 0:
            image.pict_type = PictureType.I  # an IDR, as forced-idr says
        yield image


def _encode_audio(
    output: OutputContainer, stream: AudioStream, audio: Audio, seconds: Fraction
) -> None:
    rate, channels = audio.sample_rate, stream.codec_context.channels
    count = max(1, round(seconds * rate))
    for start in range(0, count, rate):
        times = np.arange(start, min(start + rate, count)) / rate
        tone = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
        piece = av.AudioFrame.from_ndarray(
            np.tile(tone, (channels, 1)), format="fltp", layout=audio.layout
        )
        piece.sample_rate, piece.pts, piece.time_base = rate, start, Fraction(1, rate)
        _mux(output, stream.encode(piece), audio.start)
    _mux(output, stream.encode(None), audio.start)


def _mux(output: OutputContainer, packets: "Iterable[Packet[Any]]", start: Fraction) -> None:
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        shift = round(start / packet.time_base)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        output.mux(packet)
