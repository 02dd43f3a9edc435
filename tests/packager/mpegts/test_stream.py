"""Segments one after another: nothing breaks over a boundary or a change of rendition."""

import io

import av
import pytest

from packager.errors import MalformedSample, Unsupported
from packager.plan import Plan, Transform, Unplanned
from packager.recipe import muxed_segment
from packager.tracks import Edit
from tests.packager.carrying import Packaged, carry_out
from tests.packager.mpegts.reading import Pes, check_stream
from tests.packager.tables import (
    AC3,
    IDR,
    LC_44100_STEREO,
    SLICE,
    Trak,
    avc1,
    avcc,
    box,
    counted,
    esds,
    mp4,
    mp4a,
    sized,
    stsz,
)


def video(count: int, *, group: int = 25, length_size: int = 4, fill: int = 0) -> Trak:
    """25 frames a second, an IDR picture every *group*."""
    payloads = [
        sized(length_size, (SLICE if row % group else IDR) + bytes([fill]) * (row * 7 % 50))
        for row in range(count)
    ]
    stss = counted(b"stss", *([row + 1] for row in range(0, count, group)))
    return Trak(
        payloads,
        entry=avc1(box(b"avcC", avcc(length_size=length_size))),
        boxes={b"stss": stss},
    )


def audio(seconds: float) -> Trak:
    frames = int(seconds * 44_100 / 1024)
    payloads = [bytes([row % 251]) * (20 + row % 13) for row in range(frames)]
    return Trak(payloads, b"soun", 44_100, mp4a(esds(LC_44100_STEREO)), 1024)


def pes_of(stream: list[Pes], pid: int) -> list[Pes]:
    return [pes for pes in stream if pes.pid == pid]


def test_segments_run_on() -> None:
    packaged = Packaged(mp4(video(500), audio(20)))
    segments = packaged.ts()
    assert len(segments) == 4  # cut at 6, 12 and 18 s
    found = check_stream(b"".join(segments), first=1)
    pictures = pes_of(found, 0x100)
    assert [pes.dts for pes in pictures] == [900_000 + 3600 * row for row in range(500)]
    assert sum(pes.random_access for pes in pictures) == 20
    for number, segment in enumerate(segments, 1):
        own = check_stream(segment, first=number)
        first = pes_of(own, 0x100)[0]
        assert first.random_access
        assert first.data.startswith(b"\0\0\0\1\x09\xf0\0\0\0\1\x67")


def test_renditions_may_be_switched_at_any_boundary() -> None:
    packaged = Packaged(mp4(video(500, fill=1), audio(20)), mp4(video(500, fill=2), audio(20)))
    a, b = packaged.ts(packaged.choice(1)), packaged.ts(packaged.choice(2))
    found = check_stream(a[0] + b[1] + a[2] + b[3], first=1)
    assert len(pes_of(found, 0x100)) == 500


def test_sound_longer_than_the_picture() -> None:
    packaged = Packaged(mp4(video(100), audio(30)))
    segments = packaged.ts()
    assert len(segments) == 4  # the picture's, then from 12, 18 and 24 s on
    found = check_stream(b"".join(segments), first=1)
    assert len(pes_of(found, 0x100)) == 100
    assert pes_of(found, 0x101)[-1].pts > 900_000 + 29 * 90_000


def test_a_flavor_shorter_than_the_others_has_fewer_segments() -> None:
    packaged = Packaged(mp4(video(1000), audio(40)), mp4(video(300), audio(12)))
    assert len(packaged.ts(packaged.choice(1))) == 7
    short = packaged.ts(packaged.choice(2))
    assert len(short) == 2
    check_stream(b"".join(short), first=1)


def test_a_boundary_behind_the_start_of_the_last_frame_makes_no_segment() -> None:
    packaged = Packaged(mp4(video(100), audio(18.01)))  # its last frame starts at 17.99 s
    assert len(packaged.ts()) == 2


def test_a_late_picture_leaves_sound_its_clock() -> None:
    """The clock begins with the sound, not half a second behind it."""
    delayed = video(100)
    delayed.edits = counted(b"elst", (600, 0xFFFFFFFF, 0x10000), (2400, 0, 0x10000))
    found = check_stream(b"".join(Packaged(mp4(delayed, audio(5))).ts()), first=1)
    assert pes_of(found, 0x100)[0].pts == 900_000 + 90_000
    assert pes_of(found, 0x101)[0].pts == 900_000


@pytest.mark.parametrize("length_size", [1, 2, 4])
def test_with_and_without_facts_the_bytes_are_the_same(length_size: int) -> None:
    source = mp4(video(200, length_size=length_size), audio(8))
    assert Packaged(source, facts=True).ts() == Packaged(source, facts=False).ts()


def plan_of(packaged: Packaged) -> Plan | Unplanned:
    return packaged.run(muxed_segment(packaged.recipe, packaged.choice(), 1))


def test_facts_make_the_length_known() -> None:
    source = mp4(video(50), audio(2))
    assert isinstance(plan_of(Packaged(source)), Plan)
    assert isinstance(plan_of(Packaged(source, facts=False)), Unplanned)


def test_a_damaged_sample_is_named() -> None:
    broken = video(50)
    broken.payloads[30] = b"\0\0\0\xff" + bytes(20)
    packaged = Packaged(mp4(broken, audio(2)))
    with pytest.raises(MalformedSample, match=r"sample 31: a NAL unit runs past its end"):
        packaged.ts()
    assert packaged.cmaf(packaged.flavors[0].tracks[0])


def test_media_that_changed_under_its_index_is_named() -> None:
    source = mp4(video(50), audio(2))
    packaged = Packaged(source)
    payload = video(50).payloads[30]
    delimited = sized(4, b"\x09\xf0", payload[10:])
    assert len(delimited) == len(payload)
    with pytest.raises(MalformedSample, match=r"sample \d+: its NAL units are not those"):
        carry_out(plan_of(packaged), source.replace(payload, delimited, 1))


def test_empty_samples_travel_as_empty_access_units() -> None:
    empty = video(3)
    empty.payloads = [b"", b"", b""]
    empty.boxes = {b"stss": counted(b"stss", [1])}
    found = check_stream(Packaged(mp4(empty, audio(0.2))).ts()[0], first=1)
    assert pes_of(found, 0x100)[1].data == b"\0\0\0\1\x09\xf0"


def test_aac_that_adts_cannot_carry_is_refused() -> None:
    odd = audio(2)
    odd.entry = mp4a(esds(bytes.fromhex("1780562a10")))  # LC at 44,116 Hz, stereo
    with pytest.raises(Unsupported, match=r"mp4a\.40\.2 is in fMP4 alone"):
        Packaged(mp4(odd)).ts()


def test_frames_too_long_for_adts_are_named() -> None:
    long = audio(1)
    long.payloads[7] = bytes(8190)
    with pytest.raises(MalformedSample, match=r"sample 8: 8197 bytes exceed ADTS"):
        Packaged(mp4(long)).ts()


def test_preroll_is_decoded_before_zero() -> None:
    trimmed = video(100, group=100)
    trimmed.edits = counted(b"elst", (1200, 1000, 0x10000))  # two seconds, from one second on
    packaged = Packaged(mp4(trimmed))
    assert packaged.flavors[0].tracks[0].track.edit == Edit(1000, 3000)
    found = check_stream(packaged.ts()[0], first=1)
    assert found[0].pts == 900_000 - 90_000
    assert len(found) == 75


def test_ffmpeg_demuxes_without_a_word() -> None:
    packaged = Packaged(mp4(video(200), audio(8)))
    with av.logging.Capture() as messages:
        container = av.open(io.BytesIO(b"".join(packaged.ts())), format="mpegts")
        found = [
            (packet.stream.type, packet.dts, bytes(packet))
            for packet in container.demux()
            if packet.size
        ]
    assert [text for level, _, text in messages if level <= av.logging.ERROR] == []
    pictures = [dts for kind, dts, _ in found if kind == "video"]
    assert pictures == [900_000 + 3600 * row for row in range(200)]
    sound = b"".join(data for kind, _, data in found if kind == "audio")
    assert len(sound) == sum(7 + len(payload) for payload in audio(8).payloads)


def test_sound_of_a_high_rate_is_not_grouped() -> None:
    """PES_packet_length has 16 bits."""
    big = audio(1)
    big.payloads = [bytes(8000)] * 40
    found = check_stream(b"".join(Packaged(mp4(video(25), big)).ts()), first=1)
    assert len(pes_of(found, 0x101)) == 40


def test_a_segment_of_nothing_but_an_empty_frame_is_refused() -> None:
    empty = audio(1)
    empty.payloads[:] = [b"\x0b"]
    empty.entry = box(b"ac-3", mp4a()[8:], box(b"dac3", AC3.record))
    with pytest.raises(MalformedSample, match="sample 1: an empty frame"):
        Packaged(mp4(empty)).ts()


def test_frames_that_no_pes_holds_are_refused() -> None:
    huge = audio(1)
    huge.payloads[3] = bytes(70_000)
    with pytest.raises(Unsupported, match="MPEG-TS: an audio frame of 70007 bytes"):
        Packaged(mp4(huge)).ts()


def test_scattered_samples_are_read_around() -> None:
    """Frames of a few bytes, 50 KB apart: not everything between them is read."""
    count = 100
    payload = sized(4, SLICE)
    apart = [payload.ljust(50_000, b"\0")] * count

    def file(start: int) -> bytes:
        boxes = {
            b"stss": counted(b"stss", [1]),
            b"stts": counted(b"stts", (count, 40)),
            b"stsz": stsz(*[len(payload)] * count),
            b"stsc": counted(b"stsc", (1, 1, 1)),
            b"stco": counted(b"stco", *([start + 50_000 * row] for row in range(count))),
        }
        return mp4(Trak(apart, boxes=boxes))

    packaged = Packaged(file(len(file(0)) - 50_000 * count))
    plan = plan_of(packaged)
    assert isinstance(plan, Plan)
    read = sum(
        extent.length
        for piece in plan
        if isinstance(piece, Transform)
        for extent in piece.extents
    )
    assert read == count * len(payload)
    assert len(check_stream(carry_out(plan, packaged.sources[0]), first=1)) == count
