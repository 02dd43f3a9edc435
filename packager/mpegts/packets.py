"""A schedule and its bytes, as rows of 188 (ISO/IEC 13818-1 §2.4.3).

Every packet is either partial, as it holds a PES header or stuffing beside payload, or full of
payload.  The first packet of a PES is partial, and so are its last ones.  All partial packets
of a segment are columns, made once; a window gathers their payload, and what lies between
them is copied as one strided block a PES, straight from the buffer that was read.  The plain
version, one packet at a time, is in the tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from packager.codecs.h264 import AUD
from packager.mpegts.clock import clock_field, timestamp_field
from packager.mpegts.psi import AUDIO_PID, VIDEO_PID
from packager.mpegts.rows import BODY_SIZE, CLOCK_FIELD_SIZE, PACKET_SIZE
from packager.mpegts.schedule import (
    CLOCK,
    PTS_DTS_HEADER_SIZE,
    PTS_HEADER_SIZE,
    VIDEO,
    Items,
    Schedule,
)
from packager.samples import Bytes, Column, Flags, column, overlapping

_CLOCK_FLAG, _RANDOM_ACCESS = 0x10, 0x40
_BODY = np.dtype(f"V{BODY_SIZE}")
"""Copied as one, a body costs half of what it costs as bytes."""
_PACKET = np.dtype([("header", "V4"), ("body", _BODY)])

# A packet's header, read as a little-endian number.
_SYNC_BYTE = 0x47
_PAYLOAD_UNIT_START = 0x40 << 8
_HAS_PAYLOAD, _HAS_ADAPTATION = 0x10 << 24, 0x20 << 24
_COUNTER = 0x0F << 24


def _stuffing() -> Bytes:
    """Row k starts with an adaptation field of k bytes that says nothing (§2.4.3.4)."""
    rows = np.full((BODY_SIZE + 1, BODY_SIZE), 0xFF, np.uint8)
    rows[1:, 0] = np.arange(BODY_SIZE)
    rows[2:, 1] = 0
    return rows


_STUFFING = _stuffing()
_FIRST = np.arange(BODY_SIZE) < np.arange(BODY_SIZE + 1)[:, None]
"""Row k: the first k bytes of a body."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shares:
    """How the bytes of each PES, header included, are shared by its packets: a first one,
    full ones, and the rest evenly by the last ones."""

    first: Column
    last: Column
    """Number of the first of the last ones, from 0; all of a PES where there is none."""

    rest: Column
    count: Column
    """Of the last ones."""

    def of(self, pes: Column, number: Column) -> tuple[Column, Column]:
        """Where packet *number* of each of *pes* begins in its bytes, and how many it has."""
        first, last = self.first[pes], self.last[pes]
        least, more = np.divmod(self.rest[pes], np.maximum(self.count[pes], 1))
        beyond = number - last
        is_last, is_first = beyond >= 0, number == 0
        share = np.where(is_last, least + (beyond < more), BODY_SIZE)
        full = np.minimum(number, last) - 1
        start = first + full * BODY_SIZE + is_last * (beyond * least + np.minimum(beyond, more))
        return np.where(is_first, 0, start), np.where(is_first, first, share)


def _shares(pes: Items) -> _Shares:
    """Full packets first, what is left in the last one; or, with *extra* packets, shared by
    the last ``extra + 2``, so that each of them carries some payload.  The PES header stays
    whole where there are bytes enough."""
    size, rows = pes.head + pes.payload, pes.packets + pes.extra
    sharing = np.where(pes.extra > 0, pes.extra + 2, 1)
    room = BODY_SIZE - CLOCK_FIELD_SIZE * pes.clock
    first = np.where(rows > sharing, room, np.minimum(room, -(-size // rows)))
    first = np.maximum(first, np.minimum(PTS_DTS_HEADER_SIZE, size - rows + 1))
    last = np.maximum(rows - sharing, 1)
    return _Shares(first, last, size - first - BODY_SIZE * (last - 1), rows - last)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """All PES, those of video before those of audio, and their partial packets in order."""

    starts: Column
    """First packet of each PES, among all packets of the segment."""

    offset: tuple[int, int]
    """Number of the first PES of video, and of audio."""

    partial: Column
    """Number of the first partial packet of each PES, and behind the last one their count."""

    row: Column
    """Which packet of the segment each is."""

    owner: Column
    """Its PES."""

    place: Column
    """Where its body would begin, from the start of the PES's payload, if the payload that it
    ends in went that far; often negative."""

    before: Column
    """Bytes of its body before the payload."""

    own: Bytes
    """These bytes, where *is_own*."""

    is_own: Flags

    is_padded: Flags
    """It has an adaptation field."""

    middle_row: Column
    """The first of each PES's packets that are full of payload, and how many there are."""

    middle_count: Column
    middle_place: Column
    """Where they begin, from the start of the PES's payload."""


class Layout:
    """A schedule as packets, but for their payload: made once, used by every window."""

    def __init__(self, schedule: Schedule, parameter_sets: bytes, stream_id: int) -> None:
        """*stream_id* is that of the sound's PES."""
        self.schedule = schedule
        self._parameter_sets, self._stream_id = parameter_sets, stream_id
        self._rows = schedule.rows
        self.first_row = np.cumsum(self._rows) - self._rows

    @cached_property
    def _columns(self) -> _Columns:
        numbers = np.concatenate(self.schedule.numbers)
        pictures, total = len(self.schedule.numbers[VIDEO]), len(numbers)
        items, first_row = self.schedule.picked(numbers), self.first_row[numbers]
        head, shares = items.head, _shares(items)
        # Parameter sets may be longer than a packet: then those they fill are partial too.
        beyond = np.maximum(head - shares.first, 0)
        leading = np.minimum(1 - -beyond // BODY_SIZE, shares.last)
        counts = leading + shares.count
        partial = np.concatenate(([0], np.cumsum(counts)))
        owner = np.repeat(np.arange(total), counts)
        number = np.arange(len(owner)) - partial[owner]
        number += np.where(number >= leading[owner], (shares.last - leading)[owner], 0)
        start, share = shares.of(owner, number)
        padding, behind = BODY_SIZE - share, head[owner] - start
        before = padding + np.minimum(np.maximum(behind, 0), share)
        heads = _heads(items, pictures, self._parameter_sets, self._stream_id)
        own = _own_bytes(items, heads, partial[:-1], padding)
        for at in np.flatnonzero((behind > 0) & (number > 0)).tolist():
            rest = heads[owner[at], start[at] : head[owner[at]]][: share[at]]
            own[at, padding[at] : before[at]] = rest
        return _Columns(
            starts=first_row,
            offset=(0, pictures),
            partial=partial,
            row=first_row[owner] + number,
            owner=owner,
            place=-behind - padding,
            before=before,
            own=own,
            is_own=_FIRST.take(before, axis=0),
            is_padded=padding > 0,
            middle_row=first_row + leading,
            middle_count=shares.last - leading,
            middle_place=shares.first + (leading - 1) * BODY_SIZE - head,
        )

    @cached_property
    def _headers(self) -> npt.NDArray[np.uint32]:
        """The four bytes of every packet."""
        items, columns = self.schedule.items, self._columns
        fixed = self._pid_headers.take(items.kind)
        # Counters run on inside an item: what they are ahead of the row is its own.
        ahead = (items.counter - self.first_row & 15) << 24
        headers = np.repeat((fixed + ahead).astype("<u4"), self._rows)
        headers += np.arange(len(headers), dtype="<u4") << 24
        headers &= ~np.uint32(0xF0 << 24)
        headers |= np.uint32(_HAS_PAYLOAD)
        headers[columns.starts] |= np.uint32(_PAYLOAD_UNIT_START)
        if self.schedule.clocks:
            clocks = self.first_row[self._clocks[0]]
            headers[clocks] ^= np.uint32(_HAS_PAYLOAD | _HAS_ADAPTATION)
        headers[columns.row[columns.is_padded]] |= np.uint32(_HAS_ADAPTATION)
        return headers

    @property
    def _pid_headers(self) -> Column:
        """Sync byte and PID of each kind of item."""
        pids = (VIDEO_PID, AUDIO_PID, VIDEO_PID if self.schedule.has_video else AUDIO_PID)
        return column([_SYNC_BYTE | pid & 0xFF00 | (pid & 0xFF) << 16 for pid in pids])

    @cached_property
    def _clocks(self) -> tuple[Column, Bytes]:
        """Items that are a clock alone, and their bodies; they do not count (§2.4.3.3)."""
        items = np.flatnonzero(self.schedule.items.kind == CLOCK)
        bodies = np.repeat(_STUFFING[-1:], len(items), axis=0)
        bodies[:, 1] = _CLOCK_FLAG
        bodies[:, 2:8] = clock_field(self.schedule.items.dts[items])
        return items, bodies

    def packets(self, start: int, stop: int, fills: Iterable[tuple["Fill", Bytes]]) -> Bytes:
        """Packets of the schedule's items ``[start, stop)``, filled from the buffers."""
        first = int(self.first_row[start])
        count = int(self.first_row[stop - 1] + self._rows[stop - 1]) - first
        rows = np.empty((count, PACKET_SIZE), np.uint8)
        rows.view("<u4")[:, 0] = self._headers[first : first + count]
        if self.schedule.clocks:
            items, bodies = self._clocks
            low, high = np.searchsorted(items, (start, stop))
            rows[self.first_row[items[low:high]] - first, 4:] = bodies[low:high]
        for fill, data in fills:
            fill.fill(data, rows)
        return rows.reshape(-1)

    def fill(
        self, kind: int, start: int, stop: int, starts: Column, size: int
    ) -> "Fill | None":
        """Where the payloads of *kind* in items ``[start, stop)`` go, which lie at *starts*
        in a buffer of *size* bytes; None where there are none."""
        columns = self._columns
        among = self.schedule.between(kind, start, stop)
        if among.start == among.stop:
            return None
        low, high = columns.offset[kind] + among.start, columns.offset[kind] + among.stop
        first_row = int(self.first_row[start])
        partial = slice(int(columns.partial[low]), int(columns.partial[high]))
        places = starts[columns.owner[partial] - low] + columns.place[partial]
        last = max(size, BODY_SIZE) - BODY_SIZE
        within = np.minimum(np.maximum(places, 0), last)
        some = low + np.flatnonzero(columns.middle_count[low:high])
        at, count = columns.middle_row[some] - first_row, columns.middle_count[some]
        return Fill(
            rows=columns.row[partial] - first_row,
            places=within,
            own=columns.own[partial],
            is_own=columns.is_own[partial],
            outside=tuple(
                (row, int(columns.before[partial][row]), int(places[row]))
                for row in np.flatnonzero(places != within).tolist()
            ),
            middles=(
                at.tolist(), (at + count).tolist(), count.tolist(),
                (starts[some - low] + columns.middle_place[some]).tolist(),
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """Where in a window's rows the payloads of one PID go, and from where in their buffer."""

    rows: Column
    """Of the partial packets."""

    places: Column
    """In the buffer, where their bodies would begin."""

    own: Bytes
    """Their bodies before the payload, where *is_own*."""

    is_own: Flags
    outside: tuple[tuple[int, int, int], ...]
    """Partial packets whose body would begin before the buffer or end behind it: number,
    bytes before the payload, and place."""

    middles: tuple[list[int], list[int], list[int], list[int]]
    """Of each PES with packets full of payload: its rows ``[start, stop)``, how many, and
    where in the buffer what fills them begins."""

    def fill(self, data: Bytes, rows: Bytes) -> None:
        """Fill *rows* from *data*."""
        whole = rows.view(_PACKET)[:, 0]["body"]
        for at, stop, count, begin in zip(*self.middles, strict=True):
            whole[at:stop] = np.frombuffer(data, _BODY, count, begin)
        if len(data) < BODY_SIZE:
            data = np.concatenate((data, np.zeros(BODY_SIZE - len(data), np.uint8)))
        gathered = overlapping(data, _BODY)[self.places]
        bodies = gathered.view(np.uint8).reshape(-1, BODY_SIZE)
        for number, before, place in self.outside:
            bodies[number, before:] = data[place + before : place + BODY_SIZE]
        np.copyto(bodies, self.own, where=self.is_own)
        whole[self.rows] = gathered


def _own_bytes(pes: Items, heads: Bytes, first: Column, padding: Column) -> Bytes:
    """Partial packets' bodies before the payload, from their *padding*; the *first* ones of
    *pes* with clocks and *heads*."""
    own: Bytes = _STUFFING.take(padding, axis=0)
    clocked = np.flatnonzero(pes.clock)
    own[first[clocked], 1:CLOCK_FIELD_SIZE] = _clock_fields(pes, clocked)
    own[first] = _headed(own[first], heads, padding[first])
    return own


def _headed(bodies: Bytes, heads: Bytes, places: Column) -> Bytes:
    """*bodies* with as much of each row of *heads* as has room, from its place on."""
    width = heads.shape[1]
    wide = np.empty((len(bodies), BODY_SIZE + width), np.uint8)
    wide[:, :BODY_SIZE] = bodies
    rows = heads.view(f"V{width}")[:, 0]
    begins = np.arange(len(wide)) * wide.shape[1] + places
    overlapping(wide.reshape(-1), rows.dtype)[begins] = rows
    headed: Bytes = wide[:, :BODY_SIZE]
    return headed


def _heads(pes: Items, pictures: int, parameter_sets: bytes, stream_id: int) -> Bytes:
    """PES header, delimiter and parameter sets of each of *pes*, the first *pictures* of
    which are video; padded with zeros."""
    both = pes.dts != pes.pts
    form = 2 * both + pes.sync
    form[pictures:] = _AUDIO_FORM
    heads: Bytes = _forms(parameter_sets, stream_id).take(form, axis=0)
    heads[:, 9:14] = timestamp_field(2 + both, pes.pts)
    some = np.flatnonzero(both)
    heads[some, 14:19] = timestamp_field(1, pes.dts[some])
    length = pes.payload[pictures:] + PTS_HEADER_SIZE - 6
    heads[pictures:, 4:6] = length.astype(">u2").view(np.uint8).reshape(-1, 2)
    return heads


_AUDIO_FORM = 4


@lru_cache(maxsize=64)
def _forms(parameter_sets: bytes, stream_id: int) -> Bytes:
    """What all heads of a form share: without and with DTS, each without and with parameter
    sets; then those of audio (§2.4.3.6)."""
    stamps = (b"\x80\5" + bytes(5), b"\xc0\x0a" + bytes(10))
    forms = [
        b"\0\0\1\xe0\0\0\x84" + stamp + AUD + sets
        for stamp in stamps
        for sets in (b"", parameter_sets)
    ]
    forms.append(bytes([0, 0, 1, stream_id, 0, 0, 0x84]) + stamps[0])
    width = max(map(len, forms))
    rows = [np.frombuffer(form.ljust(width, b"\0"), np.uint8) for form in forms]
    return np.stack(rows)


def _clock_fields(pes: Items, some: Column) -> Bytes:
    """Flags and PCR of the adaptation fields that start *some* of *pes*."""
    fields = np.empty((len(some), CLOCK_FIELD_SIZE - 1), np.uint8)
    fields[:, 0] = _CLOCK_FLAG | _RANDOM_ACCESS * pes.sync[some]
    fields[:, 1:] = clock_field(pes.dts[some])
    return fields
