"""Every grammar of URLs, driven by parts of all of them: what parses renders back to the same,
and whatever does not is refused by the errors that mean it."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from origin.contract.caption_assets import parse_caption_asset
from origin.contract.play_manifest import parse_play_manifest, render_play_manifest
from origin.contract.refusals import Refused
from origin.contract.serve_flavor import (
    parse_serve_flavors,
    parse_serve_sequence,
    render_serve_flavors,
    render_serve_sequence,
)
from origin.errors import BadUrl
from origin.filters.asked import counted, parse_asked, render_asked
from origin.urls import MappedSource, RemoteSource, parse_target, render_target

ID, FLAVOR = "0_abcd1234", "0_ab12cd34"
SOURCES = [
    f"e/{ID}", "local/a.mp4", "local/,a,b/c,.mp4.urlset", "mapped/films/a",
    "mapped/x,a,b,.urlset", "films/a",
    "films/,a,b,.urlset", "remote/x/a.mp4", "remote/,a,b,.mp4.urlset",
    f"p/101/sp/10100/serveFlavor/entryId/{ID}/flavorId/{FLAVOR}/name/a.mp4",
    f"p/101/serveFlavor/entryId/{ID}/v/2/flavorId/,{FLAVOR},{FLAVOR},/name/a.mp4.urlset",
    f"s/p/101/serveFlavor/entryId/{ID}/flavorId/{FLAVOR}/captions/eng,fra/name/a.mp4",
    f"p/101/serveFlavor/entryId/{ID}/sequence/{ID},{ID}/flavorIds/{FLAVOR}/name/a.mp4",
]  # fmt: skip
NUMBERS = ["0", "1", "01", "-1", "1000", "999999", "99999999999999999999", "1.5", "١", "x", ""]
OPTIONS = st.sampled_from(
    ["clipFrom", "clipTo", "tracks", "lang", "captions", "speed", "shift", "sequence", "v",
     "seekFrom", "format", "protocol", "tags", "flavorParamIds", "maxBitrate", "expiry",
     "preferredBitrate", "responseFormat", "callback", "deliveryProfileId", "ks", "filterSet",
     "filter", "storageId", "playbackRate", "cdnHost", "muxedAudioLang", "segmentIndex",
     "segmentDuration", "version", "captionAssetId"]
)  # fmt: skip
VALUES = st.sampled_from(
    [*NUMBERS, "v1-a1", "v0", "a2-v1", "v1-v1", "eng", "ENG", "en-GB", "eng,fra", "eng+fra",
     "all", "applehttp", "mpegdash", "url", "http", "https", "jsonp", "json", "%00", "%2e%2e",
     "..", "%ff", "\\", "\x7f", "é", ";", "video_height:1-2", "1.vtt", "a,b", ",,", ID]
)  # fmt: skip
FILES = st.sampled_from(
    ["master.m3u8", "master-s1.m3u8", "master-leng.m3u8", "index-f1-v1-a1.m3u8", "manifest.mpd",
     "manifest-f1-s1.mpd", "seg-1-f1-v1.ts", "seg-1-f1-v1-x00000000.m4s", "init-f1-v1.mp4",
     "fragment-2-f1-a1.m4s", "seg-1-s1.vtt", "sub-s2.vtt", "index-s1.m3u8", "a.m3u8", ""]
)  # fmt: skip
PREFIXES = st.sampled_from(["hls", "dash", "cmaf", "hls/container/fmp4", "hls/protect/x"])
pairs = st.lists(st.builds("/{}/{}".format, OPTIONS, VALUES), max_size=3).map("".join)
noise = st.text(max_size=4).map(lambda text: quote(text, safe="/,%")) | st.just("")
targets = st.builds(
    "/{}/{}{}{}/{}".format, PREFIXES, st.sampled_from(SOURCES), pairs, noise, FILES
)
queries = st.lists(st.builds("{}={}".format, OPTIONS, VALUES), max_size=3).map("&".join)
texts = st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))


@settings(max_examples=400, deadline=None)
@given(targets | texts)
def test_targets(path: str) -> None:
    try:
        target = parse_target(path)
    except BadUrl:
        return
    assert parse_target(render_target(target)) == target
    source = target.source
    match source:
        case MappedSource():
            names = source.names
        case RemoteSource():
            names = source.files
        case _:
            return
    for name in names:
        assert not {"", ".", ".."} & set(name.split("/"))
        assert "\\" not in name and name.isprintable()


@settings(max_examples=400, deadline=None)
@given(targets | texts, queries | texts)
def test_filters(path: str, query: str) -> None:
    try:
        asked = parse_asked(counted(path, f"?{query}"))
    except BadUrl:
        return
    assert parse_asked(render_asked(asked)) == asked


SERVED = [source for source in SOURCES if source[0] in "ps"]


@settings(max_examples=400, deadline=None)
@given(st.builds("{}{}{}".format, st.sampled_from(SERVED), pairs, noise) | texts)
def test_serve_flavor(text: str) -> None:
    try:
        sequence = parse_serve_sequence(text)
        several = () if sequence else parse_serve_flavors(text)
    except (BadUrl, Refused):
        return
    if sequence:
        assert parse_serve_sequence(render_serve_sequence(sequence)) == sequence
    else:
        distinct = tuple(dict.fromkeys(several))  # as it is written
        assert parse_serve_flavors(render_serve_flavors(several)) == distinct


PLAY = f"/p/101/sp/10100/playManifest/entryId/{ID}"


@settings(max_examples=400, deadline=None)
@given(st.builds(f"{PLAY}{{}}{{}}/a.m3u8".format, pairs, noise) | texts, queries | texts)
@example(PLAY, "")
def test_play_manifest(path: str, query: str) -> None:
    try:
        asked = parse_play_manifest(path, query)
    except (BadUrl, Refused):
        return
    assert parse_play_manifest(render_play_manifest(asked)) == asked


CAPTIONS = "/api_v3/index.php/service/caption_captionasset/action"
captions = st.builds(
    f"{CAPTIONS}/{{}}{{}}{{}}".format,
    st.sampled_from(["serve", "serveWebVTT", "serveByEntryId"]), pairs, noise,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(captions | texts, queries | texts)
def test_caption_assets(path: str, query: str) -> None:
    try:
        asked = parse_caption_asset(path, query)
    except (BadUrl, Refused):
        return
    assert asked.id


GRAMMARS: dict[str, Callable[[str], object]] = {
    f"/hls/e/{ID}/clipFrom/1/master.m3u8": parse_target,
    f"/hls/{SERVED[0]}/tracks/v1-a1/master.m3u8": parse_asked,
    f"{PLAY}/format/applehttp/a.m3u8": parse_play_manifest,
    f"{CAPTIONS}/serve/captionAssetId/{ID}": parse_caption_asset,
}


@pytest.mark.parametrize("path", GRAMMARS)
def test_what_is_driven_parses_at_all(path: str) -> None:
    assert GRAMMARS[path](path)
