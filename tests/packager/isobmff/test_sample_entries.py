import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.h264 import Colour
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.isobmff.box import box, full_box
from packager.isobmff.sample_entries import encode_sample_entry, parse_sample_entry
from packager.tracks import AudioFormat, VideoFormat
from tests.packager.tables import LC_44100_STEREO, avc1, avcc, esds, mp4a, stsd


def parse(*entries: bytes, version: int = 0) -> VideoFormat | AudioFormat:
    return parse_sample_entry(memoryview(stsd(*entries, version=version))[8:])


def video(*boxes: bytes) -> VideoFormat:
    form = parse(avc1(box(b"avcC", avcc()), *boxes))
    assert isinstance(form, VideoFormat)
    return form


def test_avc1() -> None:
    form = video()
    assert (form.width, form.height) == (320, 180)  # of the SPS: the entry's own say 0
    assert form.codec == "avc1.64000d"
    assert form.pixel_aspect == 1
    assert form.colour is None


def test_the_container_overrides_the_stream() -> None:
    pasp = box(b"pasp", struct.pack(">II", 4, 3))
    colr = box(b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 0x80))
    form = video(pasp, colr)
    assert form.pixel_aspect == Fraction(4, 3)
    assert form.colour == Colour(9, 16, 9, full_range=True)


@pytest.mark.parametrize(
    "extra",
    [
        box(b"pasp", struct.pack(">II", 0, 1)),
        box(b"pasp", struct.pack(">II", 1, 0)),
        box(b"pasp", b"\0"),
        box(b"colr", b"prof" + bytes(20)),
        box(b"colr", b"nclx"),
    ],
)
def test_what_says_nothing_is_left(extra: bytes) -> None:
    assert video(extra) == video()


AUDIO = {
    "ISO": mp4a(esds(LC_44100_STEREO)),
    "QuickTime 1": mp4a(
        box(b"wave", box(b"frma", b"mp4a"), esds(LC_44100_STEREO), bytes(4)),
        version=1,
        extra=bytes(16),
    ),
    "QuickTime 2": mp4a(esds(LC_44100_STEREO), version=2, extra=bytes(36)),
    "MPEG-2": mp4a(esds(LC_44100_STEREO, object_type=0x67)),
}


@pytest.mark.parametrize("entry", AUDIO.values(), ids=AUDIO)
def test_mp4a(entry: bytes) -> None:
    form = parse(entry)
    assert isinstance(form, AudioFormat)
    assert form.config.record == LC_44100_STEREO
    assert form.codec == ("mp4a.67" if b"\x67\x15" in entry else "mp4a.40.2")


def test_an_entry_of_version_1_in_an_stsd_of_version_1_is_not_quicktimes() -> None:
    form = parse(mp4a(esds(LC_44100_STEREO), version=1), version=1)
    assert isinstance(form, AudioFormat)


def test_optional_fields_of_a_descriptor_are_skipped() -> None:
    # ES_ID and flags; what it depends on; a URL of 3; the clock's ES_ID
    fields = b"\0\1" + b"\xe0" + b"\0\7" + b"\3url" + b"\0\x09"
    form = parse(mp4a(esds(LC_44100_STEREO, es_fields=fields)))
    assert isinstance(form, AudioFormat)
    assert form.config.record == LC_44100_STEREO


REFUSED = {
    "no entry": (stsd(), MalformedBox, "stsd: no sample entry"),
    "cut": (full_box(b"stsd", 0, 0), MalformedBox, "stsd: 0 bytes where 4 are needed"),
    "ProRes": (stsd(box(b"apch", bytes(90))), Unsupported, "stsd: codec 'apch'"),
    "no vvcC": (stsd(box(b"vvc1", bytes(90))), MalformedBox, "vvcC: missing from vvc1"),
    "no hvcC": (stsd(box(b"hvc1", bytes(90))), MalformedBox, "hvcC: missing from hvc1"),
    "no dac3": (stsd(box(b"ac-3", bytes(28))), MalformedBox, "dac3: missing from ac-3"),
    "strange": (stsd(box(b"\xa9\0\0\1")), Unsupported, "stsd: codec"),
    "encrypted": (stsd(box(b"encv", bytes(90))), Unsupported, "encv: the samples are enc"),
    "short video": (stsd(box(b"avc1", bytes(70))), MalformedBox, "avc1: 70 bytes where 78"),
    "no avcC": (stsd(avc1()), MalformedBox, "avcC: missing from avc1"),
    "empty avcC": (stsd(avc1(box(b"avcC"))), MalformedBox, "avcC: not a version 1 record"),
    "length of 3": (
        stsd(avc1(box(b"avcC", avcc(length_size=3)))), MalformedBox, "avcC: NAL lengths of 3",
    ),
    "huge avcC": (
        stsd(avc1(box(b"avcC", avcc(pps=[bytes(9000)])))), Unsupported, "avcC: 9035 bytes",
    ),
    "short audio": (stsd(box(b"mp4a", bytes(20))), MalformedBox, "mp4a: 20 bytes do not"),
    "odd version": (stsd(mp4a(version=3)), MalformedBox, "mp4a: 28 bytes do not hold version"),
    "no esds": (stsd(mp4a()), MalformedBox, "esds: missing from mp4a"),
    "Vorbis": (
        stsd(mp4a(esds(LC_44100_STEREO, object_type=0xDD))), MalformedBox,
        "esds: no identification header of Vorbis",
    ),
    "long Vorbis": (
        stsd(mp4a(esds(bytes(16_001), object_type=0xDD))), Unsupported, "mp4a: Vorbis headers",
    ),
    "QCELP": (
        stsd(mp4a(esds(LC_44100_STEREO, object_type=0xE1))), Unsupported,
        "mp4a: object type 0xe1 is not packaged",
    ),
    "no mhaC": (stsd(box(b"mhm1", bytes(28))), MalformedBox, "mhaC: missing from mhm1"),
    "MPEG-H of no rate": (
        stsd(box(b"mhm1", bytes(28), box(b"mhaC", bytes.fromhex("010c060000")))),
        MalformedBox, "mhm1: 6 channels at 0 Hz",
    ),
    "no descriptor": (
        stsd(mp4a(full_box(b"esds", 0, 0))), MalformedBox, "esds: no descriptor 3",
    ),
    "no configuration": (stsd(mp4a(esds(b""))), MalformedBox, "esds: AudioSpecificConfig is"),
    "long configuration": (
        stsd(mp4a(esds(bytes(1025)))), MalformedBox, "esds: an AudioSpecificConfig of 1025",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wire", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(wire: bytes, kind: type[PackagerError], message: str) -> None:
    with pytest.raises(kind) as error:
        parse_sample_entry(memoryview(wire)[8:])
    assert str(error.value).startswith(message)


FORMS = {
    "video": lambda: video(box(b"pasp", struct.pack(">II", 4, 3))),
    "colour": lambda: video(box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0))),
    "audio": lambda: parse(AUDIO["ISO"]),
    "MPEG-2 audio": lambda: parse(AUDIO["MPEG-2"]),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_reads_the_same(name: str) -> None:
    form = FORMS[name]()
    assert parse(encode_sample_entry(form)) == form


@given(st.sampled_from([*AUDIO.values(), avc1(box(b"avcC", avcc()))]), st.data())
def test_damage_ends_by_name(entry: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(8, len(entry) - 1))
    value = data.draw(st.sampled_from([0, 1, 3, 0x7F, 0x80, 0xFF]))
    for damaged in (entry[:at] + bytes([value]) + entry[at + 1 :], entry[:at]):
        try:
            encode_sample_entry(parse(damaged))
        except PackagerError as error:
            assert str(error)
