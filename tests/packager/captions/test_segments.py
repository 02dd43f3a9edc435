"""Segments of captions: where a cue is, what stands before it, and how large they are."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from packager.captions.cues import Captions, Cue
from packager.captions.rendition import cut_captions
from packager.captions.segments import segment, segment_sizes
from packager.captions.webvtt import parse
from packager.clip import Clip
from packager.presentation import Timeline

LINE = Timeline(3, (0, 18, 37), 48)
"""Starts at 0, 6 and 12 1/3 s; ends at 16 s."""

CUES = (
    Cue(0, 1000, "first"),
    Cue(5000, 13_000, "in all three"),
    Cue(5500, 6000, "ends with the first"),
    Cue(6000, 12_333, "in the second"),
    Cue(12_333, 12_334, "across a boundary between two milliseconds"),
    Cue(17_000, 18_000, "behind the end"),
)


def texts(number: int) -> list[str]:
    written = segment(Captions(CUES), LINE, number, fmp4=False)
    return [cue.text for cue in parse(written.encode()).cues]


def test_a_cue_is_wherever_it_is_shown() -> None:
    between = "across a boundary between two milliseconds"
    assert texts(1) == ["first", "in all three", "ends with the first"]
    assert texts(2) == ["in all three", "in the second", between]
    assert texts(3) == ["in all three", between, "behind the end"]


def test_a_segment() -> None:
    made = Captions((Cue(5000, 13_000, "a", "x", "line:0"),), ("STYLE\n::cue {}",))
    assert segment(made, LINE, 2, fmp4=False) == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"
        "STYLE\n::cue {}\n\n"
        "x\n00:00:05.000 --> 00:00:13.000 line:0\na\n\n"
    )
    assert segment(Captions(()), LINE, 3, fmp4=True) == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
    )


_cues = st.lists(
    st.builds(
        lambda start, length, text: Cue(start, start + length, text),
        st.integers(0, 20_000),
        st.integers(1, 20_000),
        st.sampled_from(["a", "ä", "two\nlines"]),
    ),
    max_size=8,
)
_lines = st.builds(
    lambda scale, steps: Timeline(
        scale, tuple(sum(steps[:n]) for n in range(len(steps))), sum(steps)
    ),
    st.sampled_from([1, 3, 1000, 30_000]),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=6),
)


@given(_cues, _lines, st.booleans())
def test_every_cue_is_whole_in_each_segment_that_shows_it(
    cues: list[Cue], line: Timeline, fmp4: bool
) -> None:
    made = Captions(tuple(sorted(cues, key=lambda cue: cue.start)))
    count = len(line.starts)
    written = [segment(made, line, number, fmp4=fmp4) for number in range(1, count + 1)]
    assert segment_sizes(made, line, fmp4=fmp4) == [len(one.encode()) for one in written]
    stops = [*line.starts[1:], None]
    for number, (start, stop, text) in enumerate(zip(line.starts, stops, written, strict=True)):
        shown = tuple(
            cue
            for cue in made.cues
            if (stop is None or cue.start * line.timescale < stop * 1000)
            and (number == 0 or cue.end * line.timescale > start * 1000)
        )
        assert parse(text.encode()).cues == shown


def test_words_that_appear_one_by_one_in_a_clip() -> None:
    cue = Cue(10_000, 14_000, "one <00:12.000>two <00:00:05.000>three")
    found = cut_captions(Captions((cue,)), Clip(Fraction(6), Fraction(18)))
    text = "one <00:00:06.000>two <00:00:00.000>three"
    assert found == Captions((Cue(4_000, 8_000, text),))
