"""The multiplex of one segment, the obvious way: one packet at a time, no NumPy.

This is the reference for ``packager.mpegts``: ``test_against_plain`` holds both equal, byte
for byte.  It starts from access units that are byte streams already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from packager.codecs.audio_streams import AudioStream
from packager.mpegts.psi import tables

PIDS = {"video": 0x100, "audio": 0x101}
VIDEO_STREAM_ID = 0xE0
DELIMITER = b"\0\0\0\1\x09\xf0"
BASE = 900_000
CLOCK_LEAD = 45_000
CLOCK_GAP = 8_100
APART = 2 * CLOCK_GAP
AUDIO_SPAN = 18_000
BODY = 184


@dataclass
class Frame:
    """An access unit; times are 90 kHz from the presentation's zero."""

    dts: int
    pts: int
    data: bytes
    """A byte stream without delimiters, or an ADTS frame."""

    sync: bool = True


@dataclass
class Pes:
    kind: str
    time: int
    """Where it stands in the multiplex."""

    header: bytes
    data: bytes
    clock: int | None
    sync: bool


@dataclass
class Clock:
    time: int


@dataclass
class Writer:
    """Packets, and the next counter of each PID."""

    packets: list[bytes] = field(default_factory=list)
    counters: dict[int, int] = field(default_factory=lambda: dict.fromkeys(PIDS.values(), 0))

    def packet(self, pid: int, start: bool, fields: bytes | None, payload: bytes) -> None:
        """*fields* is an adaptation field without its length, None for none; what is left of
        the packet is stuffing."""
        room = BODY - len(payload)
        adaptation = b""
        if fields is not None or room:
            if fields is None:
                fields = b"" if room == 1 else b"\0"
            adaptation = bytes([room - 1]) + fields + b"\xff" * (room - 1 - len(fields))
        control = (0x20 if adaptation else 0) | (0x10 if payload else 0)
        if payload:
            counter = self.counters[pid]
            self.counters[pid] += 1
        else:
            counter = self.counters[pid] - 1  # without payload it does not count
        head = bytes([0x47, start << 6 | pid >> 8, pid & 0xFF, control | counter & 15])
        self.packets.append(head + adaptation + payload)
        assert len(self.packets[-1]) == 188


def clock_bytes(time: int) -> bytes:
    base = (time - CLOCK_LEAD) % (1 << 33)
    return (base << 15 | 0x7E00).to_bytes(6, "big")


def stamp(prefix: int, time: int) -> bytes:
    time %= 1 << 33
    bits = prefix << 36 | time >> 30 << 33 | 1 << 32
    bits |= (time >> 15 & 0x7FFF) << 17 | 1 << 16 | (time & 0x7FFF) << 1 | 1
    return bits.to_bytes(5, "big")


def pes_header(stream_id: int, dts: int, pts: int, length: int) -> bytes:
    stamps = stamp(2, pts) if dts == pts else stamp(3, pts) + stamp(1, dts)
    flags = 0x80 if dts == pts else 0xC0
    after = bytes([0x84, flags, len(stamps)]) + stamps
    size = 0 if stream_id == VIDEO_STREAM_ID else len(after) + length
    return b"\0\0\1" + bytes([stream_id]) + size.to_bytes(2, "big") + after


def video_items(frames: Sequence[Frame], parameter_sets: bytes) -> list[Pes]:
    made = []
    for frame in frames:
        header = pes_header(VIDEO_STREAM_ID, frame.dts + BASE, frame.pts + BASE, 0) + DELIMITER
        header += parameter_sets if frame.sync else b""
        time = frame.dts + BASE
        made.append(Pes("video", time, header, frame.data, time, frame.sync))
    return made


def audio_items(
    frames: Sequence[Frame], group: int, stream_id: int, *, clock: bool
) -> list[Pes]:
    made = []
    for first in range(0, len(frames), group):
        data = b"".join(frame.data for frame in frames[first : first + group])
        time = frames[first].pts + BASE
        header = pes_header(stream_id, time, time, len(data))
        made.append(Pes("audio", time, header, data, time if clock else None, clock))
    return made


def group_size(frame_ticks: int | None, largest: int, *, alone: bool) -> int:
    """Frames in one audio PES; *frame_ticks* is None where they differ."""
    if frame_ticks is None:
        return 1
    span = CLOCK_GAP if alone else AUDIO_SPAN
    group = max(1, min(16, span // max(1, frame_ticks)))
    return 1 if group * largest > 60_000 else group


def clocks(times: Sequence[int], end: int, *, has_own: bool) -> list[Clock]:
    """What must stand between items at *times*, and before each that has no clock of its own,
    so that clocks are close enough."""
    made = []
    for time, following in pairwise([*times, end]):
        gap = following - time
        parts = -(-gap // CLOCK_GAP)
        made += [Clock(time + gap * part // parts) for part in range(has_own, parts)]
    return made


def clock_packets(
    pictures: Sequence[Pes],
    sounds: Sequence[Pes],
    video_end: int,
    audio_end: int,
    on_video: bool,
) -> list[Clock]:
    video_end, audio_end = video_end + BASE, audio_end + BASE
    if not pictures:
        return clocks([one.time for one in sounds], audio_end, has_own=not on_video)
    begin = pictures[0].time
    if sounds and sounds[0].time < begin - APART:
        begin = sounds[0].time
    end = audio_end if sounds and audio_end > video_end + APART else video_end
    leading = clocks([begin], pictures[0].time, has_own=False)
    return leading + clocks([one.time for one in pictures], end, has_own=True)


def one_has_clock(item: Pes | Clock) -> bool:
    return isinstance(item, Clock) or item.clock is not None


def packet_count(item: Pes) -> int:
    size = len(item.header) + len(item.data) + (8 if item.clock is not None else 0)
    return -(-size // BODY)


def write_pes(writer: Writer, item: Pes, extra: int) -> None:
    """Full packets and the rest in the last; with *extra* packets the last ``extra + 2``
    share evenly, but the first keeps the PES header whole if it can."""
    body = item.header + item.data
    count = packet_count(item) + extra
    sharing = extra + 2 if extra else 1
    whole_header = min(19, len(body) - count + 1)
    for number in range(count):
        left = count - number
        fields = None
        room = BODY
        if number == 0 and item.clock is not None:
            fields = bytes([0x50 if item.sync else 0x10]) + clock_bytes(item.clock)
            room -= 8
        share = room if left > sharing else min(room, -(-len(body) // left))
        if number == 0:
            share = max(share, whole_header)
        writer.packet(PIDS[item.kind], number == 0, fields, body[:share])
        body = body[share:]
    assert not body


def plain_mux(
    number: int,
    video: Sequence[Frame],
    audio: Sequence[Frame],
    *,
    parameter_sets: bytes = b"",
    frame_ticks: int | None = None,
    video_end: int = 0,
    audio_end: int = 0,
    has_video: bool,
    program_audio: AudioStream | None,
) -> bytes:
    """Segment *number*; the ends are when the last frame of each ends."""
    pictures = video_items(video, parameter_sets)
    largest = max((len(frame.data) for frame in audio), default=0)
    group = group_size(frame_ticks, largest, alone=not has_video)
    stream_id = program_audio.stream_id if program_audio else 0
    sounds = audio_items(audio, group, stream_id, clock=not has_video)
    extra = {
        "video": -sum(map(packet_count, pictures)) % 16,
        "audio": -sum(map(packet_count, sounds)) % 16,
    }
    items: list[tuple[float, int, Pes | Clock]] = []
    items += [(one.time, 0, one) for one in pictures]
    items += [(one.time, 1, one) for one in sounds]
    for clock in clock_packets(pictures, sounds, video_end, audio_end, has_video):
        items.append((clock.time, 2, clock))
    # A clock comes first, whatever the times say.
    clocked = [at for at, (_, _, one) in enumerate(items) if one_has_clock(one)]
    first = min(clocked, key=lambda at: items[at][:2])
    items[first] = (float("-inf"), *items[first][1:])
    items.sort(key=lambda item: item[:2])

    writer = Writer()
    last = {"video": pictures[-1:], "audio": sounds[-1:]}
    for _, _, item in items:
        if isinstance(item, Clock):
            pid = PIDS["video" if has_video else "audio"]
            writer.packet(pid, False, b"\x10" + clock_bytes(item.time), b"")
        else:
            is_last = item is last[item.kind][0]
            write_pes(writer, item, extra[item.kind] if is_last else 0)
    return tables(number, video=has_video, audio=program_audio) + b"".join(writer.packets)
