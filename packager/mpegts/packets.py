"""A schedule and its bytes, as rows of 188 (ISO/IEC 13818-1 §2.4.3).

Headers, first and last packets of all PES are columns; what lies between is copied as one
strided block a PES, straight from the buffer that was read.  The plain version, one packet
at a time, is in the tests.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from packager.codecs.h264 import AUD
from packager.mpegts.clock import clock_field, timestamp_field
from packager.mpegts.elementary import Payloads
from packager.mpegts.psi import AUDIO_PID, VIDEO_PID
from packager.mpegts.rows import BODY_SIZE, CLOCK_FIELD_SIZE, PACKET_SIZE
from packager.mpegts.schedule import (
    AUDIO,
    CLOCK,
    PTS_DTS_HEADER_SIZE,
    PTS_HEADER_SIZE,
    VIDEO,
    Schedule,
)
from packager.samples import Bytes, Column

_PID = {VIDEO: VIDEO_PID, AUDIO: AUDIO_PID}
_STREAM_ID = {VIDEO: 0xE0, AUDIO: 0xC0}
_PAYLOAD_UNIT_START = 0x40
_HAS_PAYLOAD, _HAS_ADAPTATION = 0x10, 0x20
_CLOCK_FLAG, _RANDOM_ACCESS = 0x10, 0x40
_BODY = np.arange(BODY_SIZE)


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Items ``[start, stop)`` of a schedule, and the rows they fill."""

    schedule: Schedule
    start: int
    stop: int
    first_row: Column
    rows: Bytes

    def of_kind(self, kind: int) -> Column:
        """Numbers of the items of *kind*, in the schedule."""
        part = self.schedule.kind[self.start : self.stop]
        return self.start + np.flatnonzero(part == kind)

    def row_of(self, items: Column) -> Column:
        return self.first_row[items - self.start]


def packetize(
    schedule: Schedule,
    start: int,
    stop: int,
    video: Payloads | None,
    audio: Payloads | None,
    parameter_sets: bytes,
) -> Bytes:
    """Packets of items ``[start, stop)``.

    *video* holds the samples of the window's video items in order, *audio* its audio PES.
    """
    counts = schedule.rows[start:stop]
    first_row = np.cumsum(counts) - counts
    rows = np.empty((int(counts.sum()), PACKET_SIZE), np.uint8)
    window = _Window(schedule, start, stop, first_row, rows)
    _headers(window, counts)
    _clock_packets(window)
    for kind, payloads in ((VIDEO, video), (AUDIO, audio)):
        items = window.of_kind(kind)
        if len(items) and payloads is not None:
            heads = _heads(schedule, kind, items, parameter_sets)
            _fill(window, items, payloads, heads)
    return rows.reshape(-1)


def _headers(window: _Window, counts: Column) -> None:
    """The four bytes of every packet; adaptation flags are added where fields are laid."""
    schedule, rows = window.schedule, window.rows
    part = slice(window.start, window.stop)
    kind = schedule.kind[part]
    clock_pid = VIDEO_PID if schedule.has_video else AUDIO_PID
    pid = np.where(kind == VIDEO, VIDEO_PID, np.where(kind == AUDIO, AUDIO_PID, clock_pid))
    within = np.arange(len(rows)) - np.repeat(window.first_row, counts)
    rows[:, 0] = 0x47
    rows[:, 1] = np.repeat(pid >> 8, counts)
    rows[:, 2] = np.repeat(pid & 0xFF, counts)
    rows[:, 3] = np.repeat(schedule.counter[part], counts) + within & 15 | _HAS_PAYLOAD
    rows[window.first_row[kind != CLOCK], 1] |= _PAYLOAD_UNIT_START


def _clock_packets(window: _Window) -> None:
    """Packets of an adaptation field alone; they do not count (§2.4.3.3)."""
    items = window.of_kind(CLOCK)
    if not len(items):
        return
    rows = window.row_of(items)
    window.rows[rows, 3] ^= _HAS_PAYLOAD | _HAS_ADAPTATION
    window.rows[rows, 4:] = 0xFF
    window.rows[rows, 4] = BODY_SIZE - 1
    window.rows[rows, 5] = _CLOCK_FLAG
    window.rows[rows, 6:12] = clock_field(window.schedule.dts[items])


def _heads(
    schedule: Schedule, kind: int, items: Column, parameter_sets: bytes
) -> npt.NDArray[np.uint8]:
    """PES header, delimiter and parameter sets of each of *items*, padded with zeros."""
    heads = np.zeros((len(items), int(schedule.head[items].max())), np.uint8)
    dts, pts = schedule.dts[items], schedule.pts[items]
    both = dts != pts
    heads[:, 2], heads[:, 3], heads[:, 6] = 1, _STREAM_ID[kind], 0x84
    heads[:, 7] = np.where(both, 0xC0, 0x80)
    heads[:, 8] = np.where(both, 10, 5)
    heads[:, 9:14] = timestamp_field(2, pts)
    if kind == AUDIO:
        length = schedule.payload[items] + PTS_HEADER_SIZE - 6
        heads[:, 4], heads[:, 5] = length >> 8, length & 0xFF
        return heads
    if both.any():
        heads[both, 9:14] = timestamp_field(3, pts[both])
        heads[both, 14:19] = timestamp_field(1, dts[both])
    for has_dts in (False, True):
        for sync in (False, True):
            mine = (both == has_dts) & (schedule.sync[items] == sync)
            tail = np.frombuffer(AUD + (parameter_sets if sync else b""), np.uint8)
            begin = PTS_HEADER_SIZE + 5 * has_dts
            if mine.any():
                heads[mine, begin : begin + len(tail)] = tail
    return heads


def _fill(
    window: _Window, items: Column, payloads: Payloads, heads: npt.NDArray[np.uint8]
) -> None:
    """Adaptation fields and payload of all packets of *items*."""
    schedule = window.schedule
    if not len(payloads.data):  # empty samples alone; there must be a byte to point at
        payloads = replace(payloads, data=np.zeros(1, np.uint8))
    head, count = schedule.head[items], schedule.packets[items]
    clock = np.where(schedule.clock[items], CLOCK_FIELD_SIZE, 0)
    slack = count * BODY_SIZE - clock - head - payloads.sizes
    field = clock + np.where(count == 1, slack, 0)
    plain = (schedule.extra[items] == 0) & (field + head <= BODY_SIZE)
    fields = _clock_fields(schedule, items)
    some = np.flatnonzero(plain)
    if len(some):
        _first_packets(window, items, payloads, heads, fields, field, some)
        _last_packets(window, items, payloads, slack, some[count[some] > 1])
        _middle_packets(
            window, items, payloads, BODY_SIZE - clock - head, some[count[some] > 2]
        )
    for row in np.flatnonzero(~plain).tolist():
        item = int(items[row])
        start = int(payloads.starts[row])
        body = np.concatenate(
            (heads[row, : head[row]], payloads.data[start : start + int(payloads.sizes[row])])
        )
        at = int(window.row_of(items[row : row + 1])[0])
        total = int(schedule.rows[item])
        prefix = fields[row] if schedule.clock[item] else fields[row, :0]
        _spread(window.rows[at : at + total], body, prefix, int(schedule.extra[item]))


def _clock_fields(schedule: Schedule, items: Column) -> npt.NDArray[np.uint8]:
    """Flags and PCR of the adaptation field that starts each of *items* with a clock."""
    flags = np.where(schedule.sync[items], _CLOCK_FLAG | _RANDOM_ACCESS, _CLOCK_FLAG)
    return np.concatenate(
        (flags.astype(np.uint8)[:, None], clock_field(schedule.dts[items])), axis=1
    )


def _first_packets(
    window: _Window,
    items: Column,
    payloads: Payloads,
    heads: npt.NDArray[np.uint8],
    fields: npt.NDArray[np.uint8],
    field: Column,
    some: Column,
) -> None:
    """First packets: [adaptation field of *field* bytes] head payload."""
    schedule = window.schedule
    head = schedule.head[items[some]]
    rows = window.row_of(items[some])
    prefix = field[some] + head
    body = payloads.data.take((payloads.starts[some] - prefix)[:, None] + _BODY, mode="clip")
    _lay_fields(body, field[some], fields[some], schedule.clock[items[some]])
    place = _BODY[None, : heads.shape[1]]
    owner, column = np.nonzero(place < head[:, None])
    body[owner, field[some][owner] + column] = heads[some[owner], column]
    window.rows[rows, 4:] = body
    window.rows[rows[field[some] > 0], 3] |= _HAS_ADAPTATION


def _lay_fields(
    body: npt.NDArray[np.uint8],
    size: Column,
    fields: npt.NDArray[np.uint8],
    clock: npt.NDArray[np.bool_],
) -> None:
    """Adaptation fields of *size* bytes at the start of each row of *body* (§2.4.3.4)."""
    widest = int(size.max()) if len(size) else 0
    if not widest:
        return
    owner, column = np.nonzero(_BODY[None, :widest] < size[:, None])
    body[owner, column] = 0xFF
    some = np.flatnonzero(size)
    body[some, 0] = size[some] - 1
    some = np.flatnonzero(size > 1)
    body[some, 1] = 0
    some = np.flatnonzero(clock)
    body[some, 1:CLOCK_FIELD_SIZE] = fields[some]


def _last_packets(
    window: _Window, items: Column, payloads: Payloads, slack: Column, some: Column
) -> None:
    """Last packets of PES with several: stuffing, then the end of the payload."""
    if not len(some):
        return
    ends = payloads.starts[some] + payloads.sizes[some]
    body = payloads.data.take((ends - BODY_SIZE)[:, None] + _BODY, mode="clip")
    stuffing = slack[some]
    _lay_fields(body, stuffing, np.zeros((0, 7), np.uint8), np.zeros(len(some), np.bool_))
    rows = window.row_of(items[some]) + window.schedule.packets[items[some]] - 1
    window.rows[rows, 4:] = body
    window.rows[rows[stuffing > 0], 3] |= _HAS_ADAPTATION


def _middle_packets(
    window: _Window, items: Column, payloads: Payloads, taken: Column, some: Column
) -> None:
    """Packets that are payload alone; *taken* is what the first packet took of it."""
    rows, data = window.rows, payloads.data
    first = (window.row_of(items[some]) + 1).tolist()
    count = (window.schedule.packets[items[some]] - 2).tolist()
    begin = (payloads.starts[some] + taken[some]).tolist()
    for row, packets, at in zip(first, count, begin, strict=True):
        rows[row : row + packets, 4:] = data[at : at + packets * BODY_SIZE].reshape(
            packets, BODY_SIZE
        )


def _spread(rows: Bytes, body: Bytes, prefix: npt.NDArray[np.uint8], extra: int) -> None:
    """One PES over all of *rows*, one packet at a time: full ones first, the rest in the last
    one; or, with *extra* packets, shared by the last ``extra + 2``, so that each of them
    carries some payload.  The PES header stays whole where there are bytes enough."""
    field = len(prefix) + 1 if len(prefix) else 0
    sharing = extra + 2 if extra else 1
    least = min(PTS_DTS_HEADER_SIZE, len(body) - len(rows) + 1)
    at = 0
    for number, row in enumerate(rows):
        left = len(rows) - number
        room = BODY_SIZE - (field if number == 0 else 0)
        share = room if left > sharing else min(room, -(-(len(body) - at) // left))
        if number == 0:
            share = max(share, least)
        size = BODY_SIZE - share
        if size:
            row[3] |= _HAS_ADAPTATION
            row[4 : 4 + size] = 0xFF
            row[4] = size - 1
        if size > 1:
            row[5] = 0
        if number == 0 and len(prefix):
            row[5:12] = prefix
        row[4 + size :] = body[at : at + share]
        at += share
