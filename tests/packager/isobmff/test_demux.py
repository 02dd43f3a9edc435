"""Whole files, made of boxes: where moov is, what is left out, what is refused."""

import struct
import time
import tracemalloc
from unittest.mock import patch

import pytest

from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.indexing import build_index
from packager.isobmff.box import box, full_box
from packager.plan import Extent, run_reads
from packager.tracks import Kind, VideoFormat
from tests.packager.carrying import Packaged, index_of
from tests.packager.tables import (
    FTYP,
    IDENTITY,
    IDR,
    Trak,
    avc1,
    avcc,
    counted,
    esds,
    movie,
    mp4,
    mp4a,
    sized,
    sound,
    stsz,
)


def stss() -> dict[bytes, bytes | None]:
    return {b"stss": counted(b"stss", [1])}


LAYOUTS = {
    "moov first": mp4(Trak(movie(), boxes=stss()), sound()),
    "moov last": mp4(Trak(movie(), boxes=stss()), sound(), moov_last=True),
    "64-bit": mp4(Trak(movie(), boxes=stss()), sound(), wide=True),
    "64-bit, moov last": mp4(Trak(movie(), boxes=stss()), sound(), wide=True, moov_last=True),
}


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_layout(data: bytes) -> None:
    found = index_of(data)
    assert [track.kind for track in found.tracks] == [Kind.VIDEO, Kind.AUDIO]
    assert found.left_out == ()
    for track, blocks in zip(found.tracks, found.blocks, strict=True):
        payloads = movie() if track.kind is Kind.VIDEO else sound().payloads
        rows = track.samples(0, track.count, blocks)
        places = zip(rows.offset.tolist(), rows.size.tolist(), strict=True)
        assert [data[at : at + size] for at, size in places] == payloads


def test_all_layouts_give_the_same_segments() -> None:
    packaged = [Packaged(data) for data in LAYOUTS.values()]
    assert all(one.ts() == packaged[0].ts() for one in packaged)
    assert all(
        one.cmaf(one.flavors[0].tracks[0]) == packaged[0].cmaf(packaged[0].flavors[0].tracks[0])
        for one in packaged
    )


def test_an_mdat_that_claims_more_than_the_file() -> None:
    data = mp4(Trak(movie()))
    at = data.index(b"mdat") - 4
    assert index_of(data[:at] + b"\x7f\xff\xff\xff" + data[at + 4 :]).tracks


def test_a_track_of_another_kind_is_left_out() -> None:
    found = index_of(mp4(Trak(movie()), Trak([b"x"], handler=b"meta"), sound()))
    assert [track.kind for track in found.tracks] == [Kind.VIDEO, Kind.AUDIO]
    assert found.left_out == ("track 2: hdlr: 'meta' is neither video nor audio",)


def test_an_unsupported_codec_is_left_out() -> None:
    found = index_of(mp4(Trak(movie(), entry=box(b"SVQ3", bytes(100))), sound()))
    assert found.left_out == ("track 1: stsd: codec 'SVQ3'",)


BROKEN = {
    "video": (
        (Trak(movie(), entry=avc1(box(b"avcC", b"\2"))), sound()),
        Kind.AUDIO, "track 1: avcC: not a version 1 record",
    ),
    "audio": (
        (Trak(movie(), boxes=stss()), Trak([b"1"], b"soun", entry=mp4a(esds(b"")))),
        Kind.VIDEO, "track 2: esds: AudioSpecificConfig is",
    ),
    "parameter sets": (
        (Trak(movie(), entry=avc1(box(b"avcC", avcc(sps=[b"\x67\x64"])))), sound()),
        Kind.AUDIO, "track 1: avcC: sequence parameter set is cut short",
    ),
    "none in the first sample": (
        (Trak(movie(), entry=avc1(box(b"avcC", avcc(sps=[], pps=[])))), sound()),
        Kind.AUDIO, "track 1: avcC: no parameter sets, nor has the first sample any",
    ),
    "damaged ones in the first sample": (
        (
            Trak(
                [sized(4, b"\x67\x64\0\x0d\xff", b"\x68\xeb", IDR)],
                entry=avc1(box(b"avcC", avcc(sps=[], pps=[]))),
            ),
            sound(),
        ),
        Kind.AUDIO, "track 1: avcC: sequence parameter set is cut short",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("traks", "left", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_configuration_leaves_out_its_track(
    traks: tuple[Trak, Trak], left: Kind, reason: str
) -> None:
    found = index_of(mp4(*traks))
    assert [(track.kind, track.number) for track in found.tracks] == [(left, 1)]
    [said] = found.left_out
    assert said.startswith(reason)
    Packaged(mp4(*traks)).presentation()
    kept = b"vide" if left is Kind.VIDEO else b"soun"
    [broken] = [trak for trak in traks if trak.handler != kept]
    with pytest.raises(PackagerError) as error:
        index_of(mp4(broken))
    assert str(error.value).startswith(reason.partition(": ")[2])


def test_a_table_that_lies_refuses_the_file() -> None:
    lying = Trak(movie(), boxes={b"stsz": stsz(10**9, 1, 1)})
    with pytest.raises(MalformedBox, match=r"^(stsz|stco): "):
        index_of(mp4(lying, sound()))


def test_languages() -> None:
    """mdhd packs three letters; this one says "und"."""
    assert index_of(mp4(sound())).tracks[0].track.language is None


def test_sync_samples_come_from_the_media_where_the_table_is_silent() -> None:
    found = index_of(mp4(Trak(movie(4))))
    assert found.tracks[0].sync.tolist() == [0]
    assert not found.tracks[0].all_sync


TRUNCATED = mp4(Trak(movie(), boxes=stss()), sound())


def replaced(fourcc: bytes, made: bytes | None) -> bytes:
    return mp4(Trak(movie(), boxes={fourcc: made}))


REFUSED = {
    "nothing": (b"", MalformedBox, "moov: missing: the file is empty"),
    "a word": (b"junk\n", MalformedBox, "moov: missing; found no box"),
    "a page": (b"<!DOCTYPE html><html>", MalformedBox, "moov: missing; found CTYP"),
    "a few bytes": (b"\0\0\0\x08ft", MalformedBox, "moov: missing"),
    "no moov": (FTYP + box(b"mdat", bytes(9)), MalformedBox, "moov: missing; found ftyp mdat"),
    "a segment": (box(b"styp") + box(b"moof"), Unsupported, "moof: a media segment without"),
    "compressed": (FTYP + box(b"moov", box(b"cmov")), Unsupported, "cmov: compressed"),
    "no mvhd": (FTYP + box(b"moov"), MalformedBox, "mvhd: missing from moov"),
    "no track": (mp4(), Unsupported, "moov: no track"),
    "no tkhd": (
        mp4(Trak(movie())).replace(b"tkhd", b"free"), MalformedBox, "tkhd: missing from trak",
    ),
    "no hdlr": (
        mp4(Trak(movie())).replace(b"hdlr", b"free"), MalformedBox, "hdlr: missing from mdia",
    ),
    "no stsd": (replaced(b"stsd", None), MalformedBox, "stsd: missing from stbl"),
    "video as sound": (
        mp4(Trak(movie(), handler=b"soun")), MalformedBox, "hdlr: does not fit the codec",
    ),
    "no samples": (mp4(Trak([])), Unsupported, "track 1: stsz: no samples"),
    "timescale 0": (mp4(Trak(movie(), timescale=0)), MalformedBox, "mdhd: timescale is zero"),
    "cut moov": (TRUNCATED[: TRUNCATED.index(b"mdat") - 50], MalformedBox, "moov: size"),
    "cut mdat": (TRUNCATED[:-20], MalformedBox, "stco: sample 4 at"),
    "first sample": (
        mp4(Trak([b"\0\0\0\x07abc", *movie()])), PackagerError, "sample 1: a NAL unit runs",
    ),
    "last sample": (
        mp4(Trak([*movie(), b"\0\0\0\0"])), PackagerError, "sample 4: cut short inside a NAL",
    ),
    "too long": (
        mp4(Trak(movie(40_000), boxes={b"stts": counted(b"stts", (40_000, 2**31 - 1))})),
        MalformedBox, "stts: the track is longer than 2^46 ticks",
    ),
    "many tracks": (mp4(*[sound()] * 65), Unsupported, "trak: 65 tracks are more than 64"),
    "edit of nothing": (
        mp4(Trak(movie(), edits=counted(b"elst", (0, 9000, 0x10000)))), Unsupported,
        "elst: the edit of track 1 presents no sample",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, kind: type[PackagerError], message: str) -> None:
    with pytest.raises(kind) as error:
        index_of(data)
    assert str(error.value).startswith(message)


def test_a_wider_walk_for_moov_ends() -> None:
    with pytest.raises(MalformedBox, match="moov: missing"):
        index_of(FTYP + box(b"free") * 5000 + box(b"moov"))


def test_a_moov_of_many_gigabytes_is_not_read() -> None:
    """Only headers are read before the refusal."""
    header = struct.pack(">I4s", 200 << 20, b"moov")

    from packager.indexing import build_index
    from packager.plan import run_reads

    def read(extent: Extent) -> bytes:
        return (FTYP + header)[extent.offset :][:16]

    with pytest.raises(Unsupported, match="moov: 209715200 bytes are more than"):
        run_reads(build_index(1 << 30, facts=False), read)


def test_sound_that_its_table_would_reorder_keeps_its_order() -> None:
    """Seen in the wild: an offset on the first frame alone."""
    odd = sound(5)
    odd.boxes = {b"ctts": counted(b"ctts", (1, 4096), (4, 0))}
    track = index_of(mp4(odd)).tracks[0]
    assert not track.has_offsets
    assert track.block_dts.tolist() == [0]


def test_sound_that_its_table_delays_is_later() -> None:
    odd = sound(5)
    odd.boxes = {b"ctts": counted(b"ctts", (5, 2048))}
    track = index_of(mp4(odd)).tracks[0]
    assert track.block_dts.tolist() == [2048]
    assert track.end == 2048 + 5 * 1024


def test_steps_that_no_run_can_hold_are_refused() -> None:
    odd = sound(3)
    odd.boxes = {b"ctts": counted(b"ctts", (2, 0), (1, 2**31 - 1))}
    with pytest.raises(MalformedBox, match=r"ctts: a sample lasts 2\^31 ticks or more"):
        index_of(mp4(odd))


def test_units_without_end_are_refused_quickly() -> None:
    """A sample of a million units of one byte."""
    many = sized(4, b"\x41") * 200_000
    begin = time.perf_counter()
    with pytest.raises(PackagerError, match="sample 1: more than 10000 NAL units"):
        index_of(mp4(Trak([many], boxes=stss())))
    assert time.perf_counter() - begin < 1


def test_a_hostile_order_of_samples_is_read_once() -> None:
    """Frames that lie far apart, back and forth: every byte is still read few times only."""
    count, far = 2000, 4 << 20
    payload = sized(4, b"\x65")
    media = payload * count + bytes(far) + payload * count

    def file(start: int) -> bytes:
        rows = [[start + 5 * row + (far + 5 * count) * (row % 2)] for row in range(count)]
        boxes = {
            b"stsz": stsz(*[5] * count),
            b"stts": counted(b"stts", (count, 40)),
            b"stsc": counted(b"stsc", (1, 1, 1)),
            b"stco": counted(b"stco", *rows),
        }
        return mp4(Trak([media], boxes=boxes))

    data, read = file(len(file(0)) - len(media)), 0

    def reader(extent: Extent) -> bytes:
        nonlocal read
        read += extent.length
        return data[extent.offset : extent.offset + extent.length]

    [track] = run_reads(build_index(len(data), facts=True), reader).tracks
    assert track.exact
    assert read < 4 * len(data)


def test_memory_follows_the_file_not_its_numbers() -> None:
    """One byte a sample, as many as the file has bytes."""
    count = 1 << 17
    stsz_ = full_box(b"stsz", 0, 0, struct.pack(">II", 1, count))
    boxes = {
        b"stsz": stsz_,
        b"stsc": counted(b"stsc", (1, count, 1)),
        b"stts": counted(b"stts", (count, 1)),
    }
    data = mp4(Trak([bytes(count)], b"soun", 1000, mp4a(esds(b"\x12\x10")), 1, boxes))
    tracemalloc.start()
    try:
        index_of(data)
        assert tracemalloc.get_traced_memory()[1] < 160 * count + (4 << 20)
    finally:
        tracemalloc.stop()


def test_an_unknown_entry_names_itself() -> None:
    with pytest.raises(Unsupported, match="stsd: codec"):
        index_of(mp4(Trak(movie(), entry=avc1()[:4] + b"\xff\xfe\0\1" + avc1()[8:])))


def test_an_extended_language_says_more() -> None:
    tagged = sound()
    made = mp4(tagged)
    elng = full_box(b"elng", 0, 0, b"de-CH\0")
    mdia = made.index(b"mdia") - 4
    grown = bytearray(made[: mdia + 8] + elng + made[mdia + 8 :])
    for name in (b"moov", b"trak", b"mdia"):
        at = grown.index(name) - 4
        size = int.from_bytes(grown[at : at + 4], "big") + len(elng)
        grown[at : at + 4] = size.to_bytes(4, "big")
    assert index_of(bytes(grown)).tracks[0].track.language == "de-CH"


def test_a_rotation_is_kept() -> None:
    turned = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    [track] = index_of(mp4(Trak(movie())).replace(IDENTITY, turned)).tracks
    assert isinstance(track.track.format, VideoFormat)
    assert track.track.format.matrix == turned


def test_all_tracks_together_are_bounded() -> None:
    with (
        patch("packager.isobmff.demux.MAX_SAMPLES", 9),
        pytest.raises(Unsupported, match="moov: more than 9 samples"),
    ):
        index_of(mp4(sound(5), sound(5)))


def test_a_source_that_shrinks_while_it_is_read() -> None:
    data = mp4(sound())
    with pytest.raises(MalformedBox, match="moov: the file ends inside it"):
        run_reads(
            build_index(len(data), facts=False),
            lambda extent: data[: len(FTYP) + 60][extent.offset :][: extent.length],
        )


def test_a_short_track_header() -> None:
    data = mp4(Trak(movie()))
    at = data.index(b"tkhd") - 4
    short = struct.pack(">I4s", 40, b"tkhd") + data[at + 8 : at + 40]
    filler = box(b"free", bytes(int.from_bytes(data[at : at + 4], "big") - 48))
    size = int.from_bytes(data[at : at + 4], "big")
    with pytest.raises(MalformedBox, match="tkhd: cut short before its matrix"):
        index_of(data[:at] + short + filler + data[at + size :])
