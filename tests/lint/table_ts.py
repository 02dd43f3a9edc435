"""MPEG-TS: a change of the second segment, and what must be said of it."""

from collections.abc import Callable

from tests.lint.changes import Row, both, of, put, text
from tests.lint.packets import Edit, Stream, changed, stamp

SEGMENT, LIST = "seg-2-f1-v1-a1-*", "index-f1-v1-a1.m3u8"


def _t(check: str, edit: Edit, place: str = "seg-2") -> Row:
    return Row(check, "ts", of(SEGMENT, edit), place)


def _c(check: str, change: Callable[[Stream], None], place: str = "seg-2") -> Row:
    return _t(check, changed(change), place)


def _two_programs(s: Stream) -> None:
    s.set_section(0, s.section(0)[:-4] + b"\0\2\xe1\0")


def _version(s: Stream) -> None:
    body = bytearray(s.section(s.pmt)[:-4])
    body[5] ^= 2
    s.set_section(s.pmt, bytes(body))


def _clock_pid(s: Stream) -> None:
    body = s.section(s.pmt)[:-4]
    s.set_section(s.pmt, body[:8] + b"\xe1\xf0" + body[10:])


def _crc(s: Stream) -> None:
    s.data[s.payload(s.packets(s.pmt)[0]) + 6] ^= 1


def _jump(s: Stream) -> None:
    s.data[s.packets(s.video)[2] + 3] ^= 8


def _jump_before(s: Stream) -> None:
    for at in s.packets(s.video):
        s.data[at + 3] = s.data[at + 3] & 0xF0 | (s.data[at + 3] + 5) & 15


def _no_clock(s: Stream) -> None:
    for at in s.clocks():
        s.data[at] &= ~0x10


def _first_clock(s: Stream) -> None:
    s.data[s.clocks()[0]] &= ~0x10


def _unsorted_clock(s: Stream) -> None:
    s.set_clock(s.clocks()[1], 0)


def _rare_clock(s: Stream) -> None:
    for at in s.clocks()[1:5]:
        s.data[at] &= ~0x10


def _late_clock(s: Stream) -> None:
    s.set_clock(s.clocks()[0], 1 << 30)


def _no_stamp(s: Stream) -> None:
    s.data[s.pes(1) + 7] &= 0x3F


def _same_stamps(s: Stream) -> None:
    at = s.pes(0, decoded=True)
    s.data[at + 14 : at + 19] = s.data[at + 9 : at + 14]


def _shown_first(s: Stream) -> None:
    at = s.pes(0, decoded=True)
    s.data[at + 9 : at + 14] = stamp(3, 1)


def _decoded_first(s: Stream) -> None:
    at = s.pes(2, decoded=True)
    s.data[at + 14 : at + 19] = stamp(1, 1)


def _unit(s: Stream, start: bytes, new: bytes) -> None:
    at = s.data.index(b"\0\0\1" + start, s.pes(0))
    s.data[at + 3 : at + 3 + len(new)] = new


def _indicator(s: Stream) -> None:
    at = s.packets(s.video, starts=True)[0]
    s.data[at + 5] &= ~0x40


def _stream_id(s: Stream) -> None:
    s.data[s.pes(0) + 3] = 0xBD


def _sound_pes(at: int, value: bytes) -> Callable[[Stream], None]:
    def change(s: Stream) -> None:
        start = s.pes(0, pid=s.sound) + at
        s.data[start : start + len(value)] = value

    return change


def _frame(at: int, change: Callable[[int], int]) -> Callable[[Stream], None]:
    """An octet of the first ADTS header."""

    def edit(s: Stream) -> None:
        start = s.pes(0, pid=s.sound)
        start += 9 + s.data[start + 8] + at
        s.data[start] = change(s.data[start])

    return edit


def _adaptation(s: Stream) -> None:
    at = next(at for at in s.packets(s.video) if s.data[at + 3] & 0x20)
    s.data[at + 4] = 200


_PACKED = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:6.0,
a.aac
#EXT-X-ENDLIST
"""

ROWS = [
    _t("T-01.length", lambda data: data + b"\x47", "byte"),
    _t("T-01.sync", lambda data: data[:564] + b"\0" + data[565:], "byte 564"),
    _t("T-01.first", lambda data: b"\x47\x1f\xff\x10".ljust(188, b"\xff") + data, "byte 0"),
    _c("T-01.programs", _two_programs, "PAT"),
    _c("T-01.crc", _crc, "PMT"),
    _c("T-01.version", _version),
    _c("T-02.counter", _jump, "byte"),
    _c("T-02.across", _jump_before),
    _c("T-03.absent", _no_clock, "PID"),
    _c("T-03.pid", _clock_pid, "PMT"),
    _c("T-03.first", _first_clock, "PID"),
    _c("T-03.backwards", _unsorted_clock, "byte"),
    _c("T-03.interval", _rare_clock, "byte"),
    _c("T-03.late", _late_clock, "byte"),
    _c("T-04.absent", _no_stamp, "byte"),
    _c("T-04.equal", _same_stamps, "byte"),
    _c("T-04.before", _shown_first, "byte"),
    _c("T-04.order", _decoded_first, "byte"),
    _c("T-06.aud", lambda s: _unit(s, b"\x09", b"\x0c"), "byte"),
    _c("T-06.units", lambda s: _unit(s, b"\x67", b"\x09"), "byte"),
    _c("T-06.sets", lambda s: _unit(s, b"\x67", b"\x0c"), "byte"),
    _c("T-06.indicator", _indicator, "byte"),
    _c("T-06.stream_id", _stream_id, "byte"),
    _c("T-06.length", _sound_pes(4, b"\0\0"), "byte"),
    _c("T-07.sync", _frame(0, lambda _: 0), "byte"),
    _c("T-07.length", _sound_pes(4, b"\0\x40"), "byte"),
    _c("T-07.rate", _frame(2, lambda b: b & 0xC3 | 15 << 2), "byte"),
    Row(
        "T-08.packed",
        "ts",
        both(put("index-f1-v1-a1.m3u8", _PACKED.encode()), put("a.aac", b"ID3" + bytes(40))),
        "a.aac",
    ),
    _c("T-09.length", _adaptation, "byte"),
    _c("T-09.fill", _sound_pes(4, b"\0\x40"), "byte"),
    Row(
        "T-10.length",
        "ts",
        both(
            text(LIST, "^#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF'),
            of(SEGMENT, lambda data: data + b"\0"),
        ),
        "seg-2",
    ),
]
