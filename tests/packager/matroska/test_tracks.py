"""Descriptions of tracks: colour, shape and turn of pictures, configurations of sound."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from packager.codecs.ac3 import dac3, eac3
from packager.codecs.carried_audio import dec3_speakers, parse_dec3
from packager.codecs.h264 import Colour
from packager.errors import MalformedElement, MalformedMedia, Unsupported
from packager.matroska.ebml import vint
from packager.tracks import AudioFormat, Kind, VideoFormat
from tests.packager.carrying import Packaged, index_of
from tests.packager.matroska.building import (
    AUDIO,
    INFO,
    SEGMENT,
    VIDEO,
    VP9_KEY_FRAME,
    aac,
    cluster,
    element,
    file,
    header,
    real,
    simple,
    track,
    tracks,
    uint,
    unsized,
    vp9,
)
from tests.packager.matroska.generated import made

COLOUR, MATRIX, RANGE, TRANSFER, PRIMARIES = 0x55B0, 0x55B1, 0x55B9, 0x55BA, 0x55BB
DISPLAY = 0x54B0, 0x54BA, 0x54B2
PQ = uint(PRIMARIES, 9) + uint(TRANSFER, 16) + uint(MATRIX, 9) + uint(RANGE, 1)
MASTERING = element(
    0x55D0,
    *(real(each, value) for each, value in zip(
        (0x55D1, 0x55D2, 0x55D3, 0x55D4, 0x55D5, 0x55D6, 0x55D7, 0x55D8, 0x55D9, 0x55DA),
        (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329, 1000.0, 0.0001),
        strict=True,
    )),
)  # fmt: skip
MDCV = struct.pack(
    ">8HII", 8500, 39_850, 6550, 2300, 35_400, 14_600, 15_635, 16_450, 10_000_000, 1
)


def picture(*parts: bytes, entry: tuple[bytes, ...] = ()) -> VideoFormat:
    """What becomes of VP9 of 640x360 with *parts* in its Video, *entry* beside it."""
    data = file(tracks(vp9(1, *parts, entry=entry)), cluster(simple(VP9_KEY_FRAME)))
    form = index_of(data).tracks[0].track.format
    assert isinstance(form, VideoFormat)
    return form


COLOURS = {
    "of the stream": (b"", Colour(6, 6, 6, False), ()),
    "PQ": (PQ, Colour(9, 16, 9, False), ()),
    "full range": (uint(MATRIX, 1) + uint(RANGE, 2), Colour(2, 2, 1, True), ()),
    "light levels": (
        PQ + uint(0x55BC, 1000) + uint(0x55BD, 400),
        Colour(9, 16, 9, False), ((b"clli", struct.pack(">HH", 1000, 400)),),
    ),
    "mastering": (PQ + MASTERING, Colour(9, 16, 9, False), ((b"mdcv", MDCV),)),
    "half of a mastering": (
        PQ + element(0x55D0, real(0x55D1, 0.708)), Colour(9, 16, 9, False), ()
    ),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "colour", "boxes"), COLOURS.values(), ids=COLOURS)
def test_colour(parts: bytes, colour: Colour, boxes: tuple[tuple[bytes, bytes], ...]) -> None:
    form = picture(element(COLOUR, parts) if parts else b"")
    assert (form.colour, form.boxes) == (colour, boxes)


def test_ffmpeg_reads_the_same_light_levels() -> None:
    data = file(
        tracks(vp9(1, element(COLOUR, PQ, MASTERING, uint(0x55BC, 1000), uint(0x55BD, 400)))),
        cluster(simple(VP9_KEY_FRAME)),
    )
    packaged = Packaged(data)
    ours = b"".join(packaged.cmaf(packaged.flavors[0].tracks[0]))
    found = []
    for each in (data, ours):
        with av.open(io.BytesIO(each)) as container:
            context = container.streams.video[0].codec_context
            found.append((context.color_primaries, context.color_trc, context.colorspace))
    assert found == [(9, 16, 9)] * 2


ASPECTS = {
    # DisplayWidth, DisplayHeight, DisplayUnit: shape of a pixel
    "none": ((), Fraction(1)),
    "the same": ((640, 360, 0), Fraction(1)),
    "wider": ((853, 360, 0), Fraction(853, 640)),
    "a ratio": ((4, 3, 3), Fraction(3, 4)),
    "centimetres": ((30, 20, 1), Fraction(27, 32)),
    "rounded": ((639, 360, 0), Fraction(1)),
    "unknown": ((4, 3, 4), Fraction(1)),
    "zero": ((0, 3, 0), Fraction(1)),
    "absurd": ((1 << 60, 3, 0), Fraction(1)),
}


@pytest.mark.parametrize(("told", "aspect"), ASPECTS.values(), ids=ASPECTS)
def test_display_aspect(told: tuple[int, ...], aspect: Fraction) -> None:
    parts = (uint(each, value) for each, value in zip(DISPLAY, told, strict=False))
    assert picture(*parts).pixel_aspect == aspect


def turned(roll: int) -> bytes:
    """VP9 with Projection behind what else FFmpeg wrote into Video."""
    stored = made("recorded.webm")
    at = stored.index(b"\xe0", stored.index(b"V_VP9"))
    size, width, _ = vint(stored, at + 1, "Video")
    video = stored[at + 1 + width : at + 1 + width + size]
    projection = element(0x7670, uint(0x7671, 0), real(0x7675, roll))
    entry = track(1, VIDEO, "V_VP9", element(0xE0, video, projection))
    clusters = stored[stored.index(bytes.fromhex("1f43b675")) :]
    # FFmpeg gives up at blocks of a track that it does not know.
    opus = element(0x63A2, b"OpusHead\x01\x02" + struct.pack("<HIHB", 312, 48_000, 0, 0))
    shape = element(0xE1, real(0xB5, 48_000), uint(0x9F, 2))
    other = track(2, AUDIO, "A_OPUS", opus, shape)
    return header() + unsized(SEGMENT, element(INFO), tracks(entry, other), clusters)


@pytest.mark.parametrize("roll", [0, 90, 180, -90, 270, 45])
def test_roll_is_what_ffmpeg_turns(roll: int) -> None:
    """The picture of our MP4 is turned as the one of the file."""
    data = turned(roll)
    packaged = Packaged(data)
    [ours] = packaged.flavors[0].of_kind(Kind.VIDEO)
    assert isinstance(ours.track.format, VideoFormat)
    if roll in (0, 45):
        assert not ours.track.format.matrix
        return
    found = []
    for each in (data, b"".join(packaged.cmaf(ours))):
        with av.open(io.BytesIO(each)) as container:
            found.append(next(container.decode(video=0)).rotation % 360)
    assert found[0] == found[1] != 0


DOLBY = struct.pack(">BBHB", 1, 0, 10 << 9 | 1 << 3 | 5, 1 << 4) + bytes(19)


def test_dolby_vision() -> None:
    """A BlockAdditionMapping is the box."""
    kind = int.from_bytes(b"dvvC", "big")
    mapping = element(0x41E4, uint(0x41E7, kind), element(0x41ED, DOLBY))
    form = picture(entry=(mapping,))
    assert form.dolby_vision is not None
    assert (form.dolby_vision.box, form.dolby_vision.record) == (b"dvvC", DOLBY)


# -- sound


LEGACY = {
    "A_AAC/MPEG4/LC": "1210",
    "A_AAC/MPEG2/LC": "1210",
    "A_AAC/MPEG4/MAIN": "0a10",
}


@pytest.mark.parametrize("codec", LEGACY)
def test_identifiers_of_aac_without_a_configuration(codec: str) -> None:
    data = file(tracks(aac(codec=codec, private="")), cluster(simple(b"1"), simple(b"2", 23)))
    form = index_of(data).tracks[0].track.format
    assert isinstance(form, AudioFormat)
    assert form.config.record.hex() == LEGACY[codec]


def test_sbr_without_a_configuration() -> None:
    sound = element(0xE1, real(0xB5, 22_050), uint(0x9F, 2))
    entry = track(1, AUDIO, "A_AAC/MPEG4/LC/SBR", sound)
    [track_] = index_of(file(tracks(entry), cluster(simple(b"1"), simple(b"2", 46)))).tracks
    assert track_.track.format.codec == "mp4a.40.5"
    assert (track_.track.timescale, track_.uniform_duration) == (22_050, 1024)


@pytest.mark.parametrize("codec", ["A_AAC", "A_AAC/MPEG4/LD"])
def test_aac_of_which_nothing_is_known(codec: str) -> None:
    data = file(tracks(aac(codec=codec, private="")), cluster(simple(b"1")))
    with pytest.raises(MalformedElement, match=f"^CodecPrivate: missing for {codec}$"):
        index_of(data)


class Writer:
    """Big-endian bits."""

    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, width: int) -> None:
        self.bits += f"{value:0{width}b}"

    def made(self, size: int) -> bytes:
        return int(self.bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def syncframe(
    kind: int, number: int, acmod: int, *, lfe: int = 0, chanmap: int = 0, joc: int = 0,
    size: int = 64,
) -> bytes:  # fmt: skip
    """Of E-AC-3: bsi (ETSI TS 102 366 §E.1.2.2) with as little in it as there can be."""
    writer = Writer()
    for value, width in (
        (0x0B77, 16), (kind, 2), (number, 3), (size // 2 - 1, 11), (0, 2), (3, 2), (acmod, 3),
        (lfe, 1), (16, 5), (27, 5), (0, 1),
    ):  # fmt: skip
        writer.put(value, width)
    if kind == 1:
        writer.put(1, 1)
        writer.put(chanmap, 16)
    writer.put(0, 2)  # mixmdate, infomdate
    writer.put(1 if joc else 0, 1)  # addbsie
    if joc:
        for value, width in ((1, 6), (1, 8), (joc, 8)):
            writer.put(value, width)
    return writer.made(size)


BACK = 1 << 15 - 6
"""chanmap: Lrs and Rrs (table E.5)."""

EAC3 = {
    # frames of an access unit: channels, complexity of JOC
    "5.1": ([syncframe(0, 0, 7, lfe=1)], 6, 0),
    "7.1": ([syncframe(0, 0, 7, lfe=1), syncframe(1, 0, 2, chanmap=BACK)], 8, 0),
    "5.1 with JOC": ([syncframe(0, 0, 7, lfe=1, joc=12)], 6, 12),
    "7.1 with JOC": (
        [syncframe(0, 0, 7, lfe=1, joc=16), syncframe(1, 0, 2, chanmap=BACK)], 8, 16
    ),
    "two programmes": ([syncframe(0, 0, 2), syncframe(0, 1, 1)], 2, 0),
}  # fmt: skip


@pytest.mark.parametrize(("frames", "channels", "joc"), EAC3.values(), ids=EAC3)
def test_substreams_of_e_ac_3(frames: list[bytes], channels: int, joc: int) -> None:
    sound = eac3(b"".join(frames))
    config = parse_dec3(sound.record)
    assert sound.duration == 1536
    assert (config.sample_rate, config.channels, config.joc) == (48_000, channels, joc)
    if channels == 8:
        assert dec3_speakers(sound.record) == (7, 1, 1 << 1)


def test_a_frame_that_depends_on_none_is_refused() -> None:
    with pytest.raises(MalformedMedia, match="no independent substream"):
        eac3(syncframe(1, 0, 2, chanmap=BACK))


REAL = {
    "media3/sample_eac3.mp4": (0, eac3),
    "shaka-packager/bear-640x360-ec3.mp4": (1, eac3),
    "mediabunny/ac3.mp4": (0, dac3),
    "media3/sample_ac3_aac.mp4": (0, dac3),
}


@pytest.mark.parametrize("name", REAL)
def test_records_are_those_that_writers_of_mp4_made(name: str, media_dir: Path) -> None:
    number, make = REAL[name]
    data = (media_dir / name).read_bytes()
    form = index_of(data).tracks[number].track.format
    assert isinstance(form, AudioFormat)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams[number]
        first = bytes(next(one for one in container.demux(stream) if one.size))
    found = make(first)
    record = found if isinstance(found, bytes) else found.record
    told, known = int.from_bytes(record, "big"), int.from_bytes(form.config.record, "big")
    if make is eac3:  # but for the data rate, which is a peak of the whole file there
        low = 8 * len(record) - 13
        told, known = told & (1 << low) - 1, known & (1 << low) - 1
    assert (len(record), told) == (len(form.config.record), known)


LANGUAGES = {
    # elements: what is told
    "none": ((), "en"),
    "undetermined": ((element(0x22B59C, b"und"),), None),
    "German": ((element(0x22B59C, b"ger"),), "de"),
    "BCP 47 before the other": (
        (element(0x22B59C, b"por"), element(0x22B59D, b"pt-BR")), "pt-BR"
    ),
    "not one": ((element(0x22B59D, b"\xff\xfe"),), None),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "language"), LANGUAGES.values(), ids=LANGUAGES)
def test_languages(parts: tuple[bytes, ...], language: str | None) -> None:
    data = file(tracks(aac(1, *parts)), cluster(simple(b"1")))
    assert index_of(data).tracks[0].track.language == language


ENCODINGS = {
    "zlib": (element(0x5034, uint(0x4254, 0)), "ContentCompression: .* (zlib)"),
    "header stripping": (element(0x5034, uint(0x4254, 3)), "(header stripping)"),
    "encrypted": (element(0x5035), "ContentEncryption: the frames are encrypted"),
}


@pytest.mark.parametrize(("part", "said"), ENCODINGS.values(), ids=ENCODINGS)
def test_frames_that_are_not_stored_as_they_are(part: bytes, said: str) -> None:
    encodings = element(0x6D80, element(0x6240, part))
    with pytest.raises(Unsupported, match=said.replace("(", r"\(").replace(")", r"\)")):
        index_of(file(tracks(aac(1, encodings)), cluster(simple(b"1"))))


BROKEN = {
    # the second track beside a good one: what is said of it
    "no configuration": (aac(2, private=""), "CodecPrivate: missing for A_AAC"),
    "a configuration cut short": (
        aac(2, private="ff"), "CodecPrivate: AudioSpecificConfig is cut short"
    ),
    "a configuration of 100 KiB": (
        track(2, AUDIO, "A_AAC", element(0x63A2, bytes(100 << 10))),
        "CodecPrivate: 102400 bytes are more than 65536",
    ),
    "a rate that is no number": (
        track(2, AUDIO, "A_AAC", element(0xE1, real(0xB5, float("nan")))),
        "SamplingFrequency: nan is out of range",
    ),
    "H.264 without a configuration": (
        track(2, VIDEO, "V_MPEG4/ISO/AVC", element(0xE0, uint(0xB0, 9), uint(0xBA, 9))),
        "CodecPrivate: missing for V_MPEG4/ISO/AVC",
    ),
    "no width": (track(2, VIDEO, "V_VP8", element(0xE0)), "PixelWidth: 0 pixels"),
    "headers of subtitles of 100 KiB": (
        track(2, 17, "S_TEXT/ASS", element(0x63A2, bytes(100 << 10))),
        "TrackType: subtitle is neither video nor audio",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_track_is_left_out_alone(entry: bytes, said: str) -> None:
    blocks = simple(VP9_KEY_FRAME), simple(b"1", number=2)
    index = index_of(file(tracks(vp9(1), entry), cluster(*blocks)))
    assert [track.kind for track in index.tracks] == [Kind.VIDEO]
    assert index.left_out == (f"track 2: {said}",)
