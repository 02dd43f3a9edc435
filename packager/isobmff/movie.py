"""What every moov of ours has in common (ISO/IEC 14496-12 §8.2 to §8.5)."""

import struct

from packager.index import TrackIndex
from packager.isobmff.box import box, full_box
from packager.isobmff.sample_entries import encode_sample_entry
from packager.tracks import Kind, VideoFormat

TRACK_ID = {Kind.VIDEO: 1, Kind.AUDIO: 2}
"""Where a file has one track of a kind."""

_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_ENABLED_IN_MOVIE_IN_PREVIEW = 7
_HANDLER = {Kind.VIDEO: b"vide", Kind.AUDIO: b"soun"}


def movie_header(timescale: int, duration: int, next_track: int) -> bytes:
    """mvhd; *duration* in ticks of *timescale*."""
    return full_box(
        b"mvhd", *_version(duration),
        _times(duration, struct.pack(">I", timescale)),
        struct.pack(">IH", 0x10000, 0x100), bytes(10), _IDENTITY, bytes(24),
        struct.pack(">I", next_track),
    )  # fmt: skip


def _version(duration: int) -> tuple[int, int]:
    return (1 if duration >= 1 << 32 else 0), 0


def _times(duration: int, between: bytes) -> bytes:
    """Creation and modification, which are not told, what stands *between*, and *duration*."""
    wide = duration >= 1 << 32
    return bytes(16 if wide else 8) + between + struct.pack(">Q" if wide else ">I", duration)


def track_header(index: TrackIndex, number: int, duration: int) -> bytes:
    """tkhd; *number* is the track's in this file, *duration* in ticks of the movie."""
    form = index.track.format
    matrix, volume, width, height = _IDENTITY, 0x100, 0, 0
    if isinstance(form, VideoFormat):
        matrix, volume = form.matrix or _IDENTITY, 0
        width = min(round(form.width * form.pixel_aspect * 65536), (1 << 32) - 1)
        height = form.height << 16
    version, _ = _version(duration)
    return full_box(
        b"tkhd", version, _ENABLED_IN_MOVIE_IN_PREVIEW,
        _times(duration, struct.pack(">II", number, 0)), bytes(8),
        struct.pack(">HHHH", 0, 0, volume, 0), matrix, struct.pack(">II", width, height),
    )  # fmt: skip


def edit_list(media_time: int, duration: int = 0, delay: int = 0) -> bytes:
    """elst: after an empty edit of *delay*, if there is one, start at *media_time* and run for
    *duration*, which are in ticks of the movie; 0 runs to the end (rule I-07)."""
    edits = [(delay, -1)] if delay else []
    edits.append((duration, media_time))
    wide = max(media_time, duration // 2, delay // 2) >= 1 << 31
    form = ">Qqhh" if wide else ">Iihh"
    rows = b"".join(struct.pack(form, *edit, 1, 0) for edit in edits)
    return full_box(b"elst", int(wide), 0, struct.pack(">I", len(edits)), rows)


def media(index: TrackIndex, duration: int, *tables: bytes) -> bytes:
    """mdia; *duration* in ticks of the track, *tables* are what follows stsd in stbl."""
    track = index.track
    parts = [
        full_box(
            b"mdhd", *_version(duration),
            _times(duration, struct.pack(">I", track.timescale)),
            struct.pack(">HH", _packed(track.language), 0),
        ),
        full_box(b"hdlr", 0, 0, bytes(4), _HANDLER[index.kind], bytes(12), b"\0"),
    ]  # fmt: skip
    if track.language is not None:
        parts.append(full_box(b"elng", 0, 0, track.language.encode("ascii") + b"\0"))
    return box(b"mdia", *parts, _minf(index, tables))


def _packed(language: str | None) -> int:
    """Three letters where the tag has three; "und" otherwise: elng says more."""
    letters = language if language and len(language) == 3 and language.isalpha() else "und"
    first, second, third = (ord(letter) - 0x60 for letter in letters.lower())
    return first << 10 | second << 5 | third


def _minf(index: TrackIndex, tables: tuple[bytes, ...]) -> bytes:
    is_video = index.kind is Kind.VIDEO
    header = (
        full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    )
    dref = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    entry = encode_sample_entry(index.track.format)
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    return box(b"minf", header, box(b"dinf", dref), box(b"stbl", stsd, *tables))
