"""HEVC of open groups: CRA pictures whose leading pictures refer to the group before (rule
S-09).  Each picture is as bright as its number, so that FFmpeg's decoder tells which it was."""

import io
import struct
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from packager.isobmff.box import box
from packager.segmenter import cut
from packager.tracks import Kind
from tests.packager.carrying import Packaged

COUNT, RATE, GROUP = 60, 25, 12


@cache
def film(group: int, *, open_: bool) -> bytes:
    """In an MP4 without an edit list, moov last."""
    out = io.BytesIO()
    x265 = (
        f"keyint={group}:min-keyint={group}:scenecut=0:open-gop={int(open_)}:bframes=3:"
        "b-adapt=0:rc-lookahead=12:qp=8:pools=none:frame-threads=1:log-level=none"
    )
    with av.open(out, "w", "mp4", options={"use_editlist": "0"}) as container:
        options = {"preset": "ultrafast", "x265-params": x265}
        stream = container.add_stream("libx265", rate=RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for number in range(COUNT):
            plane = np.full((96, 128), 128, np.uint8)
            plane[:64] = 20 + 3 * number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plane, "yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def edited(data: bytes, *edits: tuple[float, float]) -> bytes:
    """*data* with an edit list of durations and media times in seconds; media time zero is the
    first picture."""
    made = Packaged(data)
    [track] = made.flavors[0].tracks
    scale, lead = track.track.timescale, track.first_time
    rows = b"".join(
        struct.pack(">Qqhh", round(duration * 1000), round(start * scale) + lead, 1, 0)
        for duration, start in edits
    )
    edts = box(b"edts", box(b"elst", struct.pack(">II", 1 << 24, len(edits)), rows))
    moov, trak, mdia = (data.rindex(name) - 4 for name in (b"moov", b"trak", b"mdia"))
    grown = bytearray(data[:mdia] + edts + data[mdia:])
    assert moov > data.index(b"mdat")  # so that no chunk moves
    for at in (moov, trak):
        size = int.from_bytes(data[at : at + 4], "big") + len(edts)
        grown[at : at + 4] = size.to_bytes(4, "big")
    return bytes(grown)


def shown(made: Packaged, skip: int = 0) -> list[int]:
    """The picture that stands at each frame from the presentation zero on, or from the first
    one, as FFmpeg decodes the segments behind *skip*."""
    [track] = made.flavors[0].of_kind(Kind.VIDEO)
    init, *segments = made.cmaf(track)
    zero = Fraction(track.lead, track.track.timescale)
    found: list[tuple[Fraction, int]] = []
    source = io.BytesIO(init + b"".join(segments[skip:]))
    with av.open(source, options={"ignore_editlist": "1"}) as container:
        for frame in container.decode(video=0):
            assert isinstance(frame, av.VideoFrame) and frame.pts is not None
            assert frame.time_base is not None
            time = frame.pts * frame.time_base - zero
            level = float(frame.to_ndarray(format="gray").mean())
            found.append((time * RATE, round((_limited(level) - 20) / 3)))
    # What is decoded for others alone passes within half a frame before a splice.
    first = max(0, round(min(found)[0]))
    end = round(Fraction(track.end - track.origin, track.track.timescale) * RATE)
    soon = Fraction(1, 10)
    return [
        max((time, number) for time, number in found if time <= at + soon)[1]
        for at in range(first, end)
    ]


def _limited(level: float) -> float:
    """Full range to the range of video."""
    return 16 + level * 219 / 255


def test_the_film_has_open_groups() -> None:
    [track] = Packaged(film(GROUP, open_=True)).flavors[0].tracks
    assert len(track.sync) == COUNT // GROUP
    assert len(track.entry) == 1


def test_an_open_group_is_not_cut() -> None:
    """Though its first picture is a sync sample."""
    made = Packaged(edited(film(GROUP, open_=True), (0, 0)), target=Fraction(1, 2))
    [track] = made.flavors[0].tracks
    assert len(cut(track, made.recipe.times, {})) == 1
    assert shown(made) == list(range(COUNT))


def test_a_closed_group_is_cut() -> None:
    made = Packaged(edited(film(GROUP, open_=False), (0, 0)), target=Fraction(1, 2))
    [track] = made.flavors[0].tracks
    starts = cut(track, made.recipe.times, {}).starts
    frames = [Fraction(start * RATE, track.track.timescale) for start in starts]
    assert frames == [0, 24, 36, 48]  # the first of each half second
    assert shown(made, 1) == list(range(24, COUNT))


SPLICES = {
    "to its first picture": (((0.48, 0), (0.96, 0.96)), [*range(12), *range(24, 48)]),
    "back to its first picture": (((1.44, 0), (0.48, 0.48)), [*range(36), *range(12, 24)]),
    "inside it": (((0.48, 0), (0.8, 1.2)), [*range(12), *range(30, 50)]),
    "from inside it": (((0.72, 0), (0, 0.96)), [*range(18), *range(24, 60)]),
    "trimmed to its first picture": (((0, 0.96),), [*range(24, 60)]),
    "trimmed inside it": (((0, 1.2),), [*range(30, 60)]),
}


@pytest.mark.parametrize(("edits", "numbers"), SPLICES.values(), ids=SPLICES)
def test_a_splice_shows_no_leading_picture(
    edits: tuple[tuple[float, float], ...], numbers: list[int]
) -> None:
    """They cannot be decoded where the group before is not there."""
    assert shown(Packaged(edited(film(GROUP, open_=True), *edits))) == numbers
