"""The small writers below the MPD: elements and durations."""

import xml.etree.ElementTree as ET
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.dash.duration import duration_down, duration_up
from packager.dash.element import element, escaped, text_element

carried = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
)


@pytest.mark.parametrize(
    ("seconds", "down", "up"),
    [
        (Fraction(0), "PT0S", "PT0S"),
        (Fraction(6), "PT6S", "PT6S"),
        (Fraction(3600), "PT3600S", "PT3600S"),
        (Fraction(2002, 1000), "PT2.002S", "PT2.002S"),
        (Fraction(10), "PT10S", "PT10S"),
        (Fraction(1, 512), "PT0.001953125S", "PT0.001953125S"),
        (Fraction(1001, 30), "PT33.366666666S", "PT33.366666667S"),
    ],
)
def test_durations(seconds: Fraction, down: str, up: str) -> None:
    assert duration_down(seconds) == down
    assert duration_up(seconds) == up


@given(st.fractions(min_value=0, max_value=10**6))
def test_durations_are_within_a_nanosecond(seconds: Fraction) -> None:
    down, up = (Fraction(f(seconds)[2:-1]) for f in (duration_down, duration_up))
    assert down <= seconds <= up <= down + Fraction(1, 10**9)


def test_elements_are_nested_and_indented() -> None:
    assert element("A", {"x": 1, "y": None}, element("B", {}, element("C", {}))) == (
        '<A x="1">\n  <B>\n    <C/>\n  </B>\n</A>'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<&>\"'", "&lt;&amp;&gt;&quot;'"),
        ("a\tb\r\n", "a&#9;b&#13;&#10;"),
        ("\x00\x0b\ud800\uffff", ""),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_escapes(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(carried)
def test_any_text_comes_back_from_an_attribute_and_from_content(text: str) -> None:
    assert ET.fromstring(element("A", {"x": text})).get("x") == text
    assert (ET.fromstring(text_element("A", text)).text or "") == text
