"""The selection of flavors: a table per step of the contract's algorithm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.contract.formats import FORMATS
from origin.contract.refusals import Number, Refused
from origin.contract.selection import (
    LOCAL,
    Candidate,
    Priority,
    Storages,
    Wishes,
    select,
)

WEB = frozenset({"mbr", "web", "ipad", "dash"})


def video(id_: str, bitrate: int, height: int = 360, **options: Any) -> Candidate:
    known = {"tags": WEB, "width": height * 16 // 9, "height": height, "codec": "avc1.64001f"}
    return Candidate(id=id_, bitrate=bitrate, **known | options)


def audio(id_: str, bitrate: int = 128, **options: Any) -> Candidate:
    known = {"tags": frozenset({"alt_audio"}), "is_audio": True, "codec": "mp4a.40.2"}
    return Candidate(id=id_, bitrate=bitrate, **known | options)


def tagged(id_: str, *tags: str, bitrate: int = 500) -> Candidate:
    return video(id_, bitrate, tags=frozenset(tags))


def chosen(*flavors: Candidate, form: str = "url", **options: Any) -> str:
    """Ids in the order of the answer, or the number of the refusal."""
    where = {key: options.pop(key) for key in ("storages", "allowed") if key in options}
    wishes = Wishes(**{"groups": FORMATS[form].groups} | options)
    try:
        return " ".join(one.id for one in select(flavors, wishes, **where))
    except Refused as refused:
        return f"error {refused.number:d}"


LADDER = (video("a", 400), video("b", 900, 540), video("c", 2500, 720))


# -- 1: ready ones, that rules allow


def test_only_ready_flavors() -> None:
    assert chosen(*LADDER, video("d", 4000, 1080, ready=False)) == "a b c"
    assert chosen(video("d", 4000, ready=False)) == "error 6"


def test_only_allowed_flavors() -> None:
    assert chosen(*LADDER, allowed=lambda one: one.bitrate < 1000) == "a b"


# -- 2: ids and recipes


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"ids": ("a", "c")}, "a c"),
        ({"ids": ("a", "x")}, "a"),
        ({"ids": ("x",)}, "a b c"),  # trap: none matches, so tags decide
        ({"ids": ("x",), "tags": ("nothing",)}, "error 6"),
        ({"params": (2,)}, "p"),
        ({"params": (99,)}, "a b c"),
        ({"ids": ("a",), "params": (2,)}, "a"),
    ],
)
def test_ids_and_recipes(wishes: dict[str, Any], expected: str) -> None:
    of_recipe = video("p", 5000, params=2, tags=frozenset({"source"}))
    assert chosen(*LADDER, of_recipe, **wishes) == expected


# -- 3: tags


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("mobile",), "m"),
        (("mobile", "tv"), "m"),  # each tag is its own group: the first that matches wins
        (("tv", "mobile"), "t"),
        (("none", "tv"), "t"),
        (("none",), "error 6"),
    ],
)
def test_tags_of_a_request(tags: tuple[str, ...], expected: str) -> None:
    assert chosen(tagged("m", "mobile"), tagged("t", "tv"), tags=tags) == expected


DEFAULTS = {
    "http": ("mbr", "web"),
    "url": ("mbr", "web"),
    "download": ("mbr", "web"),
    "hls": ("mbr", "web"),  # trap: no tags of its own
    "applehttp": ("applembr", "ipadnew", "ipad"),
    "mpegdash": ("dash", "iphonenew", "iphone"),
}


@pytest.mark.parametrize(("form", "order"), DEFAULTS.items())
def test_default_tags(form: str, order: tuple[str, ...]) -> None:
    flavors = [tagged(tag, tag) for tag in order]
    for left in range(len(flavors)):
        assert chosen(*flavors[left:], tagged("other", "x"), form=form) == order[left]
    assert chosen(tagged("other", "x"), form=form) == "error 6"


def test_tags_of_one_group_are_equal() -> None:
    flavors = tagged("pad", "ipadnew"), tagged("phone", "iphonenew", bitrate=900)
    assert chosen(*flavors, form="applehttp") == "pad phone"


def test_alternative_audio() -> None:
    assert chosen(*LADDER, audio("en"), alternative_audio=True) == "a b c en"
    assert chosen(*LADDER, audio("en")) == "a b c"  # type=media, and what is no HLS or DASH
    assert chosen(audio("en"), alternative_audio=True) == "error 6"  # no group matched


# -- 4: bitrates


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"max_bitrate": 1000}, "a b"),
        ({"max_bitrate": 900}, "a b"),
        ({"min_bitrate": 900}, "b c"),
        ({"min_bitrate": 500, "max_bitrate": 1000}, "b"),
        ({"max_bitrate": 100}, "a b c"),  # trap: nothing would remain, so it is ignored
        ({"min_bitrate": 500, "max_bitrate": 600}, "a b c"),
    ],
)
def test_bitrates(wishes: dict[str, Any], expected: str) -> None:
    assert chosen(*LADDER, **wishes) == expected


def test_audio_has_any_bitrate() -> None:
    only = audio("only", 64, tags=frozenset({"audio_only", "mbr"}))
    found = chosen(*LADDER, audio("en"), only, min_bitrate=900, alternative_audio=True)
    assert found == "only en b c"


# -- 5: storages


HELD = (
    video("own", 400),
    video("one", 900, 480, storages=frozenset({1})),
    video("two", 1500, 540, storages=frozenset({2})),
    video("both", 2500, 720, storages=frozenset({2, LOCAL})),
)
MORE = video("more", 1200, 500, storages=frozenset({2}))


@pytest.mark.parametrize(
    ("priority", "flavors", "expected"),
    [
        (Priority.OWN_ONLY, HELD, "own both"),
        (Priority.OWN_FIRST, HELD, "own one both"),  # a ladder is whole
        (Priority.OWN_FIRST, (*HELD, MORE), "own more two both"),  # where the most are
        (Priority.REMOTE_FIRST, HELD, "own two both"),
        (Priority.REMOTE_ONLY, HELD, "two both"),
        (Priority.OWN_ONLY, HELD[1:3], "error 6"),
        (Priority.OWN_FIRST, HELD[1:2], "one"),
        (Priority.REMOTE_FIRST, HELD[:1], "own"),
        (Priority.REMOTE_ONLY, HELD[:1], "error 6"),
    ],
)
def test_storages(priority: Priority, flavors: tuple[Candidate, ...], expected: str) -> None:
    assert chosen(*flavors, storages=Storages(priority)) == expected


def test_one_storage_only() -> None:
    assert chosen(*HELD, storages=Storages(Priority.OWN_ONLY, only=2)) == "two both"
    assert chosen(*HELD, storages=Storages(only=3)) == "error 6"


# -- 7: redundant ones


@pytest.mark.parametrize(
    ("flavors", "expected"),
    [
        ((video("a", 1000), video("b", 1050)), "b"),
        ((video("a", 1000), video("b", 1051)), "a b"),
        ((video("a", 1000), video("b", 1000, 720)), "b"),
        ((video("a", 1000, 720), video("b", 1040)), "a b"),  # a larger frame stays
        ((video("a", 1000), video("b", 1000)), "a"),  # one of two that are the same
        ((video("a", 1000), video("b", 1040), video("c", 1085)), "a c"),
        ((video("a", 1000, codec="avc1.4d401f"), video("b", 1020)), "b"),
        ((video("a", 1000, codec="hvc1.1.6.L93"), video("b", 1020)), "a b"),
        ((video("a", 0), video("b", 0)), "a b"),  # nobody knows
        ((video("a", 1000, tags=WEB | {"watermark"}), video("b", 1020)), "a b"),
        ((audio("x", 128, tags=WEB), audio("y", 129, tags=WEB)), "x y"),
    ],
)
def test_redundant_ones(flavors: tuple[Candidate, ...], expected: str) -> None:
    assert chosen(*flavors) == expected


# -- 8: order


@pytest.mark.parametrize(
    ("flavors", "wishes", "expected"),
    [
        (reversed(LADDER), {}, "a b c"),
        (LADDER, {"preferred_bitrate": 1000}, "b a c"),
        (LADDER, {"preferred_bitrate": 9999}, "c a b"),
        (LADDER, {"preferred_bitrate": 650}, "a b c"),  # as close: the lower
        ((audio("en"), *LADDER), {}, "a b c en"),
        ((*LADDER, audio("en"), audio("fr")), {}, "en fr a b c"),
        ((*LADDER, audio("en"), audio("fr", is_default=True)), {}, "fr en a b c"),
        (
            (audio("aac"), audio("ac", codec="ac-3"), audio("ec", codec="ec-3")),
            {"tags": ("alt_audio",)},
            "ec ac aac",
        ),
        (
            (audio("ec", codec="ec-3"), audio("aac", is_default=True), *LADDER),
            {"preferred_bitrate": 900},
            "aac ec b a c",
        ),
        ((Candidate(id="srt", is_caption=True, tags=WEB), *LADDER), {}, "a b c srt"),
    ],
)
def test_order(flavors: Any, wishes: dict[str, Any], expected: str) -> None:
    assert chosen(*flavors, alternative_audio=True, **wishes) == expected


# -- formats of a single flavor


@pytest.mark.parametrize(
    ("flavors", "wishes", "expected"),
    [
        (LADDER, {}, "c"),
        (LADDER, {"preferred_bitrate": 800}, "b"),
        (LADDER, {"max_bitrate": 1000}, "b"),
        (LADDER, {"ids": ("a",)}, "a"),
        ((*LADDER, audio("x", 9000, tags=WEB)), {}, "c"),
        ((audio("x", tags=WEB),), {}, "x"),
        ((), {}, "error 6"),
    ],
)
def test_a_single_flavor(
    flavors: tuple[Candidate, ...], wishes: dict[str, Any], expected: str
) -> None:
    assert chosen(*flavors, many=False, **wishes) == expected


bitrates = st.integers(0, 3000)
flavors = st.builds(
    Candidate,
    id=st.text("abcdef", min_size=1, max_size=3),
    ready=st.booleans(),
    tags=st.frozensets(st.sampled_from(["mbr", "web", "alt_audio", "watermark"])),
    height=st.sampled_from([0, 360, 720]),
    width=st.sampled_from([0, 640, 1280]),
    bitrate=bitrates,
    is_audio=st.booleans(),
    storages=st.frozensets(st.integers(LOCAL, 3), min_size=1),
)
limits = st.none() | bitrates


@given(st.lists(flavors, max_size=8, unique_by=lambda one: one.id), limits, limits, limits)
def test_whatever_there_is(
    found: list[Candidate], preferred: int | None, most: int | None, least: int | None
) -> None:
    wishes = Wishes(
        groups=FORMATS["url"].groups,
        preferred_bitrate=preferred,
        max_bitrate=most,
        min_bitrate=least,
        alternative_audio=True,
    )
    try:
        selected = select(found, wishes)
    except Refused as refused:
        assert refused.number is Number.FLAVOR_NOT_FOUND
        return
    assert selected and len(set(selected)) == len(selected)
    assert all(one.ready and one in found for one in selected)
    assert selected == select(reversed(found), wishes)  # rows come in no order
