"""The pictures and tones of ``flashes`` as CMAF tracks, each a file of its own, which may
begin anywhere on the clock of a stream."""

import struct
from fractions import Fraction

from packager.isobmff.box import box, full_box
from tests.packager.flashes import (
    MOVIE,
    PICTURE_RATE,
    PRIMING,
    SOUND_RATE,
    Encoded,
    elst,
    pictures,
    sounds,
)
from tests.packager.tables import FTYP, Trak, avc1, esds, mp4a

_ROWS = 0xF01
"""trun: data offset; duration, size, flags and offset of each sample."""

_NON_SYNC, _SYNC = 0x0101_0000, 0x0200_0000
_GROUP = 50
_SCALE = 12_800
_LANGUAGES = {"und": 0x55C4, "en": 0x15C7, "de": 0x10B5}


def video(first: int = 0, clock: Fraction = Fraction(0)) -> bytes:
    """From picture *first* on, of which *clock* is when the film begins, seconds."""
    made = pictures(_GROUP)
    entry = avc1(box(b"avcC", made.record))
    init = _init(Trak([], b"vide", _SCALE, entry))
    return init + _fragments(made, first, _GROUP, _SCALE // PICTURE_RATE, int(clock * _SCALE))


def audio(language: str, first: int = 0, clock: Fraction | None = None) -> bytes:
    """From frame *first* on.  Without a *clock*, what the encoder put before the first one is
    taken out by an edit list; with one it is before the film."""
    made = sounds()
    edits = elst(((0, 0),), SOUND_RATE, PRIMING) if clock is None else b""
    init = _init(Trak([], b"soun", SOUND_RATE, mp4a(esds(made.record)), edits=edits))
    code = _LANGUAGES[language].to_bytes(2, "big")
    init = init.replace(_LANGUAGES["und"].to_bytes(2, "big") + bytes(2), code + bytes(2))
    begin = 0 if clock is None else int(clock * SOUND_RATE) - PRIMING
    return init + _fragments(made, first, 94, 1, begin)


def _init(trak: Trak) -> bytes:
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, MOVIE, 0), bytes(80))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))
    return FTYP + box(b"moov", mvhd, trak.encode(0), box(b"mvex", trex))


def _fragments(made: Encoded, first: int, count: int, ticks: int, begin: int) -> bytes:
    """Of *count* samples each; *ticks* are those of a picture, or of a sample of sound."""
    fragments = []
    dts = [(one - made.dts[0]) * ticks for one in made.dts]
    dts.append(2 * dts[-1] - dts[-2])
    for at in range(first, len(made.payloads), count):
        rows = range(at, min(at + count, len(made.payloads)))
        table = b"".join(
            struct.pack(
                ">IIIi", dts[row + 1] - dts[row], len(made.payloads[row]),
                _SYNC if made.sync[row] else _NON_SYNC, made.pts[row] * ticks - dts[row],
            )
            for row in rows
        )  # fmt: skip
        start = struct.pack(">Q", begin + dts[rows[0]])
        size = len(_moof(start, len(rows), 0, table))
        fragments.append(_moof(start, len(rows), size + 8, table))
        fragments.append(box(b"mdat", *(made.payloads[row] for row in rows)))
    return b"".join(fragments)


def _moof(start: bytes, count: int, offset: int, table: bytes) -> bytes:
    mfhd = full_box(b"mfhd", 0, 0, bytes(4))
    tfhd = full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1))
    head = struct.pack(">Ii", count, offset)
    trun = full_box(b"trun", 1, _ROWS, head, table)
    return box(b"moof", mfhd, box(b"traf", tfhd, full_box(b"tfdt", 1, 0, start), trun))
