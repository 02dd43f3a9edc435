"""Long MP4 files for the benchmarks: 24 s are encoded once, and their packets repeated.

24 s are a whole number of frames at 25 per second and of AAC frames at 48 kHz, so every round
joins the one before it without a gap.  Video has B-frames and closed groups of 2 s, audio is
128 kb/s, the tracks are interleaved, and moov comes first.  A file gets its name when it is
whole; what lies there under its name is taken as it is.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from bench.samples.flavors import Flavor, encode_flavor
from bench.samples.picture import FRAME_RATE
from bench.samples.sound import SAMPLE_RATE

ROUND = 24
"""Seconds that are encoded."""

_FRAMES = ROUND * FRAME_RATE
_AUDIO_FRAME = 1024
_AUDIO_FRAMES = ROUND * SAMPLE_RATE // _AUDIO_FRAME

HIGH = Flavor(1920, 1080, 5_000_000)
LOW = Flavor(640, 360, 700_000)

Progress = Callable[[str, float], None]
"""Takes the name of the file in work and the share of it that is done, 0 to 1."""


def make_media(folder: Path, flavor: Flavor, seconds: int, progress: Progress) -> Path:
    """The file of *flavor* that lasts *seconds*, a multiple of ``ROUND``."""
    path = folder / f"{flavor.height}p-{seconds}s.mp4"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with _becoming(path) as part:
        for share in _repeat(_encoded(folder, flavor, progress), part, seconds // ROUND):
            progress(path.name, share)
    return path


@dataclass(frozen=True, slots=True)
class _Packet:
    audio: bool
    pts: int
    dts: int
    duration: int
    is_keyframe: bool
    data: bytes


def _encoded(folder: Path, flavor: Flavor, progress: Progress) -> Path:
    path = folder / f"{flavor.height}p-round.mp4"
    if not path.exists():
        with _becoming(path) as part:
            for share in encode_flavor(part, flavor, _FRAMES):
                progress(path.name, share)
    return path


@contextmanager
def _becoming(path: Path) -> Iterator[Path]:
    part = path.with_name(
        f".{path.name}.{os.getpid()}.part"
    )  # of its own, should two runs meet
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _repeat(source: Path, path: Path, rounds: int) -> Iterator[float]:
    """Write *path*; yield the share that is done."""
    options = {"movflags": "faststart", "fflags": "bitexact"}
    with (
        av.open(str(source), options={"ignore_editlist": "1"}) as stored,
        av.open(str(path), "w", format="mp4", options=options) as output,
    ):
        streams = (stored.streams.video[0], stored.streams.audio[0])
        packets = _packets(stored)
        video, audio = map(output.add_stream_from_template, streams)
        for number in range(rounds):
            for one in packets:
                if one.audio and one.pts < 0 and number:
                    continue  # the encoder's delay comes once
                stream = audio if one.audio else video
                shift = number * (_AUDIO_FRAMES * _AUDIO_FRAME if one.audio else _FRAMES)
                packet = av.Packet(one.data)
                packet.time_base = Fraction(1, SAMPLE_RATE if one.audio else FRAME_RATE)
                packet.pts, packet.dts = one.pts + shift, one.dts + shift
                packet.duration, packet.is_keyframe = one.duration, one.is_keyframe
                packet.stream = stream
                output.mux_one(packet)
            yield (number + 1) / rounds


def _packets(stored: "av.container.InputContainer") -> list[_Packet]:
    """Of one round, in order of decoding; times in frames and in samples of sound, 0 where
    the first picture and the first wanted sample are shown."""
    found = [
        _packet(packet, audio=packet.stream.type == "audio")
        for packet in stored.demux(stored.streams.video[0], stored.streams.audio[0])
        if packet.size
    ]
    first = min(one.pts for one in found if not one.audio)
    moved = [_shifted(one, -_AUDIO_FRAME if one.audio else -first) for one in found]
    stop = {True: _AUDIO_FRAMES * _AUDIO_FRAME, False: _FRAMES}
    return sorted(
        (one for one in moved if one.pts < stop[one.audio]),
        key=lambda one: one.dts / (SAMPLE_RATE if one.audio else FRAME_RATE),
    )


def _packet(packet: Any, *, audio: bool) -> _Packet:
    unit = packet.time_base * (SAMPLE_RATE if audio else FRAME_RATE)
    times = (packet.pts, packet.dts, packet.duration or 0)
    pts, dts, duration = (round(time * unit) for time in times)
    return _Packet(audio, pts, dts, duration, packet.is_keyframe, bytes(packet))


def _shifted(packet: _Packet, by: int) -> _Packet:
    return _Packet(
        packet.audio,
        packet.pts + by,
        packet.dts + by,
        packet.duration,
        packet.is_keyframe,
        packet.data,
    )
