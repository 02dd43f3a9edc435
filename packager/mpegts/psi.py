"""Program tables (ISO/IEC 13818-1 §2.4.4): one program, constant over all segments."""

import struct
from functools import cache, lru_cache

from packager.codecs.audio_streams import AudioStream
from packager.mpegts.rows import PACKET_SIZE

PAT_PID, PMT_PID, VIDEO_PID, AUDIO_PID = 0, 0x1000, 0x100, 0x101
_PROGRAM = 1
STREAM_TYPE_H264 = 0x1B
_POLYNOMIAL = 0x04C11DB7
TABLES_SIZE = 2 * PACKET_SIZE


def crc32(data: bytes) -> int:
    """The CRC of annex A: as in zlib but not reflected and not inverted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def _section(table_id: int, extension: int, body: bytes) -> bytes:
    head = struct.pack(">BHHBBB", table_id, 0xB000 | len(body) + 9, extension, 0xC1, 0, 0)
    return head + body + struct.pack(">I", crc32(head + body))


def _packet(pid: int, counter: int, section: bytes) -> bytes:
    packet = struct.pack(">BHBB", 0x47, 0x4000 | pid, 0x10 | counter & 15, 0) + section
    return packet.ljust(PACKET_SIZE, b"\xff")


def tables(segment: int, *, video: bool, audio: AudioStream | None) -> bytes:
    """PAT and PMT of segment number *segment* (from 1), which sets their counters."""
    counter = segment - 1
    pmt = _packet(PMT_PID, counter, _program(video=video, audio=audio))
    return _packet(PAT_PID, counter, _association()) + pmt


@cache
def _association() -> bytes:
    return _section(0, 1, struct.pack(">HH", _PROGRAM, 0xE000 | PMT_PID))


@lru_cache(maxsize=256)
def _program(*, video: bool, audio: AudioStream | None) -> bytes:
    streams = b""
    if video:
        streams += struct.pack(">BHH", STREAM_TYPE_H264, 0xE000 | VIDEO_PID, 0xF000)
    if audio is not None:
        told = audio.descriptors
        head = struct.pack(">BHH", audio.stream_type, 0xE000 | AUDIO_PID, 0xF000 | len(told))
        streams += head + told
    clock = VIDEO_PID if video else AUDIO_PID
    return _section(2, _PROGRAM, struct.pack(">HH", 0xE000 | clock, 0xF000) + streams)
