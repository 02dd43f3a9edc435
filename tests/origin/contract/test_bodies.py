"""Parameters in the body of a POST."""

import pytest

from origin.contract.parameters import with_body
from origin.errors import BadUrl

FORM = "application/x-www-form-urlencoded"
BODIES = {
    ("", FORM, b""): "",
    ("?a=1", "", b""): "?a=1",
    ("", FORM, b"e=0_a&f=hls"): "?e=0_a&f=hls",
    ("?a=1", f"{FORM}; charset=utf-8", b"a=2\r\n"): "?a=1&a=2",
    ("?", "application/json", b'{"e": "0_a"}'): "?&e=0_a",
    ("", "Application/JSON;charset=utf-8", '{"t": "é&b", "x": null}'.encode()): (
        "?t=%C3%A9%26b"
    ),
}


@pytest.mark.parametrize(("given", "query"), BODIES.items(), ids=range(len(BODIES)))
def test_bodies(given: tuple[str, str, bytes], query: str) -> None:
    assert with_body(*given) == query


REFUSED = {
    ("application/json", b"[1]"): "no JSON object",
    ("application/json", b"{"): "not what its type says",
    ("application/json", b"\xff"): "not what its type says",
    ("application/json", b"[" * 4000): "not what its type says",
    ("application/json", b'{"a": {"b": 1}}'): "'a' in the body",
    ("application/json", b'{"a": true}'): "'a' in the body",
    (FORM, "é".encode()): "not what its type says",
    ("multipart/form-data", b"x"): "a form or JSON",
    ("", b"x"): "a form or JSON",
    (FORM, b"a" * 4097): "longer than 4096",
}


@pytest.mark.parametrize(("given", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_bodies_that_are_none(given: tuple[str, bytes], reason: str) -> None:
    with pytest.raises(BadUrl, match=reason):
        with_body("", *given)
