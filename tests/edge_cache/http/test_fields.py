"""Fields: lists over several lines, and what concerns one connection only."""

import time

import pytest

from edge_cache.http.fields import combined, end_to_end, members, serialise, values, without

LISTS = {  # the examples of RFC 9110 §5.6.1 first
    "two": (["foo,bar"], ["foo", "bar"]),
    "empty members": (["foo ,,bar, , charlie"], ["foo", "bar", "charlie"]),
    "nothing": ([",   ,"], []),
    "several lines": (["a", "b, c"], ["a", "b", "c"]),
    "commas in quotes": (['a="1,2", b'], ['a="1,2"', "b"]),
    "escaped quotes": ([r'a="\",", b'], [r'a="\","', "b"]),
    "an open quote runs to the end": (['a="1, b'], ['a="1, b']),
}


@pytest.mark.parametrize(("lines", "expected"), LISTS.values(), ids=LISTS)
def test_members(lines: list[str], expected: list[str]) -> None:
    assert list(members(lines)) == expected


FIELDS = ((b"X-A", b"1"), (b"x-a", b"2"), (b"B", b"\xe9"))


def test_values_and_combined() -> None:
    assert values(FIELDS, b"x-a") == ["1", "2"]
    assert combined(FIELDS, b"x-a") == "1, 2"
    assert combined(FIELDS, b"b") == "é"
    assert combined(FIELDS, b"c") is None
    assert without(FIELDS, frozenset([b"x-a"])) == FIELDS[2:]


def test_serialise() -> None:
    assert serialise(FIELDS) == b"X-A: 1\r\nx-a: 2\r\nB: \xe9\r\n"


def test_end_to_end_drops_what_connection_lists() -> None:
    fields = (
        (b"Connection", b"X-Private, close"),
        (b"X-Private", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"TE", b"trailers"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Type", b"video/mp4"),
    )
    assert end_to_end(fields) == fields[-1:]


STRINGS = {
    "a string": ('a, "b,c" , d', ["a", '"b,c"', "d"]),
    "escapes": (r'"a\",b", c', [r'"a\",b"', "c"]),
    "a string without an end": ('a, "b, c', ["a", '"b, c']),
    "that ends by an escape": ('a, "b, c\\', ["a", '"b, c\\']),
    "a string in the middle": ('a="b,c"d, e', ['a="b,c"d', "e"]),
}


@pytest.mark.parametrize(("line", "expected"), STRINGS.values(), ids=STRINGS)
def test_a_comma_in_a_string_parts_nothing(line: str, expected: list[str]) -> None:
    assert list(members([line])) == expected


@pytest.mark.parametrize("piece", ['\\"', '"\\', '"', '"a', "\\", '",', ' ", \\'])
def test_a_line_of_32_kib_costs_no_more_than_its_length(piece: str) -> None:
    began = time.process_time()
    list(members([('"' + piece * (1 << 15))[: 1 << 15] + "\\"]))
    assert time.process_time() - began < 1  # milliseconds; by the square it would be 16 s
