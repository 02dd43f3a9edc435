"""Dolby Vision beside a codec that others show, and instead of it (P-11)."""

from fractions import Fraction

import pytest

from packager.codecs.dolby_vision import DolbyVision, parse_dolby_vision
from packager.codecs.h264 import Colour
from packager.hls.variants import separate_variants
from packager.isobmff.box import box
from tests.packager.carrying import Packaged
from tests.packager.tables import Trak, avc1, avcc, movie, mp4


def vision(profile: int, base: int, level: int = 5, entry: bytes = b"hvc1") -> DolbyVision:
    """DOVIDecoderConfigurationRecord: version, profile, level and flags, base layer."""
    fields = profile << 9 | level << 3 | 0b101
    record = bytes((1, 0)) + fields.to_bytes(2, "big") + bytes((base << 4,)) + bytes(19)
    return parse_dolby_vision(b"dvcC", record, entry)


@pytest.mark.parametrize(
    ("profile", "base", "told"),
    [
        (8, 1, "dvh1.08.05/db1p"),
        (8, 2, "dvh1.08.05/db2g"),
        (8, 4, "dvh1.08.05/db4h"),
        (8, 0, None),
        (8, 6, None),
        (9, 2, "dva1.09.05/db2g"),
        (10, 1, "dav1.10.05/db1p"),
        (10, 4, "dav1.10.05/db4h"),
        (7, 6, None),
        (20, 0, None),
    ],
)
def test_beside_a_base_layer(profile: int, base: int, told: str | None) -> None:
    found = vision(profile, base)
    assert (found.supplemental_codec, found.codec) == (told, None)


@pytest.mark.parametrize(
    ("profile", "entry", "codec"),
    [(5, b"dvh1", "dvh1.05.05"), (9, b"dva1", "dva1.09.05"), (10, b"dav1", "dav1.10.05")],
)
def test_of_no_other_decoder(profile: int, entry: bytes, codec: str) -> None:
    found = vision(profile, 0, entry=entry)
    assert (found.codec, found.supplemental_codec) == (codec, None)


@pytest.mark.parametrize(
    ("profile", "base", "transfer", "video_range"),
    [
        (9, 2, 1, None),
        (9, 2, None, None),
        (8, 1, 16, "PQ"),
        (8, 1, None, "PQ"),  # the stream need not say what the compatibility does
        (8, 4, 14, "HLG"),
        (8, 4, 18, "HLG"),
        (8, 2, 1, None),
    ],
)
def test_the_range_is_that_of_the_base_layer(
    profile: int, base: int, transfer: int | None, video_range: str | None
) -> None:
    colour = Colour(9, transfer, 9, full_range=False) if transfer else None
    colr = [] if colour is None else [nclx(colour)]
    record = box(b"dvvC", vision(profile, base).record)
    packaged = Packaged(mp4(Trak(movie(), entry=avc1(box(b"avcC", avcc()), record, *colr))))
    playlist = separate_variants(packaged.presentation(), lambda one: one.name)
    [variant] = playlist.variants
    assert variant.video_range == video_range
    assert variant.codecs == ("avc1.64000d",)
    assert variant.supplemental_codecs == vision(profile, base).supplemental_codec
    assert variant.frame_rate == Fraction(25)


def nclx(colour: Colour) -> bytes:
    points = (colour.primaries, colour.transfer, colour.matrix)
    return box(b"colr", b"nclx", *(one.to_bytes(2, "big") for one in points), b"\0")
