import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.purging.names import (
    EVERYTHING,
    MAX_TAG,
    MAX_URL,
    Kind,
    Name,
    coarser,
    normal,
    prefix_name,
    tag_name,
    url_name,
)

URLS = {
    "/a/b.ts": (Kind.URL, b"/a/b.ts"),
    "/a?b=c&d": (Kind.URL, b"/a?b=c&d"),
    "http://edge.example/a?b": (Kind.URL, b"/a?b"),
    "HTTPS://edge.example:8443/a": (Kind.URL, b"/a"),
    "http://edge.example": (Kind.URL, b"/"),
    "http://edge.example?a": (Kind.URL, b"/?a"),
    "/%7Ea/%2f%41": (Kind.URL, b"/~a/%2FA"),
    "/é": (Kind.URL, b"/%C3%A9"),
    "/100%": (Kind.URL, b"/100%"),
    "/a/*": (Kind.PREFIX, b"/a/"),
    "http://edge.example/a*": (Kind.PREFIX, b"/a"),
    "http://edge.example*": (Kind.PREFIX, b"/"),
    "/a*b": (Kind.URL, b"/a*b"),
    "//a": (Kind.URL, b"//a"),
}

NOT_URLS = ["", "*", "a/b", "ftp://a/b", "http:///a", "/a#b", "/a b", "/a\n", "/a\0", "/%4*"]


@pytest.mark.parametrize(("text", "name"), URLS.items(), ids=URLS)
def test_url(text: str, name: Name) -> None:
    assert url_name(text) == name


@pytest.mark.parametrize("text", [*NOT_URLS, "/" + "a" * MAX_URL])
def test_not_a_url(text: str) -> None:
    with pytest.raises(ValueError):
        url_name(text)


@pytest.mark.parametrize("text", ["/a/", "/a/*", "http://edge.example/a/"])
def test_prefix(text: str) -> None:
    assert prefix_name(text) == (Kind.PREFIX, b"/a/")


@pytest.mark.parametrize("text", ["/a%", "/a%4", "/a%*", "", "*"])
def test_not_a_prefix(text: str) -> None:
    with pytest.raises(ValueError):
        prefix_name(text)


def test_tags_have_no_case() -> None:
    assert tag_name("Entry-7") == tag_name("entry-7") == (Kind.TAG, b"entry-7")


@pytest.mark.parametrize("text", ["", "a b", "a,b", "é", "a\n", "a" * (MAX_TAG + 1)])
def test_not_a_tag(text: str) -> None:
    with pytest.raises(ValueError):
        tag_name(text)


SPELLINGS = {  # RFC 3986 §6.2.2: the same, and not the same
    b"/%7Euser": b"/~user",
    b"/%7euser": b"/~user",
    b"/%C3%A9": b"/%c3%a9",
    b"/\xc3\xa9": b"/%C3%A9",
    b"/a%2Db": b"/a-b",
}


@pytest.mark.parametrize(("one", "other"), SPELLINGS.items())
def test_spellings_of_one_url(one: bytes, other: bytes) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [(b"/a%2Fb", b"/a/b"), (b"/A", b"/a"), (b"/%3F", b"/?"), (b"/%", b"/%25")]
)
def test_different_urls(one: bytes, other: bytes) -> None:
    assert normal(one) != normal(other)


@given(st.binary())
def test_normalising_is_done_once(target: bytes) -> None:
    assert normal(normal(target)) == normal(target)


COARSER = [
    ((Kind.URL, b"/a/b"), (Kind.PREFIX, b"/a/")),
    ((Kind.URL, b"/"), (Kind.PREFIX, b"/")),
    ((Kind.URL, b"/a?b=/c/d"), (Kind.PREFIX, b"/")),
    ((Kind.PREFIX, b"/a/b"), (Kind.PREFIX, b"/a/")),
    ((Kind.PREFIX, b"/a/b/"), (Kind.PREFIX, b"/a/")),
    ((Kind.PREFIX, b"/a/b?c/"), (Kind.PREFIX, b"/a/")),
    ((Kind.PREFIX, b"/"), EVERYTHING),
    ((Kind.TAG, b"a"), EVERYTHING),
    (EVERYTHING, EVERYTHING),
]


@pytest.mark.parametrize(("name", "wide"), COARSER)
def test_coarser(name: Name, wide: Name) -> None:
    assert coarser(name) == wide
