"""Mapping JSON: what is taken, and what is refused by its name and place."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.errors import NotFound
from origin.mapping.errors import BadMapping, Garbage
from origin.mapping.grammar import joined, parse_mapping, path_mapping
from origin.mapping.media_set import (
    MediaSet,
    Rates,
    Sequence,
    SourceType,
    Subtitles,
    Tracks,
)
from packager.presentation import ClosedCaptions
from tests.origin.mapping.documented import REFUSED, TAKEN

A = Sequence(path="/a.mp4")
SOURCE = {"type": "source", "path": "/a.mp4"}


def mapping(**fields: Any) -> dict[str, Any]:
    return {"sequences": [{"clips": [SOURCE]}]} | fields


def sequence(**fields: Any) -> dict[str, Any]:
    return {"sequences": [{"clips": [SOURCE]} | fields]}


def clip(**fields: Any) -> dict[str, Any]:
    return {"sequences": [{"clips": [SOURCE | fields]}]}


def parsed(value: object) -> MediaSet:
    return parse_mapping(json.dumps(value).encode())


@pytest.mark.parametrize("value", TAKEN.values(), ids=TAKEN)
def test_the_documented_ones_that_are_taken(value: dict[str, Any]) -> None:
    found = parsed(value)
    paths = [one["clips"][0]["path"] for one in value["sequences"]]
    assert found == MediaSet(sequences=tuple(Sequence(path=path) for path in paths))


@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
def test_the_documented_ones_that_are_refused(value: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadMapping) as refused:
        parsed(value)
    assert reason in str(refused.value)


def just(one: Sequence, **fields: Any) -> MediaSet:
    return MediaSet(sequences=(one,), **fields)


GOOD = {
    "every field of the set": (
        mapping(
            id="x", playlistType="vod", consistentSequenceMediaInfo=False, discontinuity=True,
            segmentDuration=4000, clipFrom=1000, clipTo=9000, cache=False, durations=[60000],
        ),
        just(A, segment_duration=4000, clip_from=1000, clip_to=9000, cache=False),
    ),
    "a duration ends the clip": (mapping(durations=[5000]), just(A, clip_to=5000)),
    "null is absent": (mapping(id=None, segmentDuration=None, durations=None), just(A)),
    "from the beginning": (mapping(clipFrom=0), just(A)),
    "every field of a sequence": (
        sequence(
            id="hi", language="fre", label="Français", default=True,
            bitrate={"v": 900000, "a": 64000}, avg_bitrate={"v": 800000},
        ),
        just(
            Sequence(
                path="/a.mp4", id="hi", language="fr", label="Français", default=True,
                bitrate=Rates(900000, 64000), avg_bitrate=Rates(800000),
            )
        ),
    ),
    "no language": (sequence(language="und"), just(A)),
    "an empty label": (sequence(label=""), just(A)),
    "every field of a clip": (
        clip(id="c", sourceType="http", tracks="v1-a2-a1"),
        just(
            Sequence(
                path="/a.mp4", source_type=SourceType.HTTP,
                tracks=Tracks(frozenset({1}), frozenset({1, 2})),
            )
        ),
    ),
    "all tracks": (
        clip(tracks="v0-a"), just(Sequence(path="/a.mp4", tracks=Tracks(None, None))),
    ),
    "sound only": (
        clip(tracks="a2"),
        just(Sequence(path="/a.mp4", tracks=Tracks(frozenset(), frozenset({2})))),
    ),
    "closed captions": (
        mapping(closedCaptions=[
            {"id": "CC1", "label": "English", "language": "eng", "default": True},
            {"id": "SERVICE63", "label": "x"},
        ]),
        just(A, closed_captions=(
            ClosedCaptions(
                id="CC1", label="English", language="en", code="eng", default=True
            ),
            ClosedCaptions(id="SERVICE63", label="x"),
        )),
    ),
    "no closed captions": (mapping(closedCaptions=[]), just(A)),
    "captions": (
        {"sequences": [
            {"clips": [{"type": "source", "path": "/a.srt"}], "language": "ger", "label": "D"},
            {"clips": [SOURCE]},
            {"clips": [{"type": "source", "path": "https://x.example/b.VTT?k=1"}]},
            {"clips": [{"type": "source", "path": "empty"}], "language": "spa"},
        ]},
        just(A, subtitles=(
            Subtitles(path="/a.srt", language="de", label="D"),
            Subtitles(path="https://x.example/b.VTT?k=1"),
        )),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "found"), GOOD.values(), ids=GOOD)
def test_taken(value: object, found: MediaSet) -> None:
    assert parsed(value) == found


LATER = {
    "": (
        "referenceClipIndex", "notifications", "firstClipTime", "clipTimes", "segmentBaseTime",
        "firstClipStartOffset", "initialClipIndex", "initialSegmentIndex",
        "presentationEndTime", "expirationTime", "liveWindowDuration", "timeOffset",
    ),
    "sequences[0].": ("roles",),
    "sequences[0].clips[0].": (
        "keyFrameDurations", "firstKeyFrameOffset", "clipFrom", "encryptionKey",
        "encryptionIv", "encryptionScheme",
    ),
}  # fmt: skip
MAKERS = {"": mapping, "sequences[0].": sequence, "sequences[0].clips[0].": clip}


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place, names in LATER.items() for name in names]
)
def test_what_is_not_built_is_named(place: str, name: str) -> None:
    with pytest.raises(BadMapping) as refused:
        parsed(MAKERS[place](**{name: 1}))
    assert str(refused.value) == f"{place}{name}: not supported yet"


@pytest.mark.parametrize(
    "kind", ["rateFilter", "mixFilter", "gainFilter", "silence", "concat", "dynamic"]
)
def test_types_of_clips_that_are_not_built(kind: str) -> None:
    with pytest.raises(BadMapping) as refused:
        parsed({"sequences": [{"clips": [{"type": kind}]}]})
    assert f"sequences[0].clips[0].type: {kind} is not supported yet" in str(refused.value)


BAD: dict[str, tuple[object, str]] = {
    "an array": ([], "the mapping: not an object"),
    "a number": (7, "the mapping: not an object"),
    "no sequences": ({}, "sequences: it is missing"),
    "none of them": (mapping(sequences=[]), "sequences: not an array of 1 to 32"),
    "too many": (
        mapping(sequences=[{"clips": [SOURCE]}] * 33), "sequences: not an array of 1 to 32",
    ),
    "sequences as an object": (mapping(sequences={}), "sequences: not an array"),
    "a sequence as a text": (mapping(sequences=["a"]), "sequences[0]: not an object"),
    "no clips": ({"sequences": [{}]}, "sequences[0].clips: it is missing"),
    "several clips": ({"sequences": [{"clips": [SOURCE] * 2}]}, "several clips"),
    "no type": ({"sequences": [{"clips": [{"path": "/a"}]}]}, "clips[0].type"),
    "another type": (clip(type="x"), "sequences[0].clips[0].type: not a type of clip"),
    "no path": ({"sequences": [{"clips": [{"type": "source"}]}]}, "path: it is missing"),
    "a path that is none": (clip(path=7), "clips[0].path: not a path"),
    "NUL in a path": (clip(path="/a\0.mp4"), "clips[0].path: not a path"),
    "a lone surrogate": (clip(path="/a\ud800.mp4"), "clips[0].path: not a path"),
    "a long path": (clip(path="/" * 5000), "clips[0].path: not a path"),
    "unknown field": (mapping(foo=1), "foo: not a field of a mapping"),
    "unknown in a sequence": (sequence(foo=1), "sequences[0].foo: not a field"),
    "unknown in a clip": (clip(foo=1), "sequences[0].clips[0].foo: not a field"),
    "a very long name": (mapping(**{"x" * 999: 1}), "x…: not a field of a mapping"),
    "several durations": (mapping(durations=[1, 2]), "durations: several clips"),
    "a duration that is none": (mapping(durations=["x"]), "durations[0]: not a whole number"),
    "a duration of 0": (mapping(durations=[0]), "durations[0]: not a whole number"),
    "a short segment": (mapping(segmentDuration=10), "segmentDuration: not a whole number"),
    "a long segment": (mapping(segmentDuration=600_001), "segmentDuration: not a whole number"),
    "half a segment": (mapping(segmentDuration=6000.5), "segmentDuration: not a whole number"),
    "true is no number": (mapping(segmentDuration=True), "segmentDuration: not a whole number"),
    "1 is not true": (mapping(cache=1), "cache: not true or false"),
    "a clip that ends first": (mapping(clipFrom=5, clipTo=5), "clipTo: not behind clipFrom"),
    "a negative clip": (mapping(clipFrom=-1), "clipFrom: not a whole number"),
    "event": (mapping(playlistType="event"), "playlistType: only vod"),
    "source type": (clip(sourceType="ftp"), "clips[0].sourceType: neither file nor http"),
    "tracks": (clip(tracks="v1-s1"), "clips[0].tracks: not tracks"),
    "many tracks": (clip(tracks="v65"), "clips[0].tracks: not tracks"),
    "language": (sequence(language="e_"), "sequences[0].language: not a language code"),
    "label": (sequence(label=["x"]), "sequences[0].label: not a text"),
    "a long label": (sequence(label="x" * 257), "sequences[0].label: not a text"),
    "default": (sequence(default="yes"), "sequences[0].default: not true or false"),
    "bit rate": (sequence(bitrate=900000), "sequences[0].bitrate: not an object"),
    "bit rate of text": (sequence(bitrate={"s": 1}), "sequences[0].bitrate.s: not a field"),
    "a negative rate": (sequence(bitrate={"v": -1}), "sequences[0].bitrate.v: not a whole"),
    "one id twice": (
        {"sequences": [{"clips": [SOURCE], "id": "a"}] * 2}, "sequences: two have the same id",
    ),
    "captions alone": ({"sequences": [{"clips": [SOURCE | {"path": "/a.vtt"}]}]}, "captions"),
    "closed captions": (mapping(closedCaptions=[{"id": "CC5", "label": "x"}]), "id: not CC1"),
    "without label": (mapping(closedCaptions=[{"id": "CC1"}]), "closedCaptions[0].label"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD)
def test_refused(value: object, reason: str) -> None:
    with pytest.raises(BadMapping) as refused:
        joined([parsed(value)])
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "data",
    [
        b"{", b"<html>", b"\xff\xfe", b'{"a":NaN}', b"[" * 100_000, b"9" * 5000,
        b'{"sequences":[{"clips":[{"type":"source","path":"/a.mp4"}]}]', b"null,",
    ],
)  # fmt: skip
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(Garbage):
        parse_mapping(data)


def test_a_field_that_stands_twice() -> None:
    with pytest.raises(BadMapping, match="twice"):
        parse_mapping(b'{"cache":true,"cache":false}')


@pytest.mark.parametrize(
    "data", [b"", b" \n", json.dumps(clip(path="")).encode()], ids=["nothing", "space", "path"]
)
def test_an_empty_mapping_is_not_there(data: bytes) -> None:
    with pytest.raises(NotFound):
        parse_mapping(data)


@pytest.mark.parametrize(
    ("data", "prefix", "postfix", "path"),
    [
        (b"/a.mp4\n", "", "", "/a.mp4"),
        (b"path=/a.mp4;", "path=", ";", "/a.mp4"),
        (b"/a.mp4", "path=", ";", None),
        (b"ab", "ab", "b", None),
        (b"\xff", "", "", None),
    ],
)
def test_a_path_alone(data: bytes, prefix: str, postfix: str, path: str | None) -> None:
    found = path_mapping(data, prefix, postfix)
    assert found == (None if path is None else just(Sequence(path=path)))


def test_several_mappings_of_one_url() -> None:
    b = Sequence(path="/b.mp4", language="de")
    text = MediaSet(sequences=(), subtitles=(Subtitles(path="/c.srt"),))
    assert joined([just(A), just(b), text]) == MediaSet(
        sequences=(A, b), subtitles=text.subtitles
    )
    assert not joined([just(A), just(b, cache=False)]).cache
    for other, reason in (
        (MediaSet(sequences=(A, b)), "more than one"),
        (just(b, segment_duration=4000), "segmentDuration: differs"),
        (just(b, clip_to=4000), "clipTo: differs"),
    ):
        with pytest.raises(BadMapping, match=reason):
            joined([just(A), other])
    with pytest.raises(BadMapping, match="captions"):
        joined([text, text])
    same = Sequence(path="/c.mp4", id="x")
    with pytest.raises(BadMapping, match="id"):
        joined([just(same), just(same)])


NAMES = st.sampled_from(
    ["sequences", "clips", "type", "path", "tracks", "language", "bitrate", "v", "durations",
     "closedCaptions", "label", "id", "clipFrom", "clipTo", "segmentDuration", "x"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["source", "/a.mp4", "v1-a1", "eng", "CC1", "vod", "empty"])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
NEAR = st.fixed_dictionaries(
    {"sequences": st.lists(st.dictionaries(NAMES, VALUES, max_size=4) | st.just(
        {"clips": [SOURCE]}), min_size=1, max_size=3)},
    optional={"durations": VALUES, "clipFrom": VALUES, "clipTo": VALUES, "cache": VALUES},
)  # fmt: skip


@given(VALUES | NEAR)
@example({"sequences": [{"clips": [SOURCE], "bitrate": {"v": 10**400}}]})
def test_any_json_maps_or_is_refused(value: object) -> None:
    text = json.dumps(value, allow_nan=True)
    with suppress(BadMapping, Garbage, NotFound):
        assert joined([parse_mapping(text.encode("utf-8", "surrogatepass"))]).sequences


@given(st.binary(max_size=200))
def test_any_bytes_map_or_are_refused(data: bytes) -> None:
    with suppress(BadMapping, Garbage, NotFound):
        parse_mapping(data)
