"""CMAF headers: ftyp and a moov without samples (23000-19 §7.3.1, rules I-01 to I-12)."""

import struct

from packager.index import TrackIndex
from packager.isobmff.box import box, full_box
from packager.isobmff.media_segment import TRACK_ID
from packager.isobmff.sample_entries import encode_sample_entry
from packager.tracks import Kind, VideoFormat

_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_ENABLED_IN_MOVIE_IN_PREVIEW = 7
_FTYP = box(b"ftyp", b"cmfc", bytes(4), b"iso6cmfc")
_HANDLER = {Kind.VIDEO: b"vide", Kind.AUDIO: b"soun"}


def init_segment(index: TrackIndex) -> bytes:
    """The header of the CMAF track made from *index*."""
    return _FTYP + box(b"moov", _mvhd(index), _trak(index), box(b"mvex", _trex(index)))


def _mvhd(index: TrackIndex) -> bytes:
    return full_box(
        b"mvhd", 0, 0,
        struct.pack(">IIII", 0, 0, index.track.timescale, 0),
        struct.pack(">IH", 0x10000, 0x100), bytes(10), _IDENTITY, bytes(24),
        struct.pack(">I", max(TRACK_ID.values()) + 1),
    )  # fmt: skip


def _trak(index: TrackIndex) -> bytes:
    parts = [_tkhd(index)]
    if index.lead:
        parts.append(box(b"edts", _elst(index.lead)))
    return box(b"trak", *parts, _mdia(index))


def _tkhd(index: TrackIndex) -> bytes:
    form = index.track.format
    matrix, volume, width, height = _IDENTITY, 0x100, 0, 0
    if isinstance(form, VideoFormat):
        matrix, volume = form.matrix or _IDENTITY, 0
        width = min(round(form.width * form.pixel_aspect * 65536), (1 << 32) - 1)
        height = form.height << 16
    return full_box(
        b"tkhd", 0, _ENABLED_IN_MOVIE_IN_PREVIEW,
        struct.pack(">IIIII", 0, 0, TRACK_ID[index.kind], 0, 0), bytes(8),
        struct.pack(">HHHH", 0, 0, volume, 0), matrix, struct.pack(">II", width, height),
    )  # fmt: skip


def _elst(media_time: int) -> bytes:
    """One entry: start at *media_time*, run to the end (rule I-07)."""
    if media_time < 1 << 31:
        return full_box(b"elst", 0, 0, struct.pack(">IIihh", 1, 0, media_time, 1, 0))
    return full_box(b"elst", 1, 0, struct.pack(">IQqhh", 1, 0, media_time, 1, 0))


def _mdia(index: TrackIndex) -> bytes:
    track = index.track
    parts = [
        full_box(
            b"mdhd", 0, 0,
            struct.pack(">IIIIHH", 0, 0, track.timescale, 0, _packed(track.language), 0),
        ),
        full_box(b"hdlr", 0, 0, bytes(4), _HANDLER[index.kind], bytes(12), b"\0"),
    ]  # fmt: skip
    if track.language is not None:
        parts.append(full_box(b"elng", 0, 0, track.language.encode("ascii") + b"\0"))
    return box(b"mdia", *parts, _minf(index))


def _packed(language: str | None) -> int:
    """Three letters where the tag has three; "und" otherwise: elng says more."""
    letters = language if language and len(language) == 3 and language.isalpha() else "und"
    first, second, third = (ord(letter) - 0x60 for letter in letters.lower())
    return first << 10 | second << 5 | third


def _minf(index: TrackIndex) -> bytes:
    is_video = index.kind is Kind.VIDEO
    header = (
        full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    )
    dref = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    entry = encode_sample_entry(index.track.format)
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    return box(b"minf", header, box(b"dinf", dref), stbl)


def _trex(index: TrackIndex) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", TRACK_ID[index.kind], 1, 0, 0, 0))
