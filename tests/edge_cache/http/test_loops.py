"""CDN-Loop: the grammar of RFC 8586 §2."""

import pytest

from edge_cache.http.loops import passed_through

GOOD = {
    "nothing": ([], []),
    "one": (["a.example"], ["a.example"]),
    "a port and an address": (["h:80", "[::1]:80"], ["h:80", "[::1]:80"]),
    "parameters": (['a; v=1; x="1, 2;\\"", b;y'], ["a", "b"]),
    "empty members": ([", a,, b"], ["a", "b"]),
}
BAD = ["a b", "a; =1", "; v", 'a; x="1', "a; v=1 2", 'a"b']


@pytest.mark.parametrize(("lines", "names"), GOOD.values(), ids=GOOD)
def test_good(lines: list[str], names: list[str]) -> None:
    assert passed_through(lines) == names


@pytest.mark.parametrize("line", BAD)
def test_bad(line: str) -> None:
    with pytest.raises(ValueError, match="not a cdn-info"):
        passed_through(["good", line])


def test_a_long_line_takes_no_time() -> None:
    with pytest.raises(ValueError, match="not a cdn-info"):
        passed_through(["a" + ";a" * 30_000 + "="])
