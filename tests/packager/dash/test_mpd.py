"""The MPD: its elements as an XML parser reads them, and the schema's word on it."""

import os
import subprocess
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from packager.codecs.channel_layouts import ChannelLayout
from packager.codecs.h264 import Colour
from packager.dash.mpd import Period, mpd
from packager.presentation import (
    AudioRendition,
    DynamicRange,
    Presentation,
    Timeline,
    VideoRendition,
)
from tests.packager.hls.presentations import (
    LADDER,
    audio,
    line,
    presentations,
    timelines,
    video,
)
from tests.support.needs import need

NAMESPACE = "{urn:mpeg:dash:schema:mpd:2011}"

WHOLE = """\
<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \
profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" \
type="static" mediaPresentationDuration="PT13.5S" minBufferTime="PT6S">
  <Period id="1" start="PT0S" duration="PT13.5S">
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" containerProfiles="cmfc" \
lang="en" segmentAlignment="true" startWithSAP="1">
      <AudioChannelConfiguration schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" \
value="2"/>
      <Label>Comments &amp; laughter</Label>
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
      <Representation id="f1-a1" codecs="mp4a.40.2" bandwidth="1100" audioSamplingRate="48000">
        <SegmentTemplate timescale="1000" startNumber="1" initialization="init-f1-a1.mp4" \
media="seg-$Number$-f1-a1.m4s">
          <SegmentTimeline>
            <S t="0" d="6000" r="1"/>
            <S d="1500"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
"""


def render(presentation: Presentation, offset: int = 0) -> str:
    return mpd(period(presentation, offset), min_buffer=Fraction(6))


def period(presentation: Presentation, offset: int = 0) -> Period:
    return Period(
        presentation=presentation,
        media=lambda one: f"seg-$Number$-{one.name}.m4s",
        initialization=lambda one: f"init-{one.name}.mp4",
        presentation_time_offset=lambda _: offset,
    )


def find(text: str, *path: str) -> list[ET.Element]:
    return ET.fromstring(text).findall("/".join(NAMESPACE + name for name in path))


def sets(text: str) -> list[ET.Element]:
    return find(text, "Period", "AdaptationSet")


def expand(timeline: list[ET.Element]) -> list[tuple[int, int]]:
    """Start and duration of each segment (ISO/IEC 23009-1 §5.3.9.6)."""
    durations = [int(s.get("d", "")) for s in timeline for _ in range(int(s.get("r", 0)) + 1)]
    starts = accumulate(durations, initial=int(timeline[0].get("t", "")))
    return list(zip(starts, durations, strict=False))


def test_the_whole_text() -> None:
    sound = audio(1, "en", label="Comments & laughter")
    assert render(Presentation(video=(), audio=(sound,))) == WHOLE


def test_an_aligned_ladder_is_one_set() -> None:
    first, *_ = sets(render(LADDER))
    assert {
        key: first.get(key) for key in ("par", "maxWidth", "maxHeight", "maxFrameRate")
    } == {
        "par": "16:9",
        "maxWidth": "1280",
        "maxHeight": "720",
        "maxFrameRate": "60000/1001",
    }
    members = first.findall(NAMESPACE + "Representation")
    assert [one.get("id") for one in members] == ["f1-v1", "f2-v1", "f3-v1"]
    assert [one.get("codecs") for one in members] == ["avc1.64001f"] * 2 + ["avc1.64002a"]
    assert [one.get("frameRate") for one in members] == ["30000/1001"] * 2 + ["60000/1001"]


@pytest.mark.parametrize(
    ("presentation", "expected"),
    [
        pytest.param(
            Presentation(video=LADDER.video, audio=(), aligned=False),
            [["f1-v1"], ["f2-v1"], ["f3-v1"]],
            id="not aligned",
        ),
        pytest.param(
            Presentation(
                video=(
                    video(1),
                    video(2, codec="hvc1.1.6.L93.B0"),
                    video(3, width=480, height=360),
                    video(4, width=720, height=576, pixel_aspect=Fraction(64, 45)),
                ),
                audio=(),
            ),
            [["f1-v1", "f4-v1"], ["f2-v1"], ["f3-v1"]],
            id="another codec, another shape, other pixels of the same shape",
        ),
        pytest.param(
            Presentation(
                video=(),
                audio=(
                    audio(1, "en"),
                    audio(2, "en"),
                    audio(3, "en", label="x"),
                    audio(4, "fr"),
                ),
            ),
            [["f1-a1", "f2-a1"], ["f3-a1"], ["f4-a1"]],
            id="languages and labels",
        ),
        pytest.param(
            Presentation(
                video=(), audio=(audio(1), audio(2, channels=6), audio(3, codec="ec-3"))
            ),
            [["f1-a1"], ["f2-a1"], ["f3-a1"]],
            id="channels and codecs",
        ),
        pytest.param(
            Presentation(
                video=(),
                audio=(audio(1), audio(1, track=2, alike=2), audio(2), audio(2, alike=2)),
            ),
            [["f1-a1", "f2-a1"], ["f1-a2", "f2-a1"]],
            id="tracks that nothing tells apart",
        ),
    ],
)
def test_who_shares_a_set(presentation: Presentation, expected: list[list[str]]) -> None:
    found = sets(render(presentation))
    assert [
        [one.get("id") for one in each.findall(NAMESPACE + "Representation")] for each in found
    ] == expected
    assert [each.get("id") for each in found] == [str(n) for n in range(1, len(expected) + 1)]


def test_roles() -> None:
    """Flat SDR video is main, and every encoding of the default language."""
    presentation = Presentation(
        video=(
            video(1, codec="hvc1.2.4.L93.B0", dynamic_range=DynamicRange.HDR10),
            video(2),
            video(3, codec="hvc1.1.6.L93.B0"),
        ),
        audio=(audio(1, "fr"), audio(2, "en", default=True), audio(3, "en", codec="ec-3")),
    )
    roles = [each.find(NAMESPACE + "Role") for each in sets(render(presentation))]
    found = [None if role is None else role.get("value") for role in roles]
    assert found == [None, "main", "main", "alternate", "main", "main"]


def switching(text: str) -> list[str | None]:
    """What each set says that a player may switch to."""
    scheme = "urn:mpeg:dash:adaptation-set-switching:2016"
    path = f"{NAMESPACE}SupplementalProperty[@schemeIdUri='{scheme}']"
    found = [each.find(path) for each in sets(text)]
    return [None if one is None else one.get("value") for one in found]


MIXED = (
    video(1),
    video(2, codec="hvc1.1.6.L93.B0"),
    video(3, codec="av01.0.04M.08"),
    video(4, codec="hvc1.2.4.L93.B0", dynamic_range=DynamicRange.HDR10),
    video(5, timeline=line([540_000], 90_000)),
    video(6, codec="hvc1.1.6.L93.B0", stereo=True),
    video(7, width=480, height=360),
)


@pytest.mark.parametrize("aligned", [True, False])
def test_a_player_may_switch_between_codecs_and_timescales(
    dash_xsd: Path, aligned: bool
) -> None:
    text = render(Presentation(video=MIXED, audio=LADDER.audio, aligned=aligned))
    of_one_picture = ["2,3,5", "1,3,5", "1,2,5", None, "1,2,3", None, None]
    none: list[str | None] = [None] * len(MIXED)
    assert switching(text) == (of_one_picture if aligned else none) + [None] * 3
    judge(dash_xsd, text)


def test_a_scheme_of_the_codec_comes_before_the_code_point() -> None:
    own = "tag:dolby.com,2014:dash:audio_channel_configuration:2011", "FA01"
    sounds = [
        audio(1, codec="ec-3", layout=ChannelLayout(12, own)),
        audio(2, codec="ec-3", layout=ChannelLayout(None, own)),
    ]
    said = [
        [one.get("value") for one in each.findall(NAMESPACE + "AudioChannelConfiguration")]
        for each in sets(render(Presentation(video=(), audio=tuple(sounds))))
    ]
    assert said == [["FA01", "12"], ["FA01"]]


@pytest.mark.parametrize(
    ("channels", "index"), [(1, "1"), (2, "2"), (6, "6"), (7, "11"), (8, "12"), (11, None)]
)
def test_channel_configurations(channels: int, index: str | None) -> None:
    (one,) = sets(render(Presentation(video=(), audio=(audio(1, channels=channels),))))
    found = one.find(NAMESPACE + "AudioChannelConfiguration")
    assert (None if found is None else found.get("value")) == index


@pytest.mark.parametrize(
    ("language", "written"),
    [("pt-BR", "pt-BR"), (None, None), ("", None), ("en_US", None), ("x\n", None)],
)
def test_only_language_tags_are_languages(language: str | None, written: str | None) -> None:
    (one,) = sets(render(Presentation(video=(), audio=(audio(1, language),))))
    assert one.get("lang") == written


def test_video_of_another_timescale_is_a_set_of_its_own() -> None:
    mixed = (video(1), video(2, timeline=line([540_000], 90_000)))
    text = render(Presentation(video=mixed, audio=()))
    assert len(find(text, "Period", "AdaptationSet")) == 2


def test_colour_and_what_some_decoders_show_better() -> None:
    hlg = video(
        1,
        codec="hvc1.2.4.L93.B0",
        dynamic_range=DynamicRange.HLG,
        supplemental_codec="dvh1.08.03/db4h",
        colour=Colour(9, 18, 9, full_range=True),
    )
    text = render(Presentation(video=(hlg,), audio=()))
    told = find(text, "Period", "AdaptationSet", "SupplementalProperty")
    assert [(one.get("schemeIdUri"), one.get("value")) for one in told] == [
        ("urn:mpeg:mpegB:cicp:ColourPrimaries", "9"),
        ("urn:mpeg:mpegB:cicp:TransferCharacteristics", "18"),
        ("urn:mpeg:mpegB:cicp:MatrixCoefficients", "9"),
        ("urn:mpeg:mpegB:cicp:VideoFullRangeFlag", "1"),
    ]
    [shown] = find(text, "Period", "AdaptationSet", "Representation")
    scte = "{urn:scte:dash:scte214-extensions}"
    assert shown.get(f"{scte}supplementalCodecs") == "dvh1.08.03"
    assert shown.get(f"{scte}supplementalProfiles") == "db4h"


@given(timelines)
def test_the_segment_timeline_is_the_timeline(timeline: Timeline) -> None:
    text = render(Presentation(video=(), audio=(audio(1, timeline=timeline),)))
    path = (
        "Period",
        "AdaptationSet",
        "Representation",
        "SegmentTemplate",
        "SegmentTimeline",
        "S",
    )
    entries = find(text, *path)
    assert expand(entries) == list(zip(timeline.starts, timeline.durations, strict=True))
    assert [one.get("t") is not None for one in entries] == [True] + [False] * (
        len(entries) - 1
    )
    durations = [one.get("d") for one in entries]
    assert all(one != after for one, after in pairwise(durations))


def test_a_presentation_time_offset_moves_the_timeline_along() -> None:
    text = render(Presentation(video=(), audio=(audio(1),)), offset=1024)
    path = ("Period", "AdaptationSet", "Representation", "SegmentTemplate")
    (template,) = find(text, *path)
    assert template.get("presentationTimeOffset") == "1024"
    (first, _) = template[0]
    assert first.get("t") == "1024"


@given(presentations)
def test_labels_come_back_as_far_as_xml_can_carry_them(presentation: Presentation) -> None:
    text = render(presentation)
    ids = [one.get("id") for one in find(text, "Period", "AdaptationSet", "Representation")]
    assert sorted(map(str, ids)) == sorted(one.name for one in _renditions(presentation))
    labels = [one.text for one in find(text, "Period", "AdaptationSet", "Label")]
    assert {carried(one) for one in labels} == {
        carried(one.label) for one in presentation.audio if one.label
    }


def carried(label: str | None) -> str:
    controls = {chr(code) for code in range(32)} - set("\t\n\r") | {"\ufffe", "\uffff"}
    return "".join(
        c for c in label or "" if c not in controls and not "\ud800" <= c <= "\udfff"
    )


def _renditions(presentation: Presentation) -> list[VideoRendition | AudioRendition]:
    return [*presentation.video, *presentation.audio]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(presentations)
def test_the_schema_accepts_it(dash_xsd: Path, presentation: Presentation) -> None:
    judge(dash_xsd, render(presentation))


def test_the_schema_accepts_the_ladder(dash_xsd: Path) -> None:
    judge(dash_xsd, render(LADDER, offset=1024))


def test_the_schema_is_a_judge_that_says_no(dash_xsd: Path) -> None:
    with pytest.raises(AssertionError, match="fails to validate"):
        judge(dash_xsd, render(LADDER).replace("<Role ", "<Rolle "))


def judge(schema: Path, text: str) -> None:
    xsd = schema / "DASH-MPD.xsd" if schema.is_dir() else schema
    done = subprocess.run(
        [need("xmllint"), "--noout", "--nonet", "--schema", xsd, "-"],
        env={**os.environ, "XML_CATALOG_FILES": str(xsd.parent / "catalog.xml")},
        input=text.encode(),
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
