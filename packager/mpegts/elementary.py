"""Samples as the byte streams that a transport stream carries.

Each step takes a buffer with the place of every sample in it, and returns another such pair.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packager.codecs.aac import ADTS_MAX_FRAME
from packager.codecs.h264 import NAL_AUD, START_CODE, AvcConfig
from packager.codecs.nal_units import steps
from packager.errors import MalformedSample
from packager.samples import Bytes, Column, overlapping

_FRAME_LENGTH = slice(3, 6)
"""The bytes of an ADTS header that hold the frame's length, of 13 bits, 5 before their end."""

_START_CODE = np.frombuffer(START_CODE, f"V{len(START_CODE)}")


@dataclass(frozen=True, slots=True, eq=False)
class Payloads:
    """Samples in a buffer."""

    data: Bytes
    starts: Column
    sizes: Column
    first: int
    """0-based number of the first sample in the source, for errors."""


def to_annexb(payloads: Payloads, config: AvcConfig) -> Payloads:
    """Start codes for NAL lengths, source delimiters taken out (rule T-06).

    4-byte lengths become start codes in place: *payloads* must own its buffer.
    """
    walk = list(
        steps(
            payloads.data, payloads.starts, payloads.sizes, config.nal_length_size,
            payloads.first,
        )
    )  # fmt: skip
    if config.nal_length_size == len(START_CODE) and not any(
        (step.type & 31 == NAL_AUD).any() for step in walk
    ):
        places = overlapping(payloads.data, _START_CODE.dtype)
        for step in walk:
            places[step.position] = _START_CODE
        return payloads
    return _rebuild(payloads, config, walk)


def _rebuild(payloads: Payloads, config: AvcConfig, walk: list) -> Payloads:  # type: ignore[type-arg]
    """The general case: every unit is copied behind a start code of its own."""
    sample = np.concatenate([step.sample for step in walk])
    position = np.concatenate([step.position for step in walk]) + config.nal_length_size
    length = np.concatenate([step.length for step in walk])
    kept = np.concatenate([step.type for step in walk]) & 31 != NAL_AUD
    order = np.lexsort((position, sample))
    order = order[kept[order]]
    sizes = np.zeros(len(payloads.sizes), np.int64)
    np.add.at(sizes, sample[order], length[order] + len(START_CODE))
    data = np.empty(int(sizes.sum()), np.uint8)
    at = 0
    for begin, size in zip(position[order].tolist(), length[order].tolist(), strict=True):
        data[at : at + 4] = _START_CODE.view(np.uint8)
        data[at + 4 : at + 4 + size] = payloads.data[begin : begin + size]
        at += 4 + size
    return Payloads(data, np.cumsum(sizes) - sizes, sizes, payloads.first)


class AudioFrames:
    """Audio frames end to end, each behind *header*, that of ADTS (ISO/IEC 14496-3
    §1.A.2.2) or nothing."""

    def __init__(self, payloads: Payloads, header: bytes) -> None:
        """*payloads* are where the frames lie without headers; their buffer comes later."""
        template = header
        self.sizes = payloads.sizes + len(template)
        if template and int(self.sizes.max()) > ADTS_MAX_FRAME:
            row = int(np.argmax(self.sizes))
            reason = f"{int(self.sizes[row])} bytes exceed ADTS"
            raise MalformedSample(payloads.first + row + 1, reason)
        stops = np.cumsum(self.sizes)
        self.size = int(stops[-1])
        self.starts = stops - self.sizes
        begins, ends = payloads.starts, payloads.starts + payloads.sizes
        columns = begins, ends, self.starts + len(template), stops
        self._copies = tuple(column.tolist() for column in columns)
        self._headers: npt.NDArray[Any] | None = None
        if not template:
            return
        self._headers = np.full(len(self.sizes), np.void(template))
        headers = self._headers.view(np.uint8).reshape(-1, len(template))
        length = (self.sizes << 5 | int.from_bytes(template[_FRAME_LENGTH])).astype(">u4")
        headers[:, _FRAME_LENGTH] = length.view(np.uint8).reshape(-1, 4)[:, 1:]

    def filled(self, buffer: Bytes) -> Bytes:
        """The frames with the payload that lies in *buffer*."""
        data = np.empty(self.size, np.uint8)
        if self._headers is not None:
            overlapping(data, self._headers.dtype)[self.starts] = self._headers
        source, target = memoryview(buffer), memoryview(data)  # type: ignore[arg-type]
        # Half the price of slicing arrays.
        for begin, end, at, stop in zip(*self._copies, strict=True):
            target[at:stop] = source[begin:end]
        return data
