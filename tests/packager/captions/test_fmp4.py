"""Captions in CMAF segments: read again they are the cues that went in (S-14, I-03)."""

import pytest

from packager.captions.cues import Captions, Cue
from packager.captions.fmp4 import TextForm, init, milliseconds, segment
from packager.captions.mp4_tracks import read_text_track, text_tracks
from packager.errors import UnknownSegment, Unsupported
from packager.plan import Extent, run_reads
from packager.presentation import Timeline

CUES = (
    Cue(40, 1000, "at the begin"),
    Cue(1001, 2503, "Grüße &amp; &lt;so&gt; 👩‍🚀", "", "line:10%"),
    Cue(4997, 7011, "<i>across</i>\na boundary"),
    Cue(6000, 6001, "of one millisecond"),
    Cue(6000, 13_000, "<c.yellow>שלום</c>"),
)
LINE = Timeline(24, (0, 144, 288), 320)
"""Boundaries at 6 and 12 s, the end at 13.333."""


def whole(form: TextForm, captions: Captions) -> bytes:
    line = milliseconds(LINE)
    parts = [segment(captions, line, n, form, "he") for n in (1, 2, 3)]
    return b"".join((init(captions, form, "he"), *parts))


def read(data: bytes) -> Captions:
    def bytes_at(extent: Extent) -> bytes:
        return data[extent.offset : extent.offset + extent.length]

    [track] = run_reads(text_tracks(len(data)), bytes_at)
    assert track.language == "he"
    return run_reads(read_text_track(len(data), track.number), bytes_at)


def test_webvtt() -> None:
    blocks = ("STYLE\n::cue { color: red }",)
    found = read(whole(TextForm.WVTT, Captions(CUES, blocks)))
    assert found == Captions(CUES, blocks)


def test_imsc() -> None:
    found = read(whole(TextForm.STPP, Captions(CUES)))
    assert [(cue.start, cue.end, cue.text) for cue in found.cues] == [
        (cue.start, cue.end, cue.text) for cue in CUES
    ]
    assert found.cues[1].settings == "line:10% position:50% size:80% align:center"


@pytest.mark.parametrize("form", TextForm)
def test_a_cue_across_a_boundary_is_in_both(form: TextForm) -> None:
    parts = [segment(Captions(CUES), milliseconds(LINE), n, form, None) for n in (1, 2, 3)]
    assert [b"across" in part for part in parts] == [True, True, False]
    assert ["שלום".encode() in part for part in parts] == [False, True, True]


@pytest.mark.parametrize("form", TextForm)
def test_segments_that_are_not_there(form: TextForm) -> None:
    for number in (0, 4):
        with pytest.raises(UnknownSegment, match=f"segment {number} of 3"):
            segment(Captions(CUES), milliseconds(LINE), number, form, None)


def test_cues_that_overlap_without_end_are_bounded() -> None:
    many = Captions(tuple(Cue(n // 2, 5000 + n, "x" * 500) for n in range(1000)))
    with pytest.raises(Unsupported, match="more than"):
        segment(many, milliseconds(LINE), 1, TextForm.WVTT, None)
