"""Films in which a picture is white and a tone begins at the same instant, in any MP4.

The pictures and frames are encoded once; the file around them is made of numbers, so that it
has any edit list, timescale, width of NAL lengths and place of parameter sets.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import av
import numpy as np

from packager.isobmff.box import box
from tests.packager.tables import Trak, avc1, avcc, counted, esds, mp4, mp4a

SECONDS = 8
INSTANTS = (1, 3, 5, 6.8)
"""Media times of the white pictures and the tones, seconds."""

PICTURE_RATE, SOUND_RATE = 25, 48_000
_TONE = 2400  # samples


@dataclass(frozen=True)
class Encoded:
    """Samples in decode order."""

    payloads: tuple[bytes, ...]
    dts: tuple[int, ...]
    pts: tuple[int, ...]
    """Frames of video, samples of sound; media time."""

    sync: tuple[bool, ...]
    record: bytes
    """avcC or AudioSpecificConfig."""


@cache
def pictures(group: int = 50, delimiters: bool = False, rate: int = PICTURE_RATE) -> Encoded:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"use_editlist": "0"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        keys = (
            f"keyint={group}:min-keyint=1:scenecut=0:bframes=2:b-adapt=0:aud={int(delimiters)}"
        )
        stream.options = {"preset": "ultrafast", "threads": "1", "x264-params": keys}
        for number in range(SECONDS * rate):
            white = number in [round(instant * rate) for instant in INSTANTS]
            level = 235 if white else 16 + number % 8
            plane = np.full((96, 96), 128, np.uint8)
            plane[:64] = level
            frame = av.VideoFrame.from_ndarray(plane, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return _read(file, Fraction(1, rate))


@cache
def sounds() -> Encoded:
    file = io.BytesIO()
    count = SECONDS * SOUND_RATE
    tone = np.zeros(count, np.float32)
    wave = 0.8 * np.cos(np.arange(_TONE) * 2 * np.pi * 1000 / SOUND_RATE)
    for instant in INSTANTS:
        tone[round(instant * SOUND_RATE) :][:_TONE] = wave
    with av.open(file, "w", format="mp4", options={"use_editlist": "0"}) as container:
        stream = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        stream.bit_rate = 96_000
        for at in range(0, count, 1024):
            frame = av.AudioFrame.from_ndarray(
                tone[None, at : at + 1024].copy(), "fltp", "mono"
            )
            frame.pts, frame.sample_rate = at, SOUND_RATE
            frame.time_base = Fraction(1, SOUND_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return _read(file, Fraction(1, SOUND_RATE))


def _read(file: io.BytesIO, unit: Fraction) -> Encoded:
    file.seek(0)
    with av.open(file, options={"ignore_editlist": "1"}) as container:
        [stream] = container.streams
        packets = [packet for packet in container.demux(stream) if packet.size]
        first = min(packet.pts for packet in packets)

        def ticks(time: int) -> int:
            return round((time - first) * stream.time_base / unit)

        return Encoded(
            tuple(bytes(packet) for packet in packets),
            tuple(ticks(packet.dts) for packet in packets),
            tuple(ticks(packet.pts) for packet in packets),
            tuple(packet.is_keyframe for packet in packets),
            bytes(stream.codec_context.extradata),
        )


PRIMING = 1024
"""Samples of sound that the encoder puts before the first one."""

Edits = Sequence[tuple[float, float]]
"""Duration and media time of each entry in seconds, of which zero is the first picture and
sound; a media time of -1 is an empty edit, a duration of 0 runs to the end."""

MOVIE = 90_000


@dataclass(frozen=True)
class Film:
    edits: tuple[tuple[float, float], ...] = ((0, 0),)
    sound_edits: tuple[tuple[float, float], ...] | None = None
    """The same where None."""

    group: int = 50
    rate: int = PICTURE_RATE
    """Pictures a second, of which every instant is a multiple."""

    timescale: int = 12_800
    sound_timescale: int = SOUND_RATE
    length_size: int = 4
    delimiters: bool = False
    in_band: bool = False
    """Parameter sets in the samples and none in avcC."""

    negative: bool = False
    """Composition offsets below zero, in version 0."""

    def encode(self) -> bytes:
        return mp4(self._video(), self._audio(), timescale=MOVIE)

    def presented(self, *, sound: bool = False) -> list[float]:
        """When the instants are, by the edit list."""
        edits = self.sound_edits if sound and self.sound_edits is not None else self.edits
        found, at = [], 0.0
        for duration, start in edits:
            if start >= 0:
                stop = start + duration if duration else SECONDS
                found += [at + one - start for one in INSTANTS if start <= one < stop]
            at += duration
        return found

    def _video(self) -> Trak:
        made = pictures(self.group, self.delimiters, self.rate)
        payloads = [_relengthed(one, self.length_size) for one in made.payloads]
        sets = _sets(made.record)
        own: tuple[Sequence[bytes], Sequence[bytes]] = (sets[:1], sets[1:])
        if self.in_band:
            head = b"".join(len(unit).to_bytes(self.length_size, "big") + unit for unit in sets)
            payloads = [
                head + payload if sync else payload
                for payload, sync in zip(payloads, made.sync, strict=True)
            ]
            own = (), ()
        record = avcc(length_size=self.length_size, sps=own[0], pps=own[1])
        record = record[:1] + sets[0][1:4] + record[4:]
        ticks = Fraction(self.timescale, self.rate)
        # From zero, as stts has it; what is left of the first one's delay is in ctts.
        dts = [int((one - made.dts[0]) * ticks) for one in made.dts]
        lead = 0 if self.negative else -made.dts[0]
        pts = [int((one + lead) * ticks) for one in made.pts]
        durations = [b - a for a, b in pairwise(dts)] + [int(ticks)]
        offsets = [p - d for p, d in zip(pts, dts, strict=True)]
        entry = avc1(box(b"avcC", record)).replace(
            b"avc1", b"avc3" if self.in_band else b"avc1"
        )
        return Trak(
            payloads, b"vide", self.timescale, entry,
            boxes={
                b"stts": counted(b"stts", *((1, one) for one in durations)),
                b"ctts": counted(b"ctts", *((1, one) for one in offsets), kind="i"),
                b"stss": counted(
                    b"stss", *((row + 1,) for row, sync in enumerate(made.sync) if sync)
                ),
            },
            edits=elst(self.edits, self.timescale, int(lead * ticks)),
        )  # fmt: skip

    def _audio(self) -> Trak:
        made = sounds()
        scale = Fraction(self.sound_timescale, SOUND_RATE)
        edits = self.edits if self.sound_edits is None else self.sound_edits
        times = [int(at * 1024 * scale) for at in range(len(made.payloads) + 1)]
        durations = [b - a for a, b in pairwise(times)]
        return Trak(
            list(made.payloads), b"soun", self.sound_timescale, mp4a(esds(made.record)),
            boxes={b"stts": counted(b"stts", *((1, one) for one in durations))},
            edits=elst(edits, self.sound_timescale, int(PRIMING * scale)),
        )  # fmt: skip


def elst(edits: Edits, timescale: int, lead: int) -> bytes:
    """Version 1; *lead* ticks of the media lie before what is to be presented first."""
    rows = b"".join(
        struct.pack(
            ">Qqhh", round(duration * MOVIE),
            -1 if start < 0 else round(start * timescale) + lead, 1, 0,
        )
        for duration, start in edits
    )  # fmt: skip
    return box(b"elst", struct.pack(">II", 1 << 24, len(edits)), rows)


def _relengthed(payload: bytes, size: int) -> bytes:
    made, at = b"", 0
    while at < len(payload):
        length = int.from_bytes(payload[at : at + 4], "big")
        made += length.to_bytes(size, "big") + payload[at + 4 : at + 4 + length]
        at += 4 + length
    return made


def _sets(record: bytes) -> list[bytes]:
    """The one SPS and the one PPS of an avcC."""
    size = int.from_bytes(record[6:8], "big")
    sps = record[8 : 8 + size]
    at = 8 + size + 1
    return [sps, record[at + 2 : at + 2 + int.from_bytes(record[at : at + 2], "big")]]


def whites(source: bytes | str) -> list[float]:
    """Presentation times of the white pictures in a stream, or at an address, that FFmpeg
    reads; seconds."""
    found = []
    for frame in _frames(source, "video"):
        level = float(frame.to_ndarray(format="gray").mean())
        if level > 128:
            found.append(float(frame.pts * frame.time_base))
    return found


def tones(source: bytes | str) -> list[float]:
    """When tones begin, seconds."""
    found: list[float] = []
    last = -1.0
    for frame in _frames(source, "audio"):
        wave = np.abs(frame.to_ndarray()[0])
        for at in np.flatnonzero(wave > 0.4).tolist():
            time = float(frame.pts * frame.time_base) + at / frame.sample_rate
            if time - last > 0.1:
                found.append(time)
            last = time
    return found


def _frames(source: bytes | str, kind: Literal["video", "audio"]) -> Iterator[Any]:
    # Of bytes the times as they are, of an address those that a player has.
    opened = (
        av.open(source)
        if isinstance(source, str)
        else av.open(io.BytesIO(source), options={"ignore_editlist": "1"})
    )
    with opened as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        if streams:
            yield from container.decode(streams[0])
