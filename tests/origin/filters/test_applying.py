"""What selectors and rules leave of a presentation."""

from dataclasses import replace
from fractions import Fraction

import pytest

from origin.errors import BadUrl
from origin.filters.applying import picked, ruled
from origin.filters.picks import parse_picks
from origin.filters.rules import parse_rules
from packager.presentation import Bitrate, DynamicRange, Presentation, TextRendition
from tests.packager.hls.presentations import audio, line, video

TEXT = [
    TextRendition(track=n, language=tag, timeline=line([1]), bitrate=Bitrate(1, 1), bandwidth=1)
    for n, tag in ((1, "en-US"), (2, "fr"))
]
EVERY = Presentation(
    video=(
        video(1, height=360, frame_rate=Fraction(30_000, 1001)),
        video(2, height=720, codec="hvc1.2.4.L123.B0", dynamic_range=DynamicRange.HLG),
        video(3, height=1080, codec="av01.0.08M.10", dynamic_range=DynamicRange.HDR10),
    ),
    audio=(
        audio(1, "en-US", default=True, codec="mp4a.40.2"),
        audio(2, "fr", codec="mp4a.40.29", sample_rate=44_100),
        audio(3, None, codec="ec-3", channels=6),
    ),
    text=tuple(TEXT),
)
ALL = "f1-v1 f2-v1 f3-v1 f1-a1 f2-a1 f3-a1 s1 s2"
SOUND, PICTURES = "f1-a1 f2-a1 f3-a1 s1 s2", "f1-v1 f2-v1 f3-v1 s1 s2"
RULED = {
    "video_height:1-720": f"f1-v1 f2-v1 {SOUND}",
    "video_height:4320": SOUND,
    "video_codec:h264,av1": f"f1-v1 f3-v1 {SOUND}",
    "video_dynamic_range:hlg": f"f2-v1 {SOUND}",
    "video_dynamic_range:sdr,hdr10": f"f1-v1 f3-v1 {SOUND}",
    "video_framerate:29.97": f"f1-v1 {SOUND}",
    "video_framerate:1-29.969": SOUND,
    "video_bitrate:901-1800": f"f2-v1 {SOUND}",
    "audio_codec:aacl": "f1-v1 f2-v1 f3-v1 f1-a1 s1 s2",
    "audio_codec:aach,ec-3": "f1-v1 f2-v1 f3-v1 f2-a1 f3-a1 s1 s2",
    "audio_channels:3-8": "f1-v1 f2-v1 f3-v1 f3-a1 s1 s2",
    "audio_sample_rate:0-44100": "f1-v1 f2-v1 f3-v1 f2-a1 s1 s2",
    "audio_language:eng,und": "f1-v1 f2-v1 f3-v1 f1-a1 f3-a1 s1 s2",
    "audio_language:en-GB": PICTURES,
    "subtitle_language:en": "f1-v1 f2-v1 f3-v1 f1-a1 f2-a1 f3-a1 s1",
    "trickplay_type:image;trickplay_height:100": ALL,
    "video_height:360;audio_language:fr;subtitle_language:de": "f1-v1 f2-a1",
}


@pytest.mark.parametrize(("rules", "left"), RULED.items(), ids=RULED)
def test_rules(rules: str, left: str) -> None:
    found = ruled(EVERY, parse_rules(rules))
    assert [one.name for one in found.renditions] == left.split()


PICKED = {
    "-f2": "f2-v1 f2-a1 s1 s2",
    "-f1-v1-f2-a1": "f1-v1 f2-a1 s1 s2",
    "-v0": SOUND,
    "-a0": PICTURES,
    "-shigh": "f3-v1 f3-a1 s1 s2",
    "-f1-shigh-a1": "f1-v1 f1-a1 f3-a1 s1 s2",
    "-leng": "f1-v1 f2-v1 f3-v1 f1-a1 s1 s2",
}


@pytest.mark.parametrize(("text", "left"), PICKED.items(), ids=PICKED)
def test_selectors(text: str, left: str) -> None:
    picks = parse_picks(text)
    assert picks is not None
    found = picked(EVERY, picks, (None, "low", "high"))
    assert [one.name for one in found.renditions] == left.split()


def test_nothing_changes_but_the_default() -> None:
    found = ruled(EVERY, parse_rules("audio_language:fr"))
    assert found.audio == (replace(EVERY.audio[1], default=True),)
    assert ruled(EVERY, ()) == EVERY


def test_nothing_left_is_refused() -> None:
    with pytest.raises(BadUrl, match="neither video nor audio"):
        ruled(EVERY, parse_rules("video_height:1;audio_language:de"))
