"""Samples to JPEG, by FFmpeg (PyAV).  Hostile samples may end the process: not in a server."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from packager.pictures.high_range import is_high_range, standard
from packager.pictures.jobs import Decoding, Job, Tile, samples_of

_Plane = npt.NDArray[np.uint8]
_Planes = tuple[_Plane, _Plane, _Plane]
"""Luma and chroma of 4:2:0, full range, BT.601: what a JPEG holds."""

_BLACK = (0, 128, 128)
_SCALES = (3, 6, 12, 24, 31)
"""Quantizer scales to try, finest first; at 31 a picture is a fraction of any bound we set."""

_MATRICES = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
}  # fmt: skip
_OUTPUT_CORRUPT, _SHOW_ALL = 1 << 3, 1 << 22
"""AV_CODEC_FLAG and _FLAG2: the I-frame of an open group, which a decoder holds back until it
has seen an IDR, is a picture too."""

_HIGH = 576
"""Lines, above which a picture that does not say is taken for BT.709."""


class Undecodable(Exception):
    """The message is the reason."""


def draw(job: Job, samples: memoryview) -> bytes:
    """The JPEG of *job*; what cannot be decoded of several pictures is black.

    Raises ``Undecodable`` where that is all of them.
    """
    width, height = job.sheet
    single = len(job.tiles) == 1 and job.tiles[0].places == ((0, 0),)
    whole = (job.width, job.height) == job.sheet
    if single and whole:
        sheet = _picture(job, job.tiles[0], samples)
    else:
        sheet = _blank(width, height)
        problems = []
        for tile in job.tiles:
            try:
                _paste(sheet, _picture(job, tile, samples), tile)
            except Undecodable as error:
                problems.append(error)
            samples = samples[sum(tile.sizes) :]
        if problems and len(problems) == len(job.tiles):
            raise problems[0]
    return _encode(sheet, job.most)


def _picture(job: Job, tile: Tile, samples: memoryview) -> _Planes:
    frame = _decoded(job.decoding, tile, samples)
    turned = job.decoding.turn[0] == 0
    width, height = (job.height, job.width) if turned else (job.width, job.height)
    planes = _planes(_scaled(frame, width, height, job.decoding))
    return _turned(planes, job.decoding.turn)


def _decoded(decoding: Decoding, tile: Tile, samples: memoryview) -> VideoFrame:
    try:
        context: Any = av.CodecContext.create(decoding.codec, "r")
        context.thread_count = 1
        context.flags |= _OUTPUT_CORRUPT
        context.flags2 |= _SHOW_ALL
        if decoding.extradata:
            context.extradata = bytes.fromhex(decoding.extradata)
        frame = None
        for cts, sample in zip(tile.cts, samples_of(tile, samples), strict=True):
            packet = Packet(sample)  # type: ignore[arg-type]
            packet.pts = cts
            frame = _nearer(frame, context.decode(packet), tile.shown)
        frame = _nearer(frame, context.decode(None), tile.shown)
    except (FFmpegError, ValueError) as error:
        raise Undecodable(getattr(error, "strerror", None) or str(error)) from None
    if frame is None:
        raise Undecodable("no picture comes out")
    return frame


def _nearer(
    known: VideoFrame | None, frames: list[VideoFrame], shown: int
) -> VideoFrame | None:
    """The one with the time *shown*; where there is none, the last before it."""
    for frame in frames:
        if frame.pts is None or frame.pts <= shown or known is None:
            known = frame
    return known


def _scaled(frame: VideoFrame, width: int, height: int, decoding: Decoding) -> VideoFrame:
    source = _MATRICES.get(int(frame.colorspace))
    if source is None:
        source = Colorspace.ITU709 if frame.height > _HIGH else Colorspace.ITU601
    transfer = decoding.transfer if decoding.transfer != 2 else int(frame.color_trc)
    if is_high_range(transfer):
        wide = frame.reformat(width, height, "rgb48le", interpolation=Interpolation.AREA)
        rgb = standard(wide.to_ndarray().view(np.uint16), transfer)
        return VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            width, height, "yuvj420p", dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.JPEG,
        )  # fmt: skip
    smaller = width <= frame.width and height <= frame.height
    way = Interpolation.AREA if smaller else Interpolation.BICUBIC
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return frame.reformat(
        width,
        height,
        "yuvj420p",
        src_colorspace=source,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=way,
    )


def _planes(frame: VideoFrame) -> _Planes:
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        found.append(rows[:, : plane.width])
    luma, blue, red = found
    return luma, blue, red


def _turned(planes: _Planes, turn: tuple[int, int, int, int]) -> _Planes:
    a, b, c, d = turn

    def one(plane: _Plane) -> _Plane:
        if a == 0:
            plane = plane.T
        down, across = (b, c) if a == 0 else (d, a)
        return plane[:: 1 if down > 0 else -1, :: 1 if across > 0 else -1]

    if (a, b, c, d) == (1, 0, 0, 1):
        return planes
    luma, blue, red = planes
    return one(luma), one(blue), one(red)


def _blank(width: int, height: int) -> _Planes:
    half = -(-height // 2), -(-width // 2)
    luma, blue, red = (
        np.full(shape, value, np.uint8)
        for shape, value in zip(((height, width), half, half), _BLACK, strict=True)
    )
    return luma, blue, red


def _paste(sheet: _Planes, picture: _Planes, tile: Tile) -> None:
    for left, top in tile.places:
        for number, (target, plane) in enumerate(zip(sheet, picture, strict=True)):
            x, y = (left, top) if number == 0 else (left // 2, top // 2)
            high, wide = plane.shape
            target[y : y + high, x : x + wide] = plane


def _encode(planes: _Planes, most: int) -> bytes:
    """The finest that has at most *most* bytes; the coarsest in any case."""
    height, width = planes[0].shape
    frame = VideoFrame(width, height, "yuvj420p")
    for plane, rows in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = rows
        plane.update(padded.tobytes())
    data = b""
    for scale in _SCALES:
        context: Any = av.CodecContext.create("mjpeg", "w")
        context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
        context.time_base = Fraction(1, 25)
        context.color_range = ColorRange.JPEG
        context.thread_count = 1
        context.qmin = context.qmax = scale
        context.options = {"huffman": "optimal"}
        frame.pts = 0
        data = b"".join(bytes(one) for one in (*context.encode(frame), *context.encode(None)))
        if len(data) <= most:
            break
    return data
