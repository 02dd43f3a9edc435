"""The URLs of stored files: one, several as one, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.contract.serve_flavor import (
    ServeFlavor,
    ServeSequence,
    is_serve_flavor,
    parse_serve_flavor,
    parse_serve_flavors,
    parse_serve_sequence,
    render_serve_flavor,
    render_serve_flavors,
    render_serve_sequence,
)
from origin.contract.urlset import join_urlset, split_urlset
from origin.errors import BadUrl


def file(flavor: str = "0_flav0001", **fields: Any) -> ServeFlavor:
    return ServeFlavor(partner=102, entry="0_abcd1234", flavor=flavor, **fields)


BASE = "/p/102/sp/10200/serveFlavor/entryId/0_abcd1234"
CANONICAL = {
    f"{BASE}/flavorId/0_flav0001/name/a.mp4": file(),
    f"{BASE}/v/2/flavorId/0_flav0001/name/a.mp4": file(version=2),
    f"{BASE}/v/2/pv/3/ev/4/flavorId/0_flav0001/name/a.mp4": file(
        version=2, partner_version=3, entry_version=4
    ),
    f"{BASE}/v/1/flavorId/0_flav0001/fileName/My film.mp4/name/a.mp4": file(
        version=1, file_name="My film.mp4"
    ),
}
OTHERS = {
    f"{BASE}/flavorId/0_flav0001": file(),
    "/p/102/serveFlavor/flavorId/0_flav0001/entryId/0_abcd1234/name/a.mp4": file(),
    "/s/p/102/sp/10200/serveFlavor/entryId/0_abcd1234/flavorId/0_flav0001": file(),
    f"{BASE}/v/2/flavorId/0_flav0001/forceproxy/true/name/a.mp4/v/3": file(version=2),
    f"{BASE}/v/0/flavorId/0_flav0001": file(),  # 0 is no version
    f"{BASE}/flavorId/0_flav0001?v=7&fileName=x.mp4&_=1": file(version=7, file_name="x.mp4"),
    f"{BASE}/v/2/flavorId/0_flav0001?v=7": file(version=2),
}


@pytest.mark.parametrize(("url", "expected"), CANONICAL.items(), ids=CANONICAL)
def test_a_url_and_its_file(url: str, expected: ServeFlavor) -> None:
    assert is_serve_flavor(url)
    assert parse_serve_flavor(url) == expected
    assert f"/{render_serve_flavor(expected)}" == url


@pytest.mark.parametrize(("url", "expected"), OTHERS.items(), ids=OTHERS)
def test_another_spelling(url: str, expected: ServeFlavor) -> None:
    assert parse_serve_flavor(*url.partition("?")[::2]) == expected


LATER = (
    "seekFrom", "seekFromBytes", "live", "file", "speed", "shift",
    "audioOnly", "pathOnly", "exp", "sig",
)  # fmt: skip
REFUSED = {
    **{f"{BASE}/flavorId/0_flav0001/{name}/1": f"{name} is not supported" for name in LATER},
    f"{BASE}/flavorId/0_flav0001/sequence/0_abcd9999": "several entries are no file",
    f"{BASE}/flavorParamIds/1": "several entries are no file",
    f"{BASE}/flavorId/0_flav0001/name/a.mp4?pathOnly=1": "pathOnly is not supported",
    f"{BASE}/flavorId/0_flav0001/colour/red": "left over: colour",
    f"{BASE}/flavorId/0_flav0001/a.mp4": "left over: a.mp4",
    f"{BASE}/flavorId/x": "flavor id 'x' is not of",
    f"{BASE}/name/a.mp4": "flavor id '' is not of",
    "/p/102/serveFlavor/flavorId/0_flav0001": "entry id '' is not of",
    f"{BASE}/v/two/flavorId/0_flav0001": "v: not a whole number",
    f"{BASE}/v/01/flavorId/0_flav0001": "v: not a whole number",
    f"{BASE}/v/1/../flavorId/0_flav0001": "dots",
    f"{BASE}/v/1/%2e%2e/flavorId/0_flav0001": "dots",
    f"{BASE}/flavorId/0_flav0001/name/..%2f..%2fa": "dots",
    f"{BASE}/flavorId/0_flav0001/fileName/..%5ca": "dots",
    f"{BASE}/flavorId/0_flav0001/fileName/a%0d%0aX: y": "not printable",
    f"{BASE}/flavorId/0_flav0001/fileName/a%00": "not printable",
    f"{BASE}//flavorId/0_flav0001": "empty",
    "/p/102/sp/10200/raw/entry_id/0_abcd1234": "no such resource: raw",
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.items(), ids=REFUSED)
def test_refused(url: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_serve_flavor(*url.partition("?")[::2])
    assert reason in str(refused.value)


P = "p/102/sp/10200/serveFlavor/entryId/0_abcd1234"
SETS = {
    # the contract's example: the commas fall inside an id
    f"{P}/v/2/flavorId/0_,aaaa1111,bbbb2222,/name/a.mp4.urlset": (
        file("0_aaaa1111", version=2),
        file("0_bbbb2222", version=2),
    ),
    f"{P}/v/,1/flavorId/0_aaaa1111,2/flavorId/0_bbbb2222,/name/a.mp4.urlset": (
        file("0_aaaa1111", version=1),
        file("0_bbbb2222", version=2),
    ),
    f"{P}/v/2/flavorId/0_flav0001/name/a.mp4": (file(version=2),),
}


@pytest.mark.parametrize(("text", "several"), SETS.items(), ids=SETS)
def test_several_as_one(text: str, several: tuple[ServeFlavor, ...]) -> None:
    assert parse_serve_flavors(text) == several
    assert render_serve_flavors(several) == text


def test_one_again_and_again_is_no_set() -> None:
    assert render_serve_flavors([file(), file()]) == f"{P}/flavorId/0_flav0001/name/a.mp4"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{P[:-10]},0_abcd1234,0_abcd9999,/flavorId/0_flav0001.urlset", "several entries"),
        (f"{P}/flavorId/0_flav000,1.urlset", "less than two commas"),
        (f"{P}/flavorId/0_flav000,1,2,/name/,.urlset", "empty or dotted"),
        (f"{P}/flavorId/,../../etc,0_flav0001,/name/a.urlset", "dotted"),
        (f"{P}/flavorId/{',x' * 33},.urlset", "33 parts are more than 32"),
    ],
)
def test_sets_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BadUrl, match=reason):
        parse_serve_flavors(text)


parts = st.text("ab/_1", min_size=1, max_size=8).filter(lambda text: "" not in text.split("/"))


@given(st.lists(parts, min_size=1, max_size=6, unique=True))
def test_a_set_splits_into_what_was_joined(urls: list[str]) -> None:
    assert split_urlset(join_urlset(urls)) == tuple(urls)


ids = st.from_regex(r"[0-9]_[0-9a-z]{8}", fullmatch=True)
numbers = st.integers(1, 10**17)


@given(st.lists(st.tuples(ids, st.none() | numbers), min_size=1, max_size=32, unique=True))
def test_sets_round_trip(flavors: list[tuple[str, int | None]]) -> None:
    several = tuple(file(flavor, version=version) for flavor, version in flavors)
    assert parse_serve_flavors(render_serve_flavors(several)) == several


words = st.sampled_from(
    ["p", "102", "serveFlavor", "entryId", "0_abcd1234", "flavorId", "0_flav0001", "v", "1",
     "..", "%2e%2e", "%00", "\\", "", "name", "a.mp4", "é", "%ff", "fileName", "%252e%252e"]
)  # fmt: skip


@given(st.lists(words, max_size=8).map("/".join), st.text(max_size=20))
def test_it_parses_or_is_refused(text: str, query: str) -> None:
    try:
        found = parse_serve_flavor(f"{BASE}/flavorId/0_flav0001/{text}", query)
    except BadUrl:
        return
    assert found.flavor == "0_flav0001"
    assert found.file_name is None or not {"\\", "\0"} & set(found.file_name)


SEQUENCES = {
    f"{P}/sequence/0_aaaa1111,0_bbbb2222/v/3/pv/4/ev/5/flavorParamIds/5,6/name/a.mp4": (
        ServeSequence(
            partner=102,
            entry="0_abcd1234",
            before=("0_aaaa1111", "0_bbbb2222"),
            version=3,
            partner_version=4,
            entry_version=5,
            params=(5, 6),
        )
    ),
    f"{P}/flavorIds/0_flav0001/name/a.mp4": ServeSequence(
        partner=102, entry="0_abcd1234", flavors=("0_flav0001",)
    ),
}


@pytest.mark.parametrize(("text", "sequence"), SEQUENCES.items())
def test_a_sequence(text: str, sequence: ServeSequence) -> None:
    assert parse_serve_sequence(text) == sequence
    assert render_serve_sequence(sequence) == text


REFUSED_SEQUENCES = {
    f"{P}/sequence/x/flavorParamIds/5": "'x' is not of",
    f"{P}/sequence/{','.join(['0_aaaa1111'] * 128)}/flavorParamIds/5": "128 entries are more",
    f"{P}/flavorParamIds/5,x": "not whole numbers",
    f"{P}/flavorParamIds/{','.join('1' * 33)}": "more than 32 renditions",
    f"{P}/flavorIds/0_flav0001/flavorParamIds/1": "flavorParamIds and flavorIds",
    f"{P}/clipFrom/1/flavorParamIds/1": "clipFrom of a sequence is not supported",
    f"{P}/captions/eng/flavorParamIds/1": "captions of a sequence is not supported",
    f"{P}/speed/2/flavorParamIds/1": "speed is not supported",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED_SEQUENCES.items())
def test_a_refused_sequence(text: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_serve_sequence(text)
    assert reason in str(refused.value)


def test_a_file_is_no_sequence() -> None:
    assert parse_serve_sequence(f"{P}/flavorId/0_flav0001/name/a.mp4") is None
