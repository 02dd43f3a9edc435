"""Presentations for the tests of both manifest writers."""

from fractions import Fraction
from itertools import accumulate

from hypothesis import strategies as st

from packager.codecs.channel_layouts import ChannelLayout
from packager.presentation import (
    AudioRendition,
    Bitrate,
    Presentation,
    Timeline,
    VideoRendition,
)

TIMESCALES = (1, 8, 30, 600, 1000, 12_800, 30_000, 44_100, 48_000, 90_000, 10**7, 23_040_000)
"""Those of real files, and the ends of what mdhd holds."""


def line(durations: list[int], timescale: int = 1000, start: int = 0) -> Timeline:
    *starts, end = accumulate(durations, initial=start)
    return Timeline(timescale, tuple(starts), end)


def video(flavor: int, **fields: object) -> VideoRendition:
    return VideoRendition(**_fields(flavor) | {"width": 640, "height": 360} | fields)  # type: ignore[arg-type]


def audio(flavor: int, language: str | None = None, **fields: object) -> AudioRendition:
    sound = {"codec": "mp4a.40.2", "channels": 2, "sample_rate": 48_000, "language": language}
    usual = {1: 1, 2: 2, 6: 6, 7: 11, 8: 12}.get(fields.get("channels", 2))  # type: ignore[call-overload]
    sound["layout"] = ChannelLayout(usual)
    return AudioRendition(**_fields(flavor) | sound | fields)  # type: ignore[arg-type]


def _fields(flavor: int) -> dict[str, object]:
    return {
        "flavor": flavor,
        "track": 1,
        "codec": "avc1.64001f",
        "timeline": line([6000, 6000, 1500]),
        "bitrate": Bitrate(1000 * flavor, 900 * flavor),
        "bandwidth": 1100 * flavor,
    }


LADDER = Presentation(
    video=(
        video(1, frame_rate=Fraction(30_000, 1001)),
        video(2, width=848, height=480, frame_rate=Fraction(30_000, 1001)),
        video(
            3, width=1280, height=720, frame_rate=Fraction(60_000, 1001), codec="avc1.64002a"
        ),
    ),
    audio=(
        audio(1, "en", default=True, bitrate=Bitrate(130, 128)),
        audio(2, "fr", label="Commentaire", bitrate=Bitrate(140, 120)),
        audio(3, "en", codec="ec-3", channels=6, bitrate=Bitrate(400, 384)),
    ),
)
"""Three sizes, one a little off 16:9; English in stereo and surround, French in stereo."""

timelines = st.builds(
    line,
    st.lists(st.integers(1, 10**9), min_size=1, max_size=40),
    st.sampled_from(TIMESCALES),
    st.integers(0, 10**9),
)

labels = (
    st.none()
    | st.text()
    | st.sampled_from(['"', "it's, it", "\r\n", "{$x}", "<&>", "\x85", "\ud800"])
)

audios = st.builds(
    audio,
    st.integers(1, 9),
    st.sampled_from([None, "en", "fr", "und", "x y", '"\n']),
    track=st.integers(1, 9),
    label=labels,
    default=st.booleans(),
    codec=st.sampled_from(["mp4a.40.2", "mp4a.40.5", "ec-3"]),
    channels=st.sampled_from([1, 2, 6, 8, 11]),
)
"""Any audio, whatever the source says of it."""

videos = st.builds(
    video,
    st.integers(1, 9),
    track=st.integers(1, 9),
    codec=st.sampled_from(["avc1.64001f", "avc1.42c01e", "hvc1.1.6.L93.B0"]),
    width=st.integers(2, 8192),
    height=st.integers(2, 8192),
    pixel_aspect=st.sampled_from([Fraction(1), Fraction(4, 3), Fraction(64, 45)]),
    frame_rate=st.none() | st.fractions(1, 240),
)


def _name(rendition: VideoRendition | AudioRendition) -> str:
    return rendition.name


presentations = st.builds(
    Presentation,
    video=st.lists(videos, max_size=4, unique_by=_name).map(tuple),
    audio=st.lists(audios, min_size=1, max_size=5, unique_by=_name).map(tuple),
    aligned=st.booleans(),
)
"""Never empty: there is always sound."""
