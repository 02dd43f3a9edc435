"""A schedule and its bytes, as rows of 188 (ISO/IEC 13818-1 §2.4.3).

Headers, first and last packets of all PES are columns, made once for the segment; a window
gathers its payload into them, and what lies between a PES's first and last packet is copied
as one strided block, straight from the buffer that was read.  The plain version, one packet
at a time, is in the tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from packager.codecs.h264 import AUD
from packager.mpegts.clock import clock_field, timestamp_field
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
from packager.samples import Bytes, Column, Flags

_STREAM_ID = {VIDEO: 0xE0, AUDIO: 0xC0}
_PAYLOAD_UNIT_START = 0x40
_HAS_PAYLOAD, _HAS_ADAPTATION = 0x10, 0x20
_CLOCK_FLAG, _RANDOM_ACCESS = 0x10, 0x40
_BODY = np.arange(BODY_SIZE)
_WHOLE_BODY = np.dtype(f"V{BODY_SIZE}")
"""Copied as one, a body costs half of what it costs as bytes."""
_PACKET = np.dtype([("header", "V4"), ("body", _WHOLE_BODY)])
_PLACE = 1 << 8
"""What is added to a place in a buffer, to tell it from a byte."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """Columns over the PES of one PID, in the schedule's order."""

    items: Column
    """Their numbers in the schedule."""

    heads: Bytes
    """PES header, delimiter and parameter sets of each, padded with zeros."""

    fields: Bytes
    """Flags and PCR of each one's adaptation field, for those with a clock."""

    before: Column
    """Bytes in the first packet before its payload: adaptation field and head."""

    lead: Bytes
    """First packets' bodies, up to the payload; *is_lead* says how far."""

    is_lead: Flags
    trail: Bytes
    """Last packets' stuffing, for PES of several; *is_trail* says how far."""

    is_trail: Flags
    plain: Column
    """Rows of these columns whose packets follow from them; the others are spread."""

    several: Column
    """Those of *plain* with more than one packet."""

    middle: Column
    """Those of *plain* with more than two."""

    spread: Column


class Layout:
    """A schedule as packets, but for their payload: made once, used by every window."""

    def __init__(self, schedule: Schedule, parameter_sets: bytes) -> None:
        self.schedule = schedule
        self._parameter_sets = parameter_sets
        self._rows = schedule.rows
        self.first_row = np.cumsum(self._rows) - self._rows

    @cached_property
    def _streams(self) -> dict[int, _Stream]:
        found = {}
        for kind in (VIDEO, AUDIO):
            items = np.flatnonzero(self.schedule.kind == kind)
            if len(items):
                found[kind] = _columns(self.schedule, kind, items, self._parameter_sets)
        return found

    @cached_property
    def _headers(self) -> Bytes:
        """The four bytes of every packet."""
        schedule, counts = self.schedule, self._rows
        kind = schedule.kind
        clock_pid = VIDEO_PID if schedule.has_video else AUDIO_PID
        pid = np.where(kind == VIDEO, VIDEO_PID, np.where(kind == AUDIO, AUDIO_PID, clock_pid))
        headers = np.empty((int(counts.sum()), 4), np.uint8)
        within = np.arange(len(headers)) - np.repeat(self.first_row, counts)
        headers[:, 0] = 0x47
        headers[:, 1] = np.repeat(pid >> 8, counts)
        headers[:, 2] = np.repeat(pid & 0xFF, counts)
        headers[:, 3] = np.repeat(schedule.counter, counts) + within & 15 | _HAS_PAYLOAD
        headers[self.first_row[kind != CLOCK], 1] |= _PAYLOAD_UNIT_START
        headers[self.first_row[kind == CLOCK], 3] ^= _HAS_PAYLOAD | _HAS_ADAPTATION
        for stream in self._streams.values():
            rows = self.first_row[stream.items]
            has_field = np.flatnonzero(stream.before > schedule.head[stream.items])
            headers[rows[has_field], 3] |= _HAS_ADAPTATION
            some = stream.several[stream.is_trail[stream.several, 0]]
            last = rows[some] + schedule.packets[stream.items[some]] - 1
            headers[last, 3] |= _HAS_ADAPTATION
        return headers

    @cached_property
    def _clocks(self) -> tuple[Column, Bytes]:
        """Items that are a clock alone, and their bodies; they do not count (§2.4.3.3)."""
        items = np.flatnonzero(self.schedule.kind == CLOCK)
        bodies = np.full((len(items), BODY_SIZE), 0xFF, np.uint8)
        bodies[:, 0] = BODY_SIZE - 1
        bodies[:, 1] = _CLOCK_FLAG
        bodies[:, 2:8] = clock_field(self.schedule.dts[items])
        return items, bodies

    def packets(self, start: int, stop: int, fills: Iterable[tuple["Fill", Bytes]]) -> Bytes:
        """Packets of the schedule's items ``[start, stop)``, filled from the buffers."""
        first = int(self.first_row[start])
        count = int(self.first_row[stop - 1] + self._rows[stop - 1]) - first
        rows = np.empty((count, PACKET_SIZE), np.uint8)
        rows.view(np.uint32)[:, 0] = self._headers[first : first + count].view(np.uint32)[:, 0]
        items, bodies = self._clocks
        if len(items):
            low, high = np.searchsorted(items, (start, stop))
            rows[self.first_row[items[low:high]] - first, 4:] = bodies[low:high]
        for fill, data in fills:
            self._fill(fill, data, rows)
        return rows.reshape(-1)

    def fill(
        self, kind: int, start: int, stop: int, starts: Column, sizes: Column
    ) -> "Fill | None":
        """Where the payloads of *kind* in items ``[start, stop)`` go, which lie at *starts*
        in a buffer; None where there are none."""
        stream = self._streams.get(kind)
        if stream is None:
            return None
        low, high = (int(at) for at in np.searchsorted(stream.items, (start, stop)))
        if low == high:
            return None
        at = self.first_row[stream.items[low:high]] - int(self.first_row[start])
        packets = self.schedule.packets[stream.items[low:high]]
        some, ends = _between(stream.plain, low, high), starts + sizes
        several = _between(stream.several, low, high)
        middle = _between(stream.middle, low, high)
        near = middle - low
        begin = starts[near] + BODY_SIZE - stream.before[middle]
        count = packets[near] - 2
        return Fill(
            stream=stream,
            starts=starts,
            sizes=sizes,
            first_rows=at[some - low],
            first_bytes=(starts[some - low] - stream.before[some])[:, None],
            lead=stream.lead[some],
            is_lead=stream.is_lead[some],
            last_rows=(at + packets)[several - low] - 1,
            last_bytes=(ends[several - low] - BODY_SIZE)[:, None],
            trail=stream.trail[several],
            is_trail=stream.is_trail[several],
            middles=tuple(
                zip(
                    (at[near] + 1).tolist(), (at[near] + 1 + count).tolist(),
                    count.tolist(), begin.tolist(), strict=True,
                )
            ),
            spread=tuple(
                self._spread(stream, row, starts[row - low], sizes[row - low], at[row - low])
                for row in _between(stream.spread, low, high).tolist()
            ),
        )  # fmt: skip

    def _fill(self, fill: "Fill", data: Bytes, rows: Bytes) -> None:
        if not len(data):  # empty samples alone; there must be a byte to point at
            data = np.zeros(1, np.uint8)
        bodies, whole = rows[:, 4:], rows.view(_PACKET)[:, 0]["body"]
        for at, stop, count, begin in fill.middles:
            whole[at:stop] = np.frombuffer(data, _WHOLE_BODY, count, begin)
        body = data.take(fill.first_bytes + _BODY, mode="clip")
        np.copyto(body, fill.lead, where=fill.is_lead)
        bodies[fill.first_rows] = body
        body = data.take(fill.last_bytes + _BODY, mode="clip")
        np.copyto(body, fill.trail, where=fill.is_trail)
        bodies[fill.last_rows] = body
        for spread in fill.spread:
            body = data.take(spread.places, mode="clip")
            np.copyto(body, spread.own, where=spread.is_own)
            bodies[spread.rows] = body
            rows[spread.rows, 3] |= spread.flags

    def _spread(self, stream: "_Stream", row: int, start: int, size: int, at: int) -> "_Spread":
        """The PES at *row* of *stream*, whose payload lies at *start* in a buffer, laid over
        the rows of a window from *at* on: once with places in the buffer for its bytes."""
        item = int(stream.items[row])
        head = stream.heads[row, : self.schedule.head[item]].astype(np.int64)
        prefix = stream.fields[row, : 7 if self.schedule.clock[item] else 0]
        total = int(self._rows[item])
        laid = np.zeros((total, PACKET_SIZE), np.int64)
        body = np.concatenate((head, _PLACE + start + np.arange(size)))
        _spread(laid, body, prefix, int(self.schedule.extra[item]))
        flags, laid = laid[:, 3].astype(np.uint8), laid[:, 4:]
        is_own = laid < _PLACE
        return _Spread(
            rows=slice(int(at), int(at) + total),
            flags=flags,
            places=np.where(is_own, start, laid - _PLACE),
            own=np.where(is_own, laid, 0).astype(np.uint8),
            is_own=is_own,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """The packets of a PES that do not follow from columns."""

    rows: slice
    """Of a window."""

    flags: Bytes
    """What their headers have beside what all headers have."""

    places: Column
    """In the buffer, of each byte of their bodies."""

    own: Bytes
    """The bytes that are not from the buffer, where *is_own*."""

    is_own: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """Where in a window's rows the payloads of one PID go, and from where in their buffer."""

    stream: _Stream
    starts: Column
    sizes: Column
    first_rows: Column
    first_bytes: Column
    """Place in the buffer of what would be the first byte of each first packet's body."""

    lead: Bytes
    is_lead: Flags
    last_rows: Column
    last_bytes: Column
    trail: Bytes
    is_trail: Flags
    middles: tuple[tuple[int, int, int, int], ...]
    """Rows ``[start, stop)``, how many, and where in the buffer what fills them begins."""

    spread: tuple[_Spread, ...]
    """PES laid one packet at a time."""


def _between(numbers: Column, low: int, high: int) -> Column:
    start, stop = np.searchsorted(numbers, (low, high))
    return numbers[start:stop]


def _columns(schedule: Schedule, kind: int, items: Column, parameter_sets: bytes) -> _Stream:
    head, count = schedule.head[items], schedule.packets[items]
    clock = np.where(schedule.clock[items], CLOCK_FIELD_SIZE, 0)
    slack = count * BODY_SIZE - clock - head - schedule.payload[items]
    field = clock + np.where(count == 1, slack, 0)
    is_plain = (schedule.extra[items] == 0) & (field + head <= BODY_SIZE)
    heads = _heads(schedule, kind, items, parameter_sets)
    fields = _clock_fields(schedule, items)
    lead = np.zeros((len(items), BODY_SIZE), np.uint8)
    trail = np.zeros((len(items), BODY_SIZE), np.uint8)
    plain = np.flatnonzero(is_plain)
    several = np.flatnonzero(is_plain & (count > 1))
    stuffing = np.where(is_plain & (count > 1), slack, 0)
    _lay_fields(lead, np.where(is_plain, field, 0), fields, schedule.clock[items] & is_plain)
    _lay_fields(trail, stuffing, fields, np.zeros(len(items), np.bool_))
    own = _BODY[None, : heads.shape[1]] < np.where(is_plain, head, 0)[:, None]
    owner, place = np.nonzero(own)
    lead[owner, field[owner] + place] = heads[owner, place]
    before = np.where(is_plain, field + head, 0)
    return _Stream(
        items=items,
        heads=heads,
        fields=fields,
        before=before,
        lead=lead,
        is_lead=before[:, None] > _BODY,
        trail=trail,
        is_trail=stuffing[:, None] > _BODY,
        plain=plain,
        several=several,
        middle=np.flatnonzero(is_plain & (count > 2)),
        spread=np.flatnonzero(~is_plain),
    )


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


def _clock_fields(schedule: Schedule, items: Column) -> npt.NDArray[np.uint8]:
    """Flags and PCR of the adaptation field that starts each of *items* with a clock."""
    flags = np.where(schedule.sync[items], _CLOCK_FLAG | _RANDOM_ACCESS, _CLOCK_FLAG)
    return np.concatenate(
        (flags.astype(np.uint8)[:, None], clock_field(schedule.dts[items])), axis=1
    )


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


def _spread(rows: Column, body: Column, prefix: npt.NDArray[np.uint8], extra: int) -> None:
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
