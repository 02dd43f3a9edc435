"""Captions of line 21 in Scenarist files: what is read, when it is shown, what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.captions.cues import MalformedCaptions
from packager.captions.formats import parse as parse_any
from packager.captions.scc import parse

Shown = tuple[int, int, str, str]
BELOW = "line:84% position:10% align:start"


def scc(*lines: str) -> bytes:
    return "\n\n".join(("Scenarist_SCC V1.0", *lines, "")).encode()


READ: dict[str, tuple[bytes, list[Shown]]] = {
    "nothing": (scc(), []),
    # row 15, loaded unseen; 9 pairs after the first frame, 42, it is shown
    "pop-on, dropped frames": (
        scc(
            "00:00:01;12\t9420 9420 94ae 94ae 9470 9470 c8e5 ecec ef80 942f 942f",
            "00:01:00;02\t942c 942c",
        ),
        [(1702, 17_702, "Hello", BELOW)],  # frame 51; nobody erases it for 16 s
    ),
    "pop-on, every frame": (
        scc(
            "00:00:01:12\t9420 9420 9470 9470 c8e9 942f 942f",
            "00:00:02:00\t9420 94ae 9470 d9ef f580 942f",
            "00:01:00:00\t942c 942c",
        ),
        # frames 47, 65, 1800
        [(1568, 2169, "Hi", BELOW), (2169, 18_169, "You", BELOW)],
    ),
    "two rows, a column, italics and signs": (
        scc(
            "00:00:00:00\t9420 1350 91ae 6180 91b9 9137 92a1 9470 97a2 613c 942f",
            "00:00:10:00\t942c",
        ),
        [(334, 10_010, "<i>a\u00a0É</i>\na&lt;", "line:68% position:12% align:start")],
    ),
    "roll-up": (
        scc(
            "00:00:00:00\t9425 9425 94ad 94ad 9470 9470 6162",
            "00:00:01:00\t94ad 94ad 6364",
            "00:00:02:00\t94ad 94ad",
            "00:00:03:00\t942c",
        ),
        [
            (200, 1001, "ab", BELOW),
            (1001, 2002, "ab\ncd", "line:79% position:10% align:start"),
            (2002, 3003, "cd", "line:79% position:10% align:start"),
        ],
    ),
    "paint-on": (
        scc("00:00:01:00\t9429 9429 9470 9470 6162 6380", "00:00:02:00\t942c 942c"),
        [(1134, 2002, "abc", BELOW)],
    ),
    "channel 2 is not ours": (
        scc("00:00:01:00\t1c20 1c20 1c70 6162 1c2f", "00:00:03:00\t942c"), []
    ),
    "backspace, and what is escaped": (
        scc("00:00:00:00\t9420 9470 613c 6294 94a1 2680 942f", "00:00:02:00\t942c"),
        [(200, 2002, "a&lt;&amp;", BELOW)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "shown"), READ.values(), ids=READ)
def test_read(data: bytes, shown: list[Shown]) -> None:
    found = parse_any(data, None).cues
    assert [(cue.start, cue.end, cue.text, cue.settings) for cue in found] == shown


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "another version": (b"Scenarist_SCC V2.0\n", 1, "does not begin with"),
    "no time code": (scc("1.5\t9420"), 3, "'1.5' is not a time code"),
    "a frame that is dropped": (scc("00:01:00;00\t9420"), 3, "is dropped"),
    "a 31st frame": (scc("00:00:00:30\t9420"), 3, "not a time code"),
    "no pair": (scc("00:00:00:00\t9420", "00:00:01:00\t94zz"), 5, "'94zz' is not a pair"),
}


@pytest.mark.parametrize(("data", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(MalformedCaptions, match=reason) as refused:
        parse_any(data, None)
    assert refused.value.line == line


@given(st.lists(st.integers(0, 0xFFFF), max_size=60))
def test_any_pairs_are_captions(pairs: list[int]) -> None:
    words = " ".join(f"{pair:04x}" for pair in pairs)
    for cue in parse(scc(f"00:00:00;00\t{words}")).cues:
        assert 0 <= cue.start < cue.end
        assert "-->" not in cue.text
        assert all(cue.text.split("\n"))


@given(st.text("0123456789:;.abf \t\n", max_size=60))
def test_anything_else_is_refused_by_name(rest: str) -> None:
    with suppress(MalformedCaptions):
        parse(scc(rest))
