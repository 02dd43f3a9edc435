"""Which renditions play together."""

from collections import Counter
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given

from packager.hls.audio_groups import audio_groups
from packager.hls.variants import audio_apart, muxed_variants, separate_variants
from packager.presentation import (
    AudioRendition,
    Bitrate,
    DynamicRange,
    Presentation,
    VideoRendition,
)
from tests.packager.hls.presentations import LADDER, audio, presentations, video
from tests.packager.hls.test_judges import read_strictly


def uri(rendition: VideoRendition | AudioRendition) -> str:
    return f"index-{rendition.name}.m3u8"


def test_every_video_comes_with_every_group() -> None:
    playlist = separate_variants(LADDER, uri)
    stereo, surround = "audio-mp4a.40.2-2", "audio-ec-3-6"
    assert [(variant.uri, variant.audio) for variant in playlist.variants] == [
        ("index-f1-v1.m3u8", stereo),
        ("index-f2-v1.m3u8", stereo),
        ("index-f3-v1.m3u8", stereo),
        ("index-f1-v1.m3u8", surround),
        ("index-f2-v1.m3u8", surround),
        ("index-f3-v1.m3u8", surround),
    ]
    assert playlist.variants[0].codecs == ("avc1.64001f", "mp4a.40.2")
    assert playlist.variants[3].codecs == ("avc1.64001f", "ec-3", "mp4a.40.2")
    # The largest peak and the largest average need not be the same member's.
    assert playlist.variants[0].bitrate == Bitrate(1000 + 140, 900 + 128)
    assert playlist.variants[5].bitrate == Bitrate(3000 + 400, 2700 + 384)


def test_a_group_lends_what_another_lacks() -> None:
    media = separate_variants(LADDER, uri).media
    assert [(one.group, one.name, one.uri, one.channels, one.default) for one in media] == [
        ("audio-mp4a.40.2-2", "en", "index-f1-a1.m3u8", 2, True),
        ("audio-mp4a.40.2-2", "Commentaire", "index-f2-a1.m3u8", 2, False),
        ("audio-ec-3-6", "en", "index-f3-a1.m3u8", 6, True),
        ("audio-ec-3-6", "Commentaire", "index-f2-a1.m3u8", 2, False),
    ]


def test_languages_in_profiles_of_one_codec_are_one_group() -> None:
    groups = audio_groups([audio(1, "en"), audio(2, "fr", codec="mp4a.40.5")])
    assert [[one.name for one in group.members] for group in groups] == [["f1-a1", "f2-a1"]]


def test_tracks_that_nothing_tells_apart_are_choices_of_their_own() -> None:
    """Two of AAC and two of AC-3: the second of each is the same sound."""
    tracks = [
        audio(1, "en", track=n, alike=alike, codec=codec, channels=channels)
        for n, (codec, channels, alike) in enumerate(
            [("mp4a.40.2", 2, 1), ("mp4a.40.2", 2, 2), ("ac-3", 6, 1), ("ac-3", 6, 2)], 1
        )
    ]
    groups = audio_groups(tracks)
    assert [[one.name for one in group.members] for group in groups] == [
        ["f1-a1", "f1-a2"],
        ["f1-a3", "f1-a4"],
    ]
    for group in groups:
        assert [(one.name, one.default) for one in group.media(uri)] == [
            ("en", True),
            ("en 2", False),
        ]


def test_the_default_is_the_same_choice_in_every_group() -> None:
    groups = audio_groups(
        [audio(1, "fr"), audio(2, "en", default=True), audio(3, "en", codec="ec-3")]
    )
    assert [group.default.name for group in groups] == ["f2-a1", "f3-a1"]


def test_one_member_per_language_is_selected_by_it() -> None:
    tracks = [audio(1, "en", label=label, track=n) for n, label in enumerate("abc", 1)]
    tracks[1] = audio(1, "en", label="b", track=2, default=True)
    (group,) = audio_groups(tracks)
    assert [one.autoselect for one in group.media(uri)] == [False, True, False]


@pytest.mark.parametrize(
    ("tracks", "names"),
    [
        ([(None, None)], ["Audio"]),
        ([(None, None), (None, None)], ["Audio", "Audio 2"]),
        ([("en", None), ("en", None)], ["en", "en 2"]),
        ([("en", "Commentary"), ("fr", "Commentary")], ["Commentary", "Commentary (fr)"]),
        ([("en", "A\n"), ("en", "A"), ("en", " A")], ["A", "A (en)", "A 2"]),
        ([("en", "\x00"), ("en", None)], ["en", "en 2"]),
    ],
)
def test_names(tracks: list[tuple[str | None, str | None]], names: list[str]) -> None:
    listed = [
        audio(1, lang, label=label, track=n, alike=tracks[:n].count((lang, label)))
        for n, (lang, label) in enumerate(tracks, 1)
    ]
    (group,) = audio_groups(listed)
    assert [one.name for one in group.media(uri)] == names


@given(presentations)
def test_the_laws_of_groups(presentation: Presentation) -> None:
    """RFC 8216 §4.3.4.1.1 and P-10."""
    playlist = separate_variants(presentation, uri)
    groups = {one.group for one in playlist.media}
    assert {variant.audio for variant in playlist.variants} <= groups | {None}
    of_group = [[one for one in playlist.media if one.group == name] for name in groups]
    for members in of_group:
        assert len({one.name for one in members}) == len(members)
        assert sum(one.default for one in members) == 1
        assert all(one.autoselect for one in members if one.default)
        chosen = Counter(one.language for one in members if one.autoselect)
        assert set(chosen) == {one.language for one in members}
    assert (
        len({tuple((one.name, one.language) for one in members) for members in of_group}) <= 1
    )


@pytest.mark.parametrize(
    ("codec", "apart"),
    [("mp4a.40.5", False), ("mp4a.67", False), ("mp4a.6B", True), ("ac-3", True)],
)
def test_audio_of_another_codec_is_apart(codec: str, apart: bool) -> None:
    """A player does not change its decoder of sound when it changes the size of the picture."""
    pair = (video(1), video(2)), (audio(1), audio(2, codec=codec))
    assert audio_apart(Presentation(video=pair[0], audio=pair[1])) is apart


def test_muxed_variants_carry_the_audio_of_their_flavor() -> None:
    presentation = Presentation(
        video=(video(1), video(2, width=480, height=360)),
        audio=(audio(1), audio(2, codec="mp4a.40.5")),
    )
    assert not audio_apart(presentation)
    bitrates = {1: Bitrate(11, 10), 2: Bitrate(21, 20)}
    playlist = muxed_variants(
        presentation, bitrates, lambda one, own: f"index-{one.name}-a{own.track if own else 0}"
    )
    assert playlist.media == ()
    assert [(one.uri, one.bitrate, one.codecs) for one in playlist.variants] == [
        ("index-f1-v1-a1", bitrates[1], ("avc1.64001f", "mp4a.40.2")),
        ("index-f2-v1-a1", bitrates[2], ("avc1.64001f", "mp4a.40.5")),
    ]


def test_silent_video_is_a_variant_without_audio() -> None:
    silent = Presentation(video=(video(1),), audio=())
    assert not audio_apart(silent)
    for playlist in (
        muxed_variants(silent, {1: Bitrate(2, 1)}, lambda one, own: f"{one.name}{own}"),
        separate_variants(silent, uri),
    ):
        assert [one.codecs for one in playlist.variants] == [("avc1.64001f",)]
        assert playlist.media == ()


@pytest.mark.parametrize(
    "presentation",
    [
        pytest.param(LADDER, id="two languages"),
        pytest.param(
            Presentation(video=(video(1),), audio=(audio(1), audio(1, label="x", track=2))),
            id="two tracks in one flavor",
        ),
        pytest.param(
            Presentation(video=(video(1), video(2)), audio=(audio(2),)), id="a flavor without"
        ),
        pytest.param(Presentation(video=(), audio=(audio(1),)), id="no video"),
    ],
)
def test_where_audio_must_stand_apart(presentation: Presentation) -> None:
    assert audio_apart(presentation)


def test_sound_alone_is_a_variant_of_its_own() -> None:
    (variant,) = separate_variants(Presentation(video=(), audio=(audio(1),)), uri).variants
    assert (variant.uri, variant.audio) == ("index-f1-a1.m3u8", None)


def test_sound_alone_in_two_languages_keeps_the_choice() -> None:
    playlist = separate_variants(Presentation(video=(), audio=LADDER.audio), uri)
    assert [(one.uri, one.audio, one.bitrate) for one in playlist.variants] == [
        ("index-f1-a1.m3u8", "audio-mp4a.40.2-2", Bitrate(140, 128)),
        ("index-f3-a1.m3u8", "audio-ec-3-6", Bitrate(400, 384)),
    ]
    assert len(playlist.media) == 4


def test_other_segments_have_other_bitrates() -> None:
    silent = Presentation(video=(video(1),), audio=())
    (variant,) = separate_variants(silent, uri, lambda _: Bitrate(7, 6)).variants
    assert variant.bitrate == Bitrate(7, 6)


def test_resolution_is_that_of_square_pixels() -> None:
    wide = video(1, width=720, height=576, pixel_aspect=Fraction(64, 45))
    (variant,) = separate_variants(Presentation(video=(wide,), audio=()), uri).variants
    assert variant.resolution == (1024, 576)


def test_resolution_is_that_of_a_picture_turned_upright() -> None:
    turned = video(1, width=720, height=576, pixel_aspect=Fraction(64, 45), turned=True)
    (variant,) = separate_variants(Presentation(video=(turned,), audio=()), uri).variants
    assert variant.resolution == (576, 1024)


def test_a_ladder_of_several_codecs_starts_with_what_most_players_take() -> None:
    ladder = (
        video(1, codec="av01.0.04M.08"),
        video(2, codec="hvc1.2.4.L93.B0", dynamic_range=DynamicRange.HDR10),
        video(3, codec="hvc1.1.6.L93.B0"),
        video(4),
    )
    playlist = separate_variants(Presentation(video=ladder, audio=()), uri)
    codecs = [one.codecs[0].partition(".")[0] for one in playlist.variants]
    assert codecs == ["avc1", "hvc1", "av01", "hvc1"]
    assert [one.video_range for one in playlist.variants] == ["SDR", "SDR", "SDR", "PQ"]


def test_each_codec_is_a_ladder_with_every_group_of_sound() -> None:
    codecs = ("avc1.64001f", "hvc1.1.6.L93.B0", "av01.0.04M.08")
    ladder = Presentation(
        video=tuple(
            video(flavor, codec=codec, width=width, height=height)
            for flavor, (codec, (width, height)) in enumerate(
                product(codecs, ((640, 360), (1280, 720))), 1
            )
        ),
        audio=(
            audio(1, "en", default=True),
            audio(3, "en", codec="ac-3", channels=6),
            audio(5, "en", codec="ec-3", channels=6),
        ),
    )
    playlist = separate_variants(ladder, uri)
    sounds = ("mp4a.40.2", "ac-3", "ec-3")
    found = [(one.codecs, one.resolution, one.audio) for one in playlist.variants]
    assert found == [
        ((codec, sound), size, f"audio-{sound}-{2 if sound == 'mp4a.40.2' else 6}")
        for sound in sounds
        for codec in codecs
        for size in ((640, 360), (1280, 720))
    ]
    read_strictly(playlist.render())


@pytest.mark.parametrize(
    ("fields", "layout"),
    [
        ({"stereo": True}, "CH-STEREO"),
        ({"stereo": True, "projection": "hequ"}, "CH-STEREO/PROJ-HEQU"),
        ({"projection": "equi"}, "PROJ-EQUI"),
        ({"projection": "what"}, None),
    ],
)
def test_video_layout(fields: dict[str, object], layout: str | None) -> None:
    spatial = Presentation(video=(video(1), video(2, **fields)), audio=())
    text = separate_variants(spatial, uri).render()
    assert ("#EXT-X-VERSION:12\n" in text) is (layout is not None)
    assert (f'REQ-VIDEO-LAYOUT="{layout}"' in text) is (layout is not None)
