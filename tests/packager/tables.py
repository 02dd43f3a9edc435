"""Tracks and whole files made of numbers: no encoder, every case at will."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from packager.codecs.aac import parse_asc
from packager.codecs.carried import CarriedAudio
from packager.codecs.carried_audio import mp3, parse_dac3, parse_dec3
from packager.codecs.h264 import parse_avcc
from packager.index import Blocks, TrackIndex
from packager.indexing import encode_track
from packager.isobmff.box import box, full_box
from packager.nal_facts import NalFacts
from packager.samples import Samples, column
from packager.tracks import AudioFormat, Edit, Track, VideoFormat

# x264's for 320x180, High, level 1.3, square pixels
SPS = bytes.fromhex("6764000dacd941419f9f011000003e90000ea600f1429960")
PPS = bytes.fromhex("68ebe3cb22c0")
LC_44100_STEREO = bytes.fromhex("1210")
AC3 = parse_dac3(bytes.fromhex("103dc0"))
EAC3 = parse_dec3(bytes.fromhex("0600200f00"))
MP3 = mp3(b"", 0x6B, 44_100, 2)
WHOLE = Edit()
IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def avcc(
    *, length_size: int = 4, sps: Sequence[bytes] = (SPS,), pps: Sequence[bytes] = (PPS,)
) -> bytes:
    """AVCDecoderConfigurationRecord."""

    def units(*sets: bytes) -> bytes:
        return b"".join(struct.pack(">H", len(unit)) + unit for unit in sets)

    head = bytes([1, *SPS[1:4], 0xFC | length_size - 1, 0xE0 | len(sps)])
    return head + units(*sps) + bytes([len(pps)]) + units(*pps)


def video_track(
    *, timescale: int = 90_000, edit: Edit = WHOLE, record: bytes | None = None
) -> Track:
    form = VideoFormat(parse_avcc(avcc() if record is None else record), 320, 180)
    return Track(1, form, timescale, edit)


def audio_track(
    *,
    timescale: int = 44_100,
    edit: Edit = WHOLE,
    record: bytes = LC_44100_STEREO,
    carried: CarriedAudio | None = None,
) -> Track:
    return Track(2, AudioFormat(carried or parse_asc(record)), timescale, edit)


def samples(
    durations: Sequence[int],
    *,
    sizes: Sequence[int] | None = None,
    offsets: Sequence[int] | None = None,
    sync: Sequence[bool] | None = None,
    positions: Sequence[int] | None = None,
    start: int = 0,
) -> Samples:
    """Rows; *offsets* are composition offsets, *positions* bytes into the source.

    By default samples of one byte lie end to end, are shown when decoded, and are all sync.
    """
    count = len(durations)
    duration, size = column(durations), column([1] * count if sizes is None else sizes)
    dts = start + np.cumsum(duration) - duration
    return Samples(
        dts,
        dts + column([0] * count if offsets is None else offsets),
        duration,
        size,
        np.cumsum(size) - size if positions is None else column(positions),
        np.ones(count, np.bool_) if sync is None else np.array(sync, np.bool_),
    )


def indexed(
    track: Track, rows: Samples, facts: NalFacts | None = None, number: int = 1
) -> tuple[TrackIndex, Blocks]:
    return encode_track(number, track, rows, facts)


def pictures(count: int, group: int, *, duration: int = 3600, **changes: object) -> TrackIndex:
    """Video of *count* frames at 25 frames a second with a sync sample every *group*."""
    rows = samples([duration] * count, sync=[row % group == 0 for row in range(count)])
    return indexed(video_track(**changes), rows)[0]  # type: ignore[arg-type]


def sounds(count: int, *, duration: int = 1024, **changes: object) -> TrackIndex:
    """Audio of *count* frames."""
    return indexed(audio_track(**changes), samples([duration] * count))[0]  # type: ignore[arg-type]


def sized(length_size: int, *units: bytes) -> bytes:
    """NAL units behind their lengths, as a sample holds them."""
    return b"".join(len(unit).to_bytes(length_size, "big") + unit for unit in units)


def descriptor(tag: int, payload: bytes) -> bytes:
    """A descriptor of MPEG-4 systems, its length on four bytes as FFmpeg pads it."""
    size = len(payload)
    length = bytes(
        [0x80 | size >> 21, 0x80 | size >> 14 & 127, 0x80 | size >> 7 & 127, size & 127]
    )
    return bytes([tag]) + length + payload


def esds(record: bytes, object_type: int = 0x40, *, es_fields: bytes = bytes(3)) -> bytes:
    """An esds box around an AudioSpecificConfig."""
    decoder = descriptor(4, bytes([object_type, 0x15]) + bytes(11) + descriptor(5, record))
    return full_box(b"esds", 0, 0, descriptor(3, es_fields + decoder + descriptor(6, b"\2")))


def avc1(*boxes: bytes) -> bytes:
    """A visual sample entry."""
    return box(b"avc1", bytes(6), b"\0\1", bytes(70), *boxes)


def mp4a(*boxes: bytes, version: int = 0, extra: bytes = b"") -> bytes:
    """An audio sample entry; *extra* is what QuickTime's versions put before the boxes."""
    fields = struct.pack(">HHIHHII", version, 0, 0, 2, 16, 0, 44_100 << 16)
    return box(b"mp4a", bytes(6), b"\0\1", fields, extra, *boxes)


def stsd(*entries: bytes, version: int = 0) -> bytes:
    return full_box(b"stsd", version, 0, struct.pack(">I", len(entries)), *entries)


def counted(fourcc: bytes, *rows: Sequence[int], kind: str = "I", version: int = 0) -> bytes:
    """A box of an entry count and that many rows of numbers."""
    table = b"".join(struct.pack(f">{len(row)}{kind}", *row) for row in rows)
    return full_box(fourcc, version, 0, struct.pack(">I", len(rows)), table)


def stsz(*sizes: int) -> bytes:
    return full_box(b"stsz", 0, 0, struct.pack(f">{len(sizes) + 2}I", 0, len(sizes), *sizes))


@dataclass
class Trak:
    """One track of a file, box by box, so that a test may replace any."""

    payloads: list[bytes]
    handler: bytes = b"vide"
    timescale: int = 1000
    entry: bytes = field(default_factory=lambda: avc1(box(b"avcC", avcc())))
    duration: int = 40
    boxes: dict[bytes, bytes | None] = field(default_factory=dict)
    """In stbl, by name; they replace what would be made, None leaves it out."""

    edits: bytes = b""
    """elst."""

    dinf: bytes = b""

    def encode(self, position: int, *, wide: bool = False) -> bytes:
        """trak; the payloads lie end to end from *position* on."""
        count = len(self.payloads)
        kind, name = ("Q", b"co64") if wide else ("I", b"stco")
        made: dict[bytes, bytes | None] = {
            b"stsd": stsd(self.entry),
            b"stts": counted(b"stts", (count, self.duration)),
            b"stsz": stsz(*map(len, self.payloads)),
            b"stsc": counted(b"stsc", (1, max(count, 1), 1)),
            name: counted(name, (position,), kind=kind),
            **self.boxes,
        }
        times = struct.pack(">II", 0, 0)
        mdhd = full_box(
            b"mdhd", 0, 0, times, struct.pack(">IIHH", self.timescale, 0, 0x55C4, 0)
        )
        tkhd = full_box(
            b"tkhd", 0, 7, times, struct.pack(">III", 1, 0, 0), bytes(16), IDENTITY, bytes(8)
        )
        hdlr = full_box(b"hdlr", 0, 0, bytes(4), self.handler, bytes(13))
        stbl = box(b"stbl", *(one for one in made.values() if one is not None))
        mdia = box(b"mdia", mdhd, hdlr, box(b"minf", self.dinf, stbl))
        edts = box(b"edts", self.edits) if self.edits else b""
        return box(b"trak", tkhd, edts, mdia)


FTYP = box(b"ftyp", b"isom", bytes(4))


def mp4(
    *traks: Trak, moov_last: bool = False, wide: bool = False, timescale: int = 600
) -> bytes:
    """A file of *traks*; *wide* for 64-bit boxes, *timescale* is the movie's."""
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, timescale, 0), bytes(80))
    payload = b"".join(sample for trak in traks for sample in trak.payloads)
    size = len(payload) + (16 if wide else 8)
    mdat = (
        struct.pack(">I4sQ", 1, b"mdat", size) if wide else struct.pack(">I4s", size, b"mdat")
    )

    def moov(position: int) -> bytes:
        made = []
        for trak in traks:
            made.append(trak.encode(position, wide=wide))
            position += sum(map(len, trak.payloads))
        return box(b"moov", mvhd, *made)

    if moov_last:
        return FTYP + mdat + payload + moov(len(FTYP) + len(mdat))
    start = len(FTYP) + len(moov(0)) + len(mdat)
    return FTYP + moov(start) + mdat + payload


SLICE = b"\x41" + bytes(20)
IDR = b"\x65" + bytes(30)


def movie(count: int = 3, *, length_size: int = 4) -> list[bytes]:
    """Payloads of an IDR picture and others."""
    return [sized(length_size, IDR if row == 0 else SLICE) for row in range(count)]


def sound(count: int = 5) -> Trak:
    """An audio track."""
    return Trak(
        [bytes([row % 251]) * 10 for row in range(count)], b"soun", 44_100,
        mp4a(esds(LC_44100_STEREO)), 1024,
    )  # fmt: skip
