"""What a decoder is asked for, and its form on a pipe: a length, JSON, and the samples."""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from packager.codecs.carried import CarriedVideo
from packager.codecs.h264 import AvcConfig
from packager.errors import Unsupported
from packager.tracks import VideoFormat

_HEAD = struct.Struct(">II")
MAX_HEAD = 1 << 20
"""Bytes of JSON."""

_CODECS = {b"av1C": "libdav1d", b"vvcC": "vvc"}
_SET_UP = frozenset({"h264", "hevc", "libdav1d", "vvc"})
"""Decoders that take the configuration record; VP8 and VP9 have everything in the frames."""

_FULL_BOX = 4
"""Bytes of version and flags, with which a record of VVC begins."""

_IDENTITY = (1, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the samples of a track become pictures as they are shown."""

    codec: str
    """FFmpeg's name of the decoder."""

    extradata: str
    """Hexadecimal."""

    turn: tuple[int, int, int, int] = _IDENTITY
    """Signs of a, b, c and d of the track's matrix (ISO/IEC 14496-12 §8.3.2)."""

    transfer: int = 2
    """ISO/IEC 23091-2, of the container; 2 is what nobody says."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture and where it goes."""

    sizes: tuple[int, ...]
    """Bytes of its samples, in order."""

    cts: tuple[int, ...]
    shown: int
    """Which of *cts* is the picture."""

    places: tuple[tuple[int, int], ...]
    """Left and top, pixels of the sheet."""


@dataclass(frozen=True, slots=True)
class Job:
    """Pictures of one size on a sheet; a single one is a sheet of its own size."""

    decoding: Decoding
    width: int
    """Of a picture."""

    height: int
    sheet: tuple[int, int]
    """Width and height of the whole."""

    tiles: tuple[Tile, ...]
    most: int
    """Bytes of the JPEG; it is made coarser until it has no more."""


def decoding_of(form: VideoFormat) -> Decoding:
    config = form.config
    if isinstance(config, CarriedVideo):
        if config.entry in (b"vp08", b"vp09"):
            codec = "vp8" if config.entry == b"vp08" else "vp9"
        elif config.box in _CODECS:
            codec = _CODECS[config.box]
        else:
            raise Unsupported(f"pictures of {config.codec}")
    else:
        codec = "h264" if isinstance(config, AvcConfig) else "hevc"
    record = config.record if codec in _SET_UP else b""
    if codec == "vvc":
        record = record[_FULL_BOX:]
    colour = form.colour
    return Decoding(
        codec,
        record.hex(),
        _turn(form.matrix),
        colour.transfer if colour else 2,
    )


def _turn(matrix: bytes) -> tuple[int, int, int, int]:
    """Only quarters and mirrors: what is askew is shown as it is coded."""
    if not matrix:
        return _IDENTITY
    a, b, _, c, d = struct.unpack_from(">5i", matrix)
    signs = tuple((one > 0) - (one < 0) for one in (a, b, c, d))
    upright, across = signs[0] * signs[3], signs[1] * signs[2]
    return signs if bool(upright) != bool(across) else _IDENTITY


def fitted(shown: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """The size of a picture that is *shown* with these pixels: as asked, and where one of the
    two is not asked, in its shape."""
    wide, high = shown
    if width is None and height is None:
        return shown
    if width is None:
        assert height is not None
        return max(1, round(Fraction(height * wide, high))), height
    return width, height or max(1, round(Fraction(width * high, wide)))


def encode_job(job: Job) -> bytes:
    """The head; the samples of all tiles follow it, end to end."""
    head = json.dumps(asdict(job)).encode()
    samples = sum(sum(tile.sizes) for tile in job.tiles)
    return _HEAD.pack(len(head), samples) + head


def read_job(read: Callable[[int], bytes]) -> tuple[Job, bytes] | None:
    """The next job, by a *read* that gives as many bytes as are asked for; None at the end."""
    start = read(_HEAD.size)
    if len(start) < _HEAD.size:
        return None
    length, samples = _HEAD.unpack(start)
    if length > MAX_HEAD:
        raise ValueError(f"a job of {length} bytes")
    return _job(json.loads(read(length))), read(samples)


def _job(known: dict[str, Any]) -> Job:
    tiles = tuple(
        Tile(
            tuple(one["sizes"]),
            tuple(one["cts"]),
            one["shown"],
            tuple((left, top) for left, top in one["places"]),
        )
        for one in known.pop("tiles")
    )
    decoding = known.pop("decoding")
    turn = tuple(decoding.pop("turn"))
    return Job(
        **known | {"sheet": tuple(known["sheet"])},
        decoding=Decoding(**decoding, turn=turn),
        tiles=tiles,
    )


def samples_of(tile: Tile, data: memoryview) -> Iterator[memoryview]:
    """Each of its samples, of *data* that begins with them."""
    start = 0
    for size in tile.sizes:
        yield data[start : start + size]
        start += size
