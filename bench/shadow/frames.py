"""A segment as access units and their times, whatever container it came in.

Units are compared by a hash of what a decoder is fed: NAL units without their start codes or
lengths and without those that a container puts in (delimiters, parameter sets), AAC without
ADTS.  FFmpeg takes the containers apart, which is a judge that we did not write.
"""

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import nan
from typing import Any

import av
from av.error import FFmpegError

from bench.errors import BenchError

MAX_FRAMES = 100_000
"""Of one segment."""

_START = re.compile(rb"\x00\x00\x01")
_PUT_IN = {"h264": frozenset({7, 8, 9, 13}), "hevc": frozenset({32, 33, 34, 35})}
"""Types of NAL units that tell how to decode and where a unit begins, and show nothing."""

_FAULTS = (FFmpegError, ValueError, IndexError)
"""IndexError: PyAV, where a stream appears in the middle of a damaged file."""

_OPTIONS = {"advanced_editlist": "0"}
"""An edit list moves times; the samples that it would hide are there all the same."""


@dataclass(frozen=True, slots=True)
class Frame:
    pts: float
    """Seconds, as ``dts``; NaN where the container does not tell it."""

    dts: float
    size: int
    """Bytes of what is hashed."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Track:
    kind: str
    """``video`` or ``audio``."""

    codec: str
    size: str
    """``1280x720``, or ``48000 Hz, 2 channels``."""

    configuration: bytes
    """Hash of its parameter sets, or of the AudioSpecificConfig; empty where it has none."""

    frames: tuple[Frame, ...]


def read_tracks(data: bytes) -> list[Track]:
    """*data* is a segment, behind its init segment where it needs one."""
    try:
        with av.open(io.BytesIO(data), "r", options=_OPTIONS) as container:
            streams = [one for one in container.streams if _is_known(one)]
            if not streams:
                return []  # FFmpeg would take none for all
            frames: dict[int, list[Frame]] = {one.index: [] for one in streams}
            take = {one.index: _units(container.format.name, one) for one in streams}
            for packet in container.demux(streams):
                if packet.size:
                    own = frames[packet.stream.index]
                    own.append(_frame(packet, take[packet.stream.index]))
                    if len(own) > MAX_FRAMES:
                        raise BenchError(f"more than {MAX_FRAMES} frames")
            return [_track(one, frames[one.index]) for one in streams]
    except _FAULTS as error:
        raise BenchError(f"not a segment: {error}") from None


def decoded(data: bytes, kind: str) -> list[bytes]:
    """Hashes of what the first track of *kind* looks or sounds like, in order of showing."""
    try:
        with av.open(io.BytesIO(data), "r", options=_OPTIONS) as container:
            stream = next(one for one in container.streams if one.type == kind)
            return [
                hashlib.blake2b(_pixels(frame), digest_size=16).digest()
                for frame in container.decode(stream)
            ]
    except (*_FAULTS, StopIteration) as error:
        raise BenchError(f"cannot be decoded: {error}") from None


def _is_known(stream: Any) -> bool:
    return stream.type in ("video", "audio") and stream.codec_context is not None


def _pixels(frame: Any) -> bytes:
    """Or samples."""
    return bytes(frame.to_ndarray().tobytes())


def _frame(packet: Any, units: Callable[[bytes], list[bytes]]) -> Frame:
    base = float(packet.time_base)
    digest, size = hashlib.blake2b(digest_size=16), 0
    for unit in units(bytes(packet)):
        digest.update(len(unit).to_bytes(4))
        digest.update(unit)
        size += len(unit)
    pts, dts = (nan if time is None else time * base for time in (packet.pts, packet.dts))
    return Frame(pts, dts, size, digest.digest())


def _track(stream: Any, frames: list[Frame]) -> Track:
    context = stream.codec_context
    name, extra = context.name, bytes(context.extradata or b"")
    if stream.type == "video":
        size = f"{context.width}x{context.height}"
    else:
        size = f"{context.sample_rate} Hz, {context.channels} channels"
    known = hashlib.blake2b(b"".join(_sets(name, extra)), digest_size=16).digest()
    return Track(stream.type, name, size, known if extra else b"", tuple(frames))


def _units(container: str, stream: Any) -> Callable[[bytes], list[bytes]]:
    """How a packet of *stream* comes apart."""
    name, extra = stream.codec_context.name, bytes(stream.codec_context.extradata or b"")
    if name in _PUT_IN:
        put_in, width = _PUT_IN[name], nal_length(name, extra)
        return lambda data: [
            unit
            for unit in (lengths(data, width) if width else start_codes(data))
            if nal_type(name, unit) not in put_in
        ]
    if name == "aac" and container in ("mpegts", "aac"):
        return lambda data: [without_adts(data)]
    return lambda data: [data]


def nal_length(codec: str, extra: bytes) -> int:
    """Bytes of a unit's length by the configuration *extra*; 0 where units have start codes."""
    if not extra or extra[0] != 1:
        return 0
    place = 4 if codec == "h264" else 21
    return (extra[place] & 3) + 1 if len(extra) > place else 0


def nal_type(codec: str, unit: bytes) -> int:
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def start_codes(data: bytes) -> list[bytes]:
    """Units of a byte stream (H.264 Annex B).

    >>> start_codes(bytes.fromhex("00000001 0910 000001 6588 00"))
    [b'\\t\\x10', b'e\\x88']
    """
    starts = [found.end() for found in _START.finditer(data)]
    stops = [*(found.start() for found in _START.finditer(data)), len(data)][1:]
    units = (data[start:stop] for start, stop in zip(starts, stops, strict=True))
    return [unit for one in units if (unit := one.rstrip(b"\x00"))]


def lengths(data: bytes, width: int) -> Iterator[bytes]:
    """Units that have their lengths before them."""
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + width])
        place += width
        if place + size > len(data):
            raise BenchError("a NAL unit reaches past its sample")
        if unit := data[place : place + size].rstrip(b"\x00"):
            yield unit
        place += size


def without_adts(data: bytes) -> bytes:
    """An AAC frame without the header that transport streams give it."""
    if len(data) < 9 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]


def _sets(codec: str, extra: bytes) -> Iterator[bytes]:
    """Parameter sets of either form, so that both hash to the same."""
    if codec not in _PUT_IN or nal_length(codec, extra) == 0:
        yield from start_codes(extra) if codec in _PUT_IN else (extra,)
    elif codec == "h264":
        yield from _avcc(extra)
    else:
        yield extra


def _avcc(extra: bytes) -> Iterator[bytes]:
    """Sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1.2)."""
    place = 5
    for mask in (31, 255):
        if place >= len(extra):
            return
        count, place = extra[place] & mask, place + 1
        for _ in range(count):
            size = int.from_bytes(extra[place : place + 2])
            yield extra[place + 2 : place + 2 + size]
            place += 2 + size
