"""Program tables, against ISO/IEC 13818-1 §2.4.4 and streams that others made."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.aac import parse_asc
from packager.codecs.audio_streams import audio_stream
from packager.codecs.carried import CarriedAudio
from packager.mpegts.psi import crc32, tables
from tests.packager.tables import AC3, EAC3, LC_44100_STEREO, MP3

# PAT and PMT of FFmpeg's muxer: program 1, PMT on 0x1000, H.264 on 0x100.
FFMPEG_PAT = bytes.fromhex("00b00d0001c100000001f0002ab104b2")
FFMPEG_PMT = bytes.fromhex("02b0120001c10000e100f0001be100f00015bd4d56")
AAC = audio_stream(parse_asc(LC_44100_STEREO))


def test_crc_of_known_sections() -> None:
    assert crc32(b"123456789") == 0x0376E6E7  # CRC-32/MPEG-2 of the catalogue
    assert crc32(FFMPEG_PAT) == crc32(FFMPEG_PMT) == 0  # what a receiver checks


@given(st.binary(max_size=40))
def test_crc_against_zlib(data: bytes) -> None:
    def mirrored(value: int, width: int) -> int:
        return int(f"{value:0{width}b}"[::-1], 2)

    reflected = zlib.crc32(bytes(mirrored(byte, 8) for byte in data)) ^ 0xFFFFFFFF
    assert crc32(data) == mirrored(reflected, 32)


def test_the_tables_of_a_video_program_are_ffmpegs() -> None:
    made = tables(1, video=True, audio=None)
    assert made[:188] == (bytes.fromhex("4740001000") + FFMPEG_PAT).ljust(188, b"\xff")
    assert made[188:] == (bytes.fromhex("4750001000") + FFMPEG_PMT).ljust(188, b"\xff")


def test_the_clock_is_on_the_audio_where_there_is_no_video() -> None:
    pmt = tables(1, video=False, audio=AAC)[188 + 5 :]
    assert int.from_bytes(pmt[8:10], "big") & 0x1FFF == 0x101
    assert pmt[12] == 0x0F


def test_counters_follow_the_segment_number() -> None:
    for number in (1, 2, 16, 17, 100):
        made = tables(number, video=True, audio=AAC)
        assert {made[3] & 15, made[191] & 15} == {(number - 1) % 16}
        assert made[:3] + made[4:191] == tables(1, video=True, audio=AAC)[:3] + made[4:191]


STREAMS = {
    # ATSC A/52 §A4.3: 48 kHz, bsid 8, 384 kbit/s, 3/2, full service
    "AC-3": (AC3, "81e101f00b 050441432d33 810308380f"),
    # §G3.5: bsid present; complete main, at most two channels; bsid 16
    "E-AC-3": (EAC3, "87e101f00b 050445414333 cc03c0c430"),
    "MP3": (MP3, "03e101f000"),
}


@pytest.mark.parametrize(("config", "wire"), STREAMS.values(), ids=STREAMS)
def test_each_codec_is_announced(config: CarriedAudio, wire: str) -> None:
    pmt = tables(1, video=False, audio=audio_stream(config))[188 + 5 :]
    size = (pmt[1] & 15) << 8 | pmt[2]
    assert pmt[12 : size - 1] == bytes.fromhex(wire)
    assert crc32(pmt[: size + 3]) == 0
