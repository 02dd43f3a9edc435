"""PES packets: their time stamps and lengths (rules T-03, T-04, T-09)."""

from dataclasses import dataclass

from lint.findings import Malformed, Say
from lint.mpegts.packets import Unit


@dataclass(frozen=True, slots=True)
class Pes:
    at: int
    """Offset of its first packet."""
    pts: int
    dts: int
    payload: bytes
    random_access: bool


def read_pes(unit: Unit, kind: str, say: Say) -> Pes | None:
    """None if it has no time stamp.  Raises Malformed."""
    data, place = unit.data, f"byte {unit.at}"
    if len(data) < 9 or data[:3] != b"\0\0\1":
        raise Malformed(place, "no PES packet at a payload_unit_start_indicator")
    stream, length, flags, header = data[3], int.from_bytes(data[4:6], "big"), data[7], data[8]
    is_video = kind in ("h264", "hevc")
    if not length and not is_video:
        say("T-06.length", place, f"PES_packet_length 0 of {kind}")
    if length and length != len(data) - 6:
        text = f"PES_packet_length {length}, {len(data) - 6} octets follow"
        say("T-09.fill", place, text)
        if length < len(data) - 6:
            data = data[: 6 + length]
    if is_video and stream != 0xE0 and not 0xE0 <= stream <= 0xEF:
        say("T-06.stream_id", place, f"stream_id {stream:#x} of video")
    if not flags & 0x80:
        if is_video:
            say("T-04.absent", place, "no PTS")
        return None
    if len(data) < 9 + header or header < (10 if flags & 0x40 else 5):
        raise Malformed(place, "the PES header is cut off")
    pts = _stamp(data[9:14])
    dts = _stamp(data[14:19]) if flags & 0x40 else pts
    if flags & 0x40 and dts == pts:
        say("T-04.equal", place, f"DTS {dts} equals PTS")
    if (pts - dts) % (1 << 33) > 1 << 32:
        say("T-04.before", place, f"PTS {pts} before DTS {dts}")
    if unit.pcr is not None and (dts - unit.pcr) % (1 << 33) > 1 << 32:
        say("T-03.late", place, f"PCR {unit.pcr} after DTS {dts}")
    return Pes(unit.at, pts, dts, bytes(data[9 + header :]), unit.random_access)


def _stamp(b: bytes | bytearray) -> int:
    high = (b[0] >> 1 & 7) << 30 | b[1] << 22
    return high | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
