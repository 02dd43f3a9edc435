"""Fragmented files: made of boxes by hand, and by FFmpeg in each of its ways."""

import io
import struct
import time
from pathlib import Path

import av
import pytest

from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.index import FlavorIndex
from packager.indexing import build_index
from packager.isobmff.box import box, full_box
from packager.isobmff.fragments import TFXD
from packager.plan import Extent, run_reads
from tests.packager.carrying import index_of
from tests.packager.generated import encoded
from tests.packager.tables import FTYP, SLICE, Trak, mp4, sized, sound

FRAME = b"\x21" + bytes(9)


def init(*, trex: tuple[int, int, int] = (1024, 10, 0)) -> bytes:
    """One track of sound; *trex* is duration, size and flags."""
    empty = sound(0).encode(0)
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    defaults = full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, *trex))
    return FTYP + box(b"moov", mvhd, empty, box(b"mvex", defaults))


def tfhd(flags: int = 0x20000, *fields: bytes, track: int = 1) -> bytes:
    return full_box(b"tfhd", 0, flags, struct.pack(">I", track), *fields)


def tfdt(decode_time: int, version: int = 1) -> bytes:
    return full_box(b"tfdt", version, 0, struct.pack(">Q" if version else ">I", decode_time))


def trun(count: int, flags: int = 1, *fields: bytes, version: int = 0) -> bytes:
    """With flag 1 the first field is the data offset."""
    return full_box(b"trun", version, flags, struct.pack(">I", count), *fields)


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def fragment(*boxes: bytes, data: bytes) -> bytes:
    return box(b"moof", full_box(b"mfhd", 0, 0, words(1)), *boxes) + box(b"mdat", data)


def simple(decode_time: int | None, count: int = 2) -> bytes:
    """A fragment of *count* frames of ten bytes, its offset counted from moof."""
    times = () if decode_time is None else (tfdt(decode_time),)

    def made(offset: int) -> bytes:
        traf = box(b"traf", tfhd(), *times, trun(count, 1, words(offset)))
        return fragment(traf, data=FRAME * count)

    return made(len(made(0)) - 10 * count)


def rows(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Decode and composition time, duration and payload of the first track."""
    index = index_of(data)
    track = index.tracks[0]
    one = track.samples(0, track.count, index.blocks[0])
    each = zip(one.dts, one.cts, one.duration, one.offset, one.size, strict=True)
    return [(int(d), int(c), int(n), data[o : o + s]) for d, c, n, o, s in each]


def times(data: bytes) -> list[tuple[int, int]]:
    return [(dts, duration) for dts, _, duration, _ in rows(data)]


GRID = [(0, 1024), (1024, 1024), (2048, 1024), (3072, 1024)]
TIMES = {
    "tfdt": ((0, 2048), GRID),
    "no tfdt": ((None, None), GRID),
    "first alone": ((0, None), GRID),
    "gap": ((0, 5000), [(0, 1024), (1024, 3976), (5000, 1024), (6024, 1024)]),
    "a little early": ((0, 2000), [(0, 1024), (1024, 976), (2000, 1024), (3024, 1024)]),
    "cut from a live stream": ((1 << 55, (1 << 55) + 2048), GRID),
    "a little late": ((300, 2348), [(dts + 300, duration) for dts, duration in GRID]),
}


@pytest.mark.parametrize(("given", "expected"), TIMES.values(), ids=TIMES)
def test_decode_times(
    given: tuple[int | None, ...], expected: list[tuple[int, int]]
) -> None:  # fmt: skip
    data = init() + b"".join(map(simple, given))
    assert times(data) == expected
    assert {payload for _, _, _, payload in rows(data)} == {FRAME}


def test_smooth_streaming_says_the_time_in_a_uuid_box() -> None:
    tfxd = box(b"uuid", TFXD, struct.pack(">IQQ", 1 << 24, 500, 2048))
    traf = box(b"traf", tfhd(), tfxd, trun(2, 1, words(0)))
    data = init() + fragment(traf, data=FRAME * 2)
    assert times(data) == [(500, 1024), (1524, 1024)]


def test_moov_may_come_last() -> None:
    first = init()
    moov = first[len(FTYP) :]
    assert times(FTYP + simple(0) + simple(2048) + moov) == GRID


def test_every_column_of_a_run() -> None:
    table = words(1000, 4, 0, 0, 1048, 6, 0, 0)
    head = len(init()) + 8 + 16 + 8 + len(tfhd(1, bytes(8))) + len(tfdt(0))
    at = head + len(trun(2, 0xF01, words(0), table)) + 8
    traf = box(b"traf", tfhd(1, struct.pack(">Q", at)), tfdt(0),
               trun(2, 0xF01, words(0), table))  # fmt: skip
    data = init() + fragment(traf, data=b"abcdefghij")
    assert rows(data) == [(0, 0, 1000, b"abcd"), (1000, 1000, 1048, b"efghij")]


def test_runs_follow_each_other_and_so_do_track_fragments() -> None:
    """Without offsets: behind the run before; without a base: behind the traf before."""

    def made(offset: int) -> bytes:
        first = box(b"traf", tfhd(0), tfdt(0), trun(1, 1, words(offset)), trun(2, 0))
        second = box(b"traf", tfhd(0x10, words(5)), trun(1, 1, words(0)), trun(1, 0))
        return fragment(first, second, data=b"0123456789" * 3 + b"abcdefghij")

    data = init() + made(len(made(0)) - 40)
    payloads = [payload for *_, payload in rows(data)]
    assert payloads == [b"0123456789"] * 3 + [b"abcde", b"fghij"]


def test_defaults_of_tfhd_come_before_those_of_trex() -> None:
    traf = box(b"traf", tfhd(0x20018, words(512, 5)), tfdt(0), trun(2, 1, words(0)))
    assert times(init() + fragment(traf, data=FRAME)) == [(0, 512), (512, 512)]


def test_a_hybrid_file_goes_on_behind_moov() -> None:
    data = mp4(sound(2))
    at = data.index(b"moov") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    mvex = box(b"mvex", full_box(b"trex", 0, 0, words(1, 1, 1024, 10, 0)))
    payload = bytearray(data[at + 8 : at + size])
    place = payload.index(b"stco") + 12
    moved = int.from_bytes(payload[place : place + 4], "big") + len(mvex)
    payload[place : place + 4] = moved.to_bytes(4, "big")
    hybrid = data[:at] + box(b"moov", bytes(payload), mvex) + data[at + size :]
    assert times(hybrid + simple(2048)) == GRID
    assert times(hybrid + simple(None)) == GRID


def test_fragments_behind_a_moov_without_mvex() -> None:
    """Taken where they say themselves what trex would, though FFmpeg gives such a file up; what
    else lies behind moov is passed over."""
    data = mp4(sound(2))
    own = tfhd(0x20018, words(1024, 10))

    def made(offset: int, *header: bytes) -> bytes:
        traf = box(b"traf", *header, tfdt(2048), trun(2, 1, words(offset)))
        return fragment(traf, data=FRAME * 2)

    hybrid = data + made(len(made(0, own)) - 20, own)
    assert times(hybrid) == GRID
    assert {payload for *_, payload in rows(hybrid)[2:]} == {FRAME}
    for rest in (b"", bytes(40), b"\xff" * 40, data[len(FTYP) :]):
        assert times(data + rest) == GRID[:2]
    with pytest.raises(MalformedBox, match=r"^trex: missing for track 1, whose samples"):
        index_of(data + made(0, tfhd()))


def bad(*boxes: bytes, data: bytes = FRAME) -> bytes:
    return init() + fragment(box(b"traf", *boxes), data=data)


MANY = 1 << 31
REFUSED: dict[str, tuple[bytes, type[PackagerError], str]] = {
    "no fragment": (init(), Unsupported, "moov: an initialization segment"),
    "no moov": (simple(0), Unsupported, "moof: a media segment without"),
    "no tfhd": (bad(trun(1)), MalformedBox, "tfhd: missing from traf"),
    "short tfhd": (bad(tfhd(0x3B)), MalformedBox, "tfhd: 0 bytes where 8"),
    "short tfdt": (
        bad(tfhd(), full_box(b"tfdt", 1, 0, bytes(4))), MalformedBox, "tfdt: 4 bytes",
    ),
    "late tfdt": (bad(tfhd(), tfdt(1 << 63)), MalformedBox, "tfdt: time 9223372036854775808"),
    "rows missing": (bad(tfhd(), trun(9, 0x100)), MalformedBox, "trun: 9 samples do not fit"),
    "samples of no bytes": (
        bad(tfhd(0x10, words(0)), full_box(b"trun", 0, 0, struct.pack(">I", MANY))),
        MalformedBox, "trun: 2147483648 samples",
    ),
    "beyond the file": (
        bad(tfhd(), tfdt(0), trun(1, 1, words(9999))),
        MalformedBox, "trun: the data of fragment 1",
    ),
    "before the file": (
        bad(tfhd(), tfdt(0), trun(1, 1, words(-9999))),
        MalformedBox, "trun: the data of fragment 1",
    ),
    "huge base": (
        bad(tfhd(1, b"\xff" * 8), trun(1, 1, words(0))),
        MalformedBox, "trun: the data of fragment",
    ),
    "huge sample": (
        bad(tfhd(), trun(1, 0x201, words(0, 0x7FFFFFFF))),
        MalformedBox, "trun: a sample has",
    ),
    "unknown version": (
        bad(tfhd(), trun(1, 0, version=2)), MalformedBox, "trun: unknown version",
    ),
    "another description": (
        bad(tfhd(0x20002, words(2)), trun(1, 1, words(0))), Unsupported,
        "track 1: stsd: sample description 2 of 1 is used",
    ),
    "overlap": (init() + simple(0) + simple(0), MalformedBox, "tfdt: sample 3 of track 1"),
    "cut short": ((init() + simple(0))[:-1], MalformedBox, "trun: the data of fragment 1"),
    "moof cut short": (init() + simple(0)[:40], MalformedBox, "moof: size"),
    "another movie": (
        init() + simple(0) + init(trex=(1, 1, 1)), Unsupported, "moov: another movie follows",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "kind", "start"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, kind: type[PackagerError], start: str) -> None:
    with pytest.raises(kind) as error:
        index_of(data)
    assert str(error.value).startswith(start), str(error.value)


def test_a_film_of_many_fragments_is_read_in_few_windows() -> None:
    """Two hours of sound: of several fragments in a window one read tells."""
    data = init() + b"".join(simple(number * 2048) for number in range(3600))
    reads = []

    def read(extent: Extent) -> bytes:
        reads.append(extent)
        return data[extent.offset : extent.offset + extent.length]

    begin = time.perf_counter()
    index = run_reads(build_index(len(data), facts=False), read)
    assert time.perf_counter() - begin < 5
    assert index.tracks[0].count == 7200
    assert len(reads) < 10
    assert sum(extent.length for extent in reads) < 2 * len(data)


def test_large_fragments_take_a_read_each() -> None:
    large = [simple(number * 1024 * 20_000, 20_000) for number in range(20)]
    data = init() + b"".join(large)
    reads = []

    def read(extent: Extent) -> bytes:
        reads.append(extent)
        return data[extent.offset : extent.offset + extent.length]

    assert run_reads(build_index(len(data), facts=False), read).tracks[0].count == 400_000
    assert len(reads) < 20 + 8


# -- files of FFmpeg

VARIANTS = {
    "empty_moov": {"movflags": "frag_keyframe+empty_moov"},
    "default_base_moof": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "omit_tfhd_offset": {"movflags": "frag_keyframe+empty_moov+omit_tfhd_offset"},
    "separate_moof": {"movflags": "frag_keyframe+empty_moov+separate_moof"},
    "hybrid": {"movflags": "frag_keyframe"},
    "delay_moov": {"movflags": "frag_keyframe+empty_moov+delay_moov"},
    "dash": {"movflags": "dash+frag_keyframe+delay_moov"},
    "global_sidx": {"movflags": "dash+frag_keyframe+delay_moov+global_sidx"},
    "cmaf": {"movflags": "cmaf+frag_keyframe+delay_moov"},
    "skip_trailer": {"movflags": "frag_keyframe+empty_moov+skip_trailer"},
    "frag_every_frame": {"movflags": "frag_every_frame+empty_moov+default_base_moof"},
    "negative offsets": {"movflags": "frag_keyframe+delay_moov+negative_cts_offsets"},
    "by duration": {"movflags": "empty_moov", "frag_duration": "700000"},
    "ismv": {"format": "ismv"},
    "mov": {"format": "mov", "movflags": "frag_keyframe+empty_moov"},
}


def remuxed(data: bytes, to: Path, options: dict[str, str]) -> bytes:
    form = options.get("format", "mp4")
    chosen = {name: value for name, value in options.items() if name != "format"}
    with (
        av.open(io.BytesIO(data), "r") as source,
        av.open(str(to), "w", format=form, options=chosen) as target,
    ):
        streams = {one.index: target.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return to.read_bytes()


Row = tuple[bytes, float, bool]


def seen(index: FlavorIndex, data: bytes) -> list[list[Row]]:
    """Payload, presentation time from the second one's in milliseconds, and sync, by track."""
    found = []
    for track, blocks in zip(index.tracks, index.blocks, strict=True):
        one = track.samples(0, track.count, blocks)
        times = (one.cts - one.cts[1]) * 1000 / track.track.timescale
        places = zip(one.offset.tolist(), one.size.tolist(), strict=True)
        payloads = [data[at : at + size] for at, size in places]
        found.append(list(zip(payloads, times.tolist(), one.sync.tolist(), strict=True)))
    return found


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_what_ffmpeg_writes(options: dict[str, str], tmp_path: Path) -> None:
    """Sample by sample the same as the progressive file that it was made from.

    But for when sound begins: without an edit list the first frame, priming, is written as
    lasting until the presentation of pictures begins.  Of fragments of one frame it writes two
    with the same tfdt, and reads them so too: a frame of sound is off by its duration.
    """
    margin = 24 if "frag_every_frame" in options.get("movflags", "") else 1
    source = encoded("b_frames")
    data = remuxed(source, tmp_path / "made.mp4", options)
    assert b"moof" in data
    expected, got = seen(index_of(source), source), seen(index_of(data), data)
    assert len(got) == len(expected) == 2
    for ours, theirs in zip(got, expected, strict=True):
        assert [(p, s) for p, _, s in ours] == [(p, s) for p, _, s in theirs]
        pairs = zip(ours[1:], theirs[1:], strict=True)
        assert max(abs(mine[1] - other[1]) for mine, other in pairs) < margin


ALL, NONE = 0, 0x10000
"""Flags that call every sample a sync sample, and none."""


@pytest.mark.parametrize("flags", [ALL, NONE])
def test_sync_comes_from_the_media_where_flags_do_not_tell(flags: int) -> None:
    picture = Trak([])
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    mvex = box(b"mvex", full_box(b"trex", 0, 0, words(1, 1, 40, 25, flags)))
    start = FTYP + box(b"moov", mvhd, picture.encode(0), mvex)
    idr, other = sized(4, b"\x65" + bytes(20)), sized(4, SLICE)
    units = [idr, other, other, idr, other]

    def made(offset: int) -> bytes:
        traf = box(b"traf", tfhd(), tfdt(0), trun(5, 1, words(offset)))
        return fragment(traf, data=b"".join(units))

    track = index_of(start + made(len(made(0)) - 125)).tracks[0]
    assert track.sync.tolist() == [0, 3]


def test_of_other_codecs_a_flag_must_tell() -> None:
    vpcc = full_box(b"vpcC", 1, 0, bytes([0, 10, 0x82, 2, 2, 2, 0, 0]))
    shape = bytes(16) + struct.pack(">HH", 64, 48) + bytes(50)
    picture = Trak([], entry=box(b"vp09", bytes(6), b"\0\1", shape, vpcc))
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    for flags, count in ((ALL, 2), (NONE, 1), (NONE, 2)):
        mvex = box(b"mvex", full_box(b"trex", 0, 0, words(1, 1, 40, 10, flags)))
        data = FTYP + box(b"moov", mvhd, picture.encode(0), mvex) + simple(0, count)
        if (flags, count) != (NONE, 2):
            assert index_of(data).tracks[0].count == count
            continue
        with pytest.raises(Unsupported, match=r"^track 1: trun: no sample of any frag"):
            index_of(data)
