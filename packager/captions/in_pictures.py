"""Whether pictures carry captions: CEA-608 and CEA-708 in the SEI of H.264 and HEVC.

    SEI message 4: itu_t_t35, country 181, provider 49, "GA94", 3, cc_data    (ATSC A/53 Part 4)

The first pictures are looked at, in the order in which they are shown.  A channel counts once a
command is for it, a service once a block is.
"""

from collections.abc import Iterator

import numpy as np

from packager.codecs.h264 import AvcConfig
from packager.codecs.hevc import HevcConfig
from packager.plan import Extent, Reads
from packager.samples import Samples
from packager.tracks import Track, VideoFormat

MAX_PICTURES = 900
"""Half a minute at 30 a second."""

MAX_READ = 32 << 20
"""Bytes of samples."""

_SEI_OF_H264 = (6,)
_SEI_OF_HEVC = (39, 40)
_MAX_UNITS = 1_000
"""Of one sample: what comes behind is slices."""

_ATSC = b"\xb5\x00\x31GA94\x03"
_USER_DATA_REGISTERED = 4


def in_pictures(track: Track, samples: Samples) -> Reads[tuple[str, ...]]:
    """``CC1`` to ``CC4`` and ``SERVICE1`` to ``SERVICE63`` that the first of *samples* have."""
    config = track.format.config if isinstance(track.format, VideoFormat) else None
    if not isinstance(config, AvcConfig | HevcConfig):
        return ()
    seen = _Seen()
    read = 0
    for row in np.argsort(samples.cts[:MAX_PICTURES], kind="stable").tolist():
        size = int(samples.size[row])
        read += size
        if read > MAX_READ:
            break
        data = yield Extent(int(samples.offset[row]), size)
        is_hevc = isinstance(config, HevcConfig)
        for message in _messages(bytes(data), config.nal_length_size, is_hevc=is_hevc):
            seen.take(message)
    return seen.found


def _messages(data: bytes, length_size: int, *, is_hevc: bool) -> Iterator[bytes]:
    """The payloads of ATSC captions in a sample."""
    position = 0
    for _ in range(_MAX_UNITS):
        start = position + length_size
        if start >= len(data):
            return
        position = start + int.from_bytes(data[position:start], "big")
        kind = data[start] >> 1 & 0x3F if is_hevc else data[start] & 0x1F
        if kind in (_SEI_OF_HEVC if is_hevc else _SEI_OF_H264):
            unit = data[start + (2 if is_hevc else 1) : position]
            yield from _captions(unit.replace(b"\0\0\3", b"\0\0"))


def _captions(messages: bytes) -> Iterator[bytes]:
    """The cc_data of the messages of a unit (H.264 §7.3.2.3.1)."""
    position = 0
    while len(messages) - position > 2:
        kind, position = _grown(messages, position)
        size, position = _grown(messages, position)
        payload = messages[position : position + size]
        position += size
        if kind == _USER_DATA_REGISTERED and payload.startswith(_ATSC):
            yield payload[len(_ATSC) :]


def _grown(data: bytes, position: int) -> tuple[int, int]:
    """A number written as bytes of 255 and a last one, and what follows it."""
    value = 0
    while position < len(data) and data[position] == 0xFF:
        value, position = value + 255, position + 1
    return value + (data[position] if position < len(data) else 0), position + 1


class _Seen:
    def __init__(self) -> None:
        self._channels: set[int] = set()
        self._services: set[int] = set()
        self._packet = b""
        self._wanted = 0

    @property
    def found(self) -> tuple[str, ...]:
        channels = (f"CC{one}" for one in sorted(self._channels))
        return (*channels, *(f"SERVICE{one}" for one in sorted(self._services)))

    def take(self, data: bytes) -> None:
        """cc_data: triples of a marker with validity and type, and two bytes (CTA-708 §4.4)."""
        if len(data) < 2 or not data[0] & 0x40:
            return
        for at in range(2, min(2 + 3 * (data[0] & 0x1F), len(data) - 2), 3):
            marker, pair = data[at], data[at + 1 : at + 3]
            if not marker & 4:
                continue
            kind = marker & 3
            if kind < 2:
                self._line_21(kind, pair[0] & 0x7F)
            else:
                self._packet_data(pair, begins=kind == 3)

    def _line_21(self, field: int, first: int) -> None:
        """A command tells which of the field's channels it is for."""
        if 0x10 <= first < 0x20:
            self._channels.add(2 * field + (2 if first & 0x08 else 1))

    def _packet_data(self, pair: bytes, *, begins: bool) -> None:
        if begins:
            self._packet = pair[1:]
            self._wanted = 2 * (pair[0] & 0x3F or 64) - 1
        elif self._wanted:
            self._packet += pair
        if self._wanted and len(self._packet) >= self._wanted:
            self._blocks(self._packet[: self._wanted])
            self._wanted = 0

    def _blocks(self, packet: bytes) -> None:
        """Service blocks (CTA-708 §6.2)."""
        position = 0
        while position < len(packet):
            service, size = packet[position] >> 5, packet[position] & 0x1F
            position += 1
            if service == 7 and size and position < len(packet):
                service, position = packet[position] & 0x3F, position + 1
            if not service or not size:
                return
            self._services.add(service)
            position += size
