"""Hypothesis strategies of fragmented files, field by field: what tfhd, tfdt, trun, sidx and
mfra say, most of it as it could be right, and now and then anything."""

import struct
from collections.abc import Callable

from hypothesis import strategies as st

from packager.isobmff.box import box, full_box
from packager.isobmff.fragments import ROWS, TFXD
from tests.packager.tables import FTYP, IDR, SLICE, Trak, sized, sound

UNITS = sized(4, IDR), sized(4, SLICE), sized(4, SLICE), sized(4, SLICE)
"""Of each mdat: pictures, also where it is told to be sound."""

_SAMPLES = len(UNITS)
_MOOF = 200
"""Bytes that each moof is made to have, so that offsets can be right."""

_WILD = st.sampled_from(
    [0, 1, 2, 7, 8, 0x10000, 0x1010000, 2**31 - 1, 2**31, 2**32 - 1]
) | st.integers(0, 2**32 - 1)  # fmt: skip
_WILD_LONG = st.sampled_from([2**32, 2**46, 2**62, 2**63, 2**64 - 1])
_RARELY = 24
"""One field of so many says anything."""


def _anything(draw: st.DrawFn) -> bool:
    return draw(st.integers(1, _RARELY)) == _RARELY


def _word(draw: st.DrawFn, *right: int) -> bytes:
    value = draw(_WILD if _anything(draw) else st.sampled_from(right))
    return value.to_bytes(4, "big")


def _long(draw: st.DrawFn, *right: int) -> bytes:
    value = draw(_WILD_LONG if _anything(draw) else st.sampled_from(right))
    return value.to_bytes(8, "big")


def _full(
    draw: st.DrawFn, name: bytes, flags: int, *parts: bytes, versions: tuple[int, ...] = (0,)
) -> bytes:
    version = draw(st.integers(0, 255) if _anything(draw) else st.sampled_from(versions))
    payload = b"".join(parts)
    if _anything(draw):
        payload = payload[: draw(st.integers(0, len(payload)))]
    return full_box(name, version, flags, payload)


def _some(draw: st.DrawFn, *bits: int) -> int:
    return sum(draw(st.lists(st.sampled_from(bits), unique=True)))


def _tfhd(draw: st.DrawFn, track: int) -> bytes:
    flags = _some(draw, 0x1, 0x2, 0x8, 0x20) | 0x10 | draw(st.sampled_from([0x20000, 0]))
    fields: tuple[tuple[int, Callable[[], bytes]], ...] = (
        (0x1, lambda: _long(draw, 0, _MOOF)), (0x2, lambda: _word(draw, 1)),
        (0x8, lambda: _word(draw, 40, 1024, 0)), (0x10, lambda: _word(draw, 35, 25)),
        (0x20, lambda: _word(draw, 0, 0x10000, 0x2000000, 0x1010000)),
    )  # fmt: skip
    said = [make() for flag, make in fields if flags & flag]
    return _full(draw, b"tfhd", flags, _word(draw, track), *said)


def _time(draw: st.DrawFn, number: int) -> bytes:
    """tfdt or tfxd of fragment *number*, or neither."""
    at = number * 40 * _SAMPLES
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return b""
    if kind == 1:
        return box(b"uuid", TFXD, bytes([1, 0, 0, 0]), _long(draw, at), _long(draw, 160))
    if kind == 2:
        return full_box(b"tfdt", 0, 0, _word(draw, at, at + 20, 10**6 + at))
    return full_box(b"tfdt", 1, 0, _long(draw, at, at + 20, 10**6 + at))


def _trun(draw: st.DrawFn) -> bytes:
    columns = _some(draw, *(flag for flag, _, _ in ROWS))
    flags = columns | _some(draw, 0x1, 0x4) | draw(st.sampled_from([0x1, 0x1, 0]))
    count = draw(st.sampled_from([_SAMPLES, _SAMPLES, 1, 0]))
    parts = [_word(draw, count)]
    if flags & 0x1:
        parts.append(_word(draw, _MOOF + 8, 0))
    if flags & 0x4:
        parts.append(_word(draw, 0, 0x10000))
    right = {0x100: (40, 0), 0x200: (25, 35), 0x400: (0, 0x10000), 0x800: (0, 40, 2**32 - 40)}
    for row in range(count):
        for flag, values in right.items():
            if columns & flag:
                parts.append(_word(draw, *(values if flag != 0x200 else (len(UNITS[row]),))))
    return _full(draw, b"trun", flags, *parts, versions=(0, 1))


def _traf(draw: st.DrawFn, track: int, number: int) -> bytes:
    boxes = [_tfhd(draw, track), _time(draw, number), _trun(draw)]
    if _anything(draw):
        boxes = draw(st.permutations([*boxes, _trun(draw)]))
        boxes = boxes[: draw(st.integers(0, len(boxes)))]
    return box(b"traf", *boxes)


def _sidx(draw: st.DrawFn) -> bytes:
    fields = [_word(draw, 1), _word(draw, 1000), _long(draw, 0), _word(draw, 1)]
    rows = [_word(draw, _MOOF + 8 + 140), _word(draw, 160), _word(draw, 0x90000000)]
    return _full(draw, b"sidx", 0, *fields, *rows, versions=(0, 1))


def _mfra(draw: st.DrawFn) -> bytes:
    fields = [_word(draw, 1), _word(draw, 0), _word(draw, 1), _long(draw, 0), _long(draw, 0)]
    tfra = _full(draw, b"tfra", 0, *fields, b"\1\1\1", versions=(0, 1))
    return box(b"mfra", tfra, full_box(b"mfro", 0, 0, _word(draw, 16 + len(tfra) + 16)))


def _moov(draw: st.DrawFn) -> tuple[bytes, int]:
    """... of so many tracks."""
    traks = draw(st.sampled_from([(Trak([]),), (sound(0),), (Trak([]), sound(0))]))
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    coded, trex = [], []
    for number, trak in enumerate(traks, 1):
        made = trak.encode(0)
        at = made.index(b"tkhd") + 16
        coded.append(made[:at] + struct.pack(">I", number) + made[at + 4 :])
        said = _word(draw, 40), _word(draw, 25), _word(draw, 0, 0x10000)
        trex.append(full_box(b"trex", 0, 0, struct.pack(">II", number, 1), *said))
    mvex = [] if _anything(draw) else [box(b"mvex", *trex)]
    return box(b"moov", mvhd, *coded, *mvex), len(traks)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    moov, count = _moov(draw)
    boxes = [FTYP, moov, *(_sidx(draw) for _ in range(draw(st.integers(0, 1))))]
    for number in range(draw(st.integers(1, 3))):
        trafs = [_traf(draw, track, number) for track in range(1, count + 1)]
        moof = full_box(b"mfhd", 0, 0, bytes(4)) + b"".join(trafs)
        lacking = max(0, _MOOF - 16 - len(moof))
        boxes += [box(b"moof", moof, box(b"free", bytes(lacking))), box(b"mdat", *UNITS)]
    if draw(st.booleans()):
        boxes.append(_mfra(draw))
    return b"".join(boxes)
