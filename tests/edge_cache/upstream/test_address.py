"""Addresses of upstreams: what each form says, and what is refused."""

import pytest

from edge_cache.upstream.address import Address

GOOD = {
    "http://h": Address("http://h", "http", "h", 80, b"h"),
    "http://h/": Address("http://h", "http", "h", 80, b"h"),
    "http://h:8081": Address("http://h:8081", "http", "h", 8081, b"h:8081"),
    "https://h": Address("https://h", "https", "h", 443, b"h"),
    "https://H:8443|2.5": Address("https://H:8443", "https", "h", 8443, b"H:8443", 2.5),
    "http://[::1]:80": Address("http://[::1]:80", "http", "::1", 80, b"[::1]:80"),
    "unix:///run/a.sock": Address("unix:///run/a.sock", "unix", "/run/a.sock", 0, b"localhost"),
}
BAD = [
    *("", "h", "h:80", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://h/path"),
    *("http://u:p@h", "http://h?a", "http://h#a", "unix://h/a", "unix:///", "unix:ab"),
    *("http://h|", "http://h|0", "http://h|-1", "http://h|x", "http://h|nan", "http://h|1001"),
    *("http://h|inf", "http://[::1", f"unix:///{107 * 'a'}"),
]


@pytest.mark.parametrize(("text", "address"), GOOD.items(), ids=GOOD)
def test_good(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(text)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        *(("http://127.0.0.1", True), ("http://[::1]", True), ("unix:///a", True)),
        *(("http://localhost", False), ("http://127.1", False)),
    ],
)
def test_what_needs_no_look_up(text: str, literal: bool) -> None:
    assert Address.parse(text).is_literal is literal
