"""The URL grammar: a table read in both directions, and everything that is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import BadUrl
from origin.urls import (
    EntrySource,
    File,
    FileKind,
    LocalSource,
    MappedSource,
    Protocol,
    RemoteSource,
    Target,
    media_folder,
    parse_selectors,
    parse_target,
    render_target,
    selectors,
)
from packager.recipe import Choice

ENTRY = EntrySource("0_abcd1234")
HLS, DASH, CMAF = Protocol.HLS, Protocol.DASH, Protocol.CMAF


def segment(number: int, choice: Choice, token: str | None = None) -> File:
    return File(FileKind.SEGMENT, choice, number, token)


def init(choice: Choice, token: str | None = None) -> File:
    return File(FileKind.INIT, choice, token=token)


MASTER, MANIFEST = File(FileKind.MASTER), File(FileKind.MANIFEST)
CANONICAL = {
    "/hls/e/0_abcd1234/master.m3u8": Target(HLS, False, ENTRY, MASTER),
    "/hls/e/0_abcd1234/index-f2-v1-a1.m3u8": Target(
        HLS, False, ENTRY, File(FileKind.INDEX, Choice(2, 1, 1))
    ),
    "/hls/e/0_abcd1234/index-f1-a2.m3u8": Target(
        HLS, False, ENTRY, File(FileKind.INDEX, Choice(1, audio=2))
    ),
    "/hls/e/0_abcd1234/seg-3-f1-v1-a1-x9f2c41aa.ts": Target(
        HLS, False, ENTRY, segment(3, Choice(1, 1, 1), "9f2c41aa")
    ),
    "/hls/e/0_abcd1234/index-s2.m3u8": Target(HLS, False, ENTRY, File(FileKind.INDEX, text=2)),
    "/hls/e/0_abcd1234/seg-3-s2-x9f2c41aa0b1c2d3e.vtt": Target(
        HLS,
        False,
        ENTRY,
        File(FileKind.SEGMENT, None, 3, "9f2c41aa", text=2, mark="0b1c2d3e"),
    ),
    "/cmaf/e/0_abcd1234/seg-3-s2.vtt": Target(
        CMAF, True, ENTRY, File(FileKind.SEGMENT, None, 3, text=2)
    ),
    "/dash/e/0_abcd1234/sub-s1-x9f2c41aa0b1c2d3e.vtt": Target(
        DASH,
        True,
        ENTRY,
        File(FileKind.SUBTITLES, None, token="9f2c41aa", text=1, mark="0b1c2d3e"),
    ),
    "/hls/e/0_abcd1234/seg-999999999-f999.ts": Target(
        HLS, False, ENTRY, segment(999999999, Choice(999))
    ),
    # digits alone are a token like any other
    "/hls/e/0_abcd1234/seg-1-f1-v1-x00000000.ts": Target(
        HLS, False, ENTRY, segment(1, Choice(1, 1), "00000000")
    ),
    "/hls/e/0_abcd1234/seg-1-f1-v1-x12345678.ts": Target(
        HLS, False, ENTRY, segment(1, Choice(1, 1), "12345678")
    ),
    "/hls/container/fmp4/e/0_abcd1234/master.m3u8": Target(HLS, True, ENTRY, MASTER),
    "/hls/e/0_abcd1234/seg-1-f1-v1.m4s": Target(
        HLS, False, ENTRY, File(FileKind.SEGMENT, Choice(1, 1), 1, fmp4=True)
    ),
    "/hls/e/0_abcd1234/init-f1-v1.mp4": Target(
        HLS, False, ENTRY, File(FileKind.INIT, Choice(1, 1), fmp4=True)
    ),
    "/hls/container/fmp4/e/0_abcd1234/init-f1-v1-x9f2c41aa.mp4": Target(
        HLS, True, ENTRY, init(Choice(1, 1), "9f2c41aa")
    ),
    "/hls/container/fmp4/e/0_abcd1234/seg-1-f1-v1.m4s": Target(
        HLS, True, ENTRY, segment(1, Choice(1, 1))
    ),
    "/dash/e/0_abcd1234/manifest.mpd": Target(DASH, True, ENTRY, MANIFEST),
    "/dash/e/0_abcd1234/init-f1-a1.mp4": Target(DASH, True, ENTRY, init(Choice(1, audio=1))),
    "/dash/e/0_abcd1234/fragment-12-f3-v1-xdeadbeef.m4s": Target(
        DASH, True, ENTRY, segment(12, Choice(3, 1), "deadbeef")
    ),
    "/cmaf/e/0_abcd1234/master.m3u8": Target(CMAF, True, ENTRY, MASTER),
    "/cmaf/e/0_abcd1234/manifest.mpd": Target(CMAF, True, ENTRY, MANIFEST),
    "/cmaf/e/0_abcd1234/seg-12-f3-v1-xdeadbeef.m4s": Target(
        CMAF, True, ENTRY, segment(12, Choice(3, 1), "deadbeef")
    ),
    "/hls/local/a.mp4/master.m3u8": Target(
        HLS, False, LocalSource(("a.mp4",), "a.mp4"), MASTER
    ),
    "/hls/local/films/%C3%A9%20x.mp4/master.m3u8": Target(
        HLS, False, LocalSource(("films/é x.mp4",), "films/é x.mp4"), MASTER
    ),
    # only what is decoded once is a name: this one holds a percent sign
    "/hls/local/%252e%252e/a.mp4/master.m3u8": Target(
        HLS, False, LocalSource(("%2e%2e/a.mp4",), "%2e%2e/a.mp4"), MASTER
    ),
    "/cmaf/local/f_,a,b,.mp4.urlset/manifest.mpd": Target(
        CMAF, True, LocalSource(("f_a.mp4", "f_b.mp4"), "f_,a,b,.mp4.urlset"), MANIFEST
    ),
    "/hls/local/x/,a/1,b/2,.mp4.urlset/master.m3u8": Target(
        HLS, False, LocalSource(("x/a/1.mp4", "x/b/2.mp4"), "x/,a/1,b/2,.mp4.urlset"), MASTER
    ),
    "/hls/mapped/films/a/master.m3u8": Target(
        HLS, False, MappedSource(("films/a",), "films/a"), MASTER
    ),
    "/dash/mapped/f_,a,b,.urlset/manifest.mpd": Target(
        DASH, True, MappedSource(("f_a", "f_b"), "f_,a,b,.urlset"), MANIFEST
    ),
    "/cmaf/mapped/p/101/e/a.mp4/master.m3u8": Target(
        CMAF, True, MappedSource(("p/101/e/a.mp4",), "p/101/e/a.mp4"), MASTER
    ),
    "/hls/films/a/master.m3u8": Target(
        HLS, False, MappedSource(("films/a",), "films/a", bare=True), MASTER
    ),
    "/hls/films/f_,a,b,.urlset/master.m3u8": Target(
        HLS,
        False,
        MappedSource(("films/f_a", "films/f_b"), "films/f_,a,b,.urlset", bare=True),
        MASTER,
    ),
    "/hls/remote/x/a.mp4/master.m3u8": Target(
        HLS, False, RemoteSource(("x/a.mp4",), "x/a.mp4"), MASTER
    ),
    # ours are no words of the grammar where a name stands
    "/hls/local/tracks/a.mp4/master.m3u8": Target(
        HLS, False, LocalSource(("tracks/a.mp4",), "tracks/a.mp4"), MASTER
    ),
}


@pytest.mark.parametrize(("url", "target"), CANONICAL.items(), ids=CANONICAL)
def test_a_url_and_its_target(url: str, target: Target) -> None:
    assert parse_target(url) == target
    assert render_target(target) == url


LENIENT = {  # what is taken although nobody writes it: without -f it is the first flavor
    "/hls/e/0_abcd1234/index.m3u8": "/hls/e/0_abcd1234/index-f1.m3u8",
    "/hls/e/0_abcd1234/seg-1.ts": "/hls/e/0_abcd1234/seg-1-f1.ts",
    "/hls/e/0_abcd1234/seg-1-v1.ts": "/hls/e/0_abcd1234/seg-1-f1-v1.ts",
    "/%68ls/e/0_abcd1234/master.m3u8": "/hls/e/0_abcd1234/master.m3u8",
}


@pytest.mark.parametrize(("url", "canonical"), LENIENT.items(), ids=LENIENT)
def test_another_spelling(url: str, canonical: str) -> None:
    assert render_target(parse_target(url)) == canonical


E = "/hls/e/0_abcd1234"
REFUSED = {
    # selectors
    f"{E}/seg-1-f1-b1.ts": "-b is not known",
    f"{E}/seg-1-f1-w1.ts": "-w is not known",
    f"{E}/seg-1-f1-f1.ts": "-f is doubled or out of order",
    f"{E}/seg-1-v1-v2.ts": "-v is doubled or out of order",
    f"{E}/seg-1-a1-v1.ts": "-v is doubled or out of order",
    f"{E}/seg-1-v1-f1.ts": "-f is doubled or out of order",
    f"{E}/seg-1-f01.ts": "-f01: not a whole number",
    f"{E}/seg-1-f.ts": "-f: not a whole number",
    f"{E}/index-l1.m3u8": "-l is not known",
    f"{E}/seg-1-f1 .ts": "no such file",
    f"{E}/seg-1-s1-x9f2c41aa.vtt": "no such file",
    f"{E}/seg-1-f1-s1.vtt": "no such file",
    f"{E}/index-s.m3u8": "-s is not known",
    f"{E}/index-f1-s1.m3u8": "-s is not known",
    f"{E}/sub-s1.vtt": "no such file under /hls",
    f"{E}/seg-1-f\u0661.ts": "no such file",  # a digit, but of another script
    # numbers, tokens
    f"{E}/seg-01-f1.ts": "no such file",
    f"{E}/seg--1-f1.ts": "no such file",
    f"{E}/seg-99999999999999999999-f1.ts": "no such file",
    f"{E}/seg-f1.ts": "no such file",
    f"{E}/seg-1-f1-x9f2c41a.ts": "no such file",
    f"{E}/seg-1-f1-x9f2c41aaa.ts": "no such file",
    f"{E}/seg-1-f1-x9F2C41AA.ts": "no such file",
    f"{E}/seg-1-x9f2c41aa-f1.ts": "no such file",
    f"{E}/seg-1-f1-x9f2c41aa-x9f2c41aa.ts": "no such file",
    f"{E}/index-f1-x9f2c41aa.m3u8": "no such file",
    f"{E}/master-f1.m3u8": "no such file",
    # names and containers
    f"{E}/seg-1-f1.ts.ts": "no such file",
    f"{E}/seg-1-f1.ts\n": "not printable",
    f"{E}/manifest.mpd": "no such file under /hls",
    f"{E}/fragment-1-f1.m4s": "no such file under /hls",
    f"{E}/": "is empty",
    "/dash/e/0_abcd1234/master.m3u8": "no such file under /dash",
    "/dash/e/0_abcd1234/seg-1-f1.m4s": "no such file under /dash",
    "/cmaf/e/0_abcd1234/fragment-1-f1.m4s": "no such file under /cmaf",
    "/cmaf/e/0_abcd1234/seg-1-f1.ts": "not the container",
    "/cmaf/container/fmp4/e/0_abcd1234/master.m3u8": "only container, under /hls",
    "/hls/container/ts/e/0_abcd1234/master.m3u8": "only container",
    "/hls/container/fmp4/master.m3u8": "no source",
    "/hls/container/master.m3u8": "only container",
    # sources
    "/hls/e/master.m3u8": "no entry id",
    "/hls/e/abcd/master.m3u8": "not of Kaltura's form",
    "/hls/e/0_ABCD1234/master.m3u8": "not of Kaltura's form",
    "/hls/mapped/master.m3u8": "no source",
    "/hls/remote/master.m3u8": "no source",
    "/hls/mapped/clipFrom/5/a/master.m3u8": "left over: clipFrom",
    "/hls/films/tracks/v1/a.mp4/master.m3u8": "left over: tracks",
    "/hls/mapped/a/../b/master.m3u8": "empty, dots or not printable",
    "/hls/mapped/%2e%2e/b/master.m3u8": "empty, dots or not printable",
    "/hls/a%00b/master.m3u8": "empty, dots or not printable",
    "/hls/mapped/a/,..,b,.urlset/master.m3u8": ".urlset",
    "/hls/local/master.m3u8": "no source",
    "/hls/master.m3u8": "starts with /hls",
    "/smooth/e/0_abcd1234/master.m3u8": "starts with /hls",
    "/HLS/e/0_abcd1234/master.m3u8": "starts with /hls",
    "/": "empty",
    "": "does not start with /",
    "hls/e/0_abcd1234/master.m3u8": "does not start with /",
    "/hls/e/0_abcd1234/more/master.m3u8": "left over: more",
    # parts that are not built yet
    **{
        f"/hls/e/0_abcd1234/{name}/1/master.m3u8": f"{name} is not supported yet"
        for name in ("speed", "shift")
    },
    "/hls/e/0_abcd1234/clipFrom/1000/clipTo/1000/master.m3u8": "not after clipFrom",
    "/hls/e/0_abcd1234/clipFrom/2/clipTo/1/master.m3u8": "not after clipFrom",
    "/hls/e/0_abcd1234/clipTo/0/master.m3u8": "not after clipFrom",
    "/hls/e/0_abcd1234/clipFrom/1/clipFrom/1/master.m3u8": "clipFrom is doubled",
    "/hls/e/0_abcd1234/clipFrom/-1/master.m3u8": "clipFrom: not a whole number",
    "/hls/e/0_abcd1234/clipFrom/01/master.m3u8": "clipFrom: not a whole number",
    "/hls/e/0_abcd1234/clipFrom/1e3/master.m3u8": "clipFrom: not a whole number",
    "/hls/e/0_abcd1234/clipTo/99999999999999/master.m3u8": "clipTo: not a whole number",
    "/hls/e/0_abcd1234/clipTo/master.m3u8": "left over: clipTo",
    "/hls/clipTo/5/e/0_abcd1234/master.m3u8": "no source",
    "/hls/protect/aes-128/e/0_abcd1234/master.m3u8": "protect is not supported yet",
    # sets
    "/hls/local/a.mp4.urlset/master.m3u8": "less than two commas",
    "/hls/local/a,.mp4.urlset/master.m3u8": "less than two commas",
    f"/hls/local/a{',x' * 33},.mp4.urlset/master.m3u8": "33 parts are more than 32",
    "/hls/local/a/,.,b,/c.mp4.urlset/master.m3u8": "dotted path segment",
    "/hls/local/a/,.,b,./c.mp4.urlset/master.m3u8": "dotted path segment",
    "/hls/local/.,./,a,.mp4.urlset/master.m3u8": "dotted path segment",
    "/hls/local/,a,,.urlset/master.m3u8": "empty or dotted",
    # ways out of the root
    "/hls/local/../a.mp4/master.m3u8": "dots",
    "/hls/local/a/../../b.mp4/master.m3u8": "dots",
    "/hls/local/%2e%2e/a.mp4/master.m3u8": "dots",
    "/hls/local/%2E./a.mp4/master.m3u8": "dots",
    "/hls/local/..%2fa.mp4/master.m3u8": "dots",
    "/hls/local/..%5ca.mp4/master.m3u8": "dots",
    "/hls/local/..\\a.mp4/master.m3u8": "dots",
    "/hls/local/./a.mp4/master.m3u8": "dots",
    "/hls/local//etc/passwd/master.m3u8": "empty",
    "/hls/local/%2fetc%2fpasswd/master.m3u8": "empty",
    "/hls/local/a%00.mp4/master.m3u8": "not printable",
    "/hls/local/a\x00.mp4/master.m3u8": "not printable",
    "/hls/local/a%0d%0aX-A:b.mp4/master.m3u8": "not printable",
    "/hls/local/%c0%ae%c0%ae/a.mp4/master.m3u8": "not UTF-8",
    "/hls/local/%ed%a0%80.mp4/master.m3u8": "not UTF-8",
    "/hls/local/" + "a" * 4096 + "/master.m3u8": "longer than 4096",
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_refused(url: str, reason: str) -> None:
    with pytest.raises(BadUrl) as refused:
        parse_target(url)
    assert reason in str(refused.value)


words = st.sampled_from(
    ["hls", "dash", "cmaf", "container", "fmp4", "e", "0_abcd1234", "local", "a.mp4", "..",
     "%2e%2e", "%252e", "%00", "\\", "", "x,a,b,c.urlset", "master.m3u8", "manifest.mpd",
     "index-f1.m3u8", "clipFrom", "clipTo", "1000", "é", "%ff", "protect"]
)  # fmt: skip
names = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["seg-1", "seg-12", "fragment-3", "index", "init", "seg-0"]),
    st.sampled_from(["", "-f1", "-f01", "-f999", "-f1000", "-v1"]),
    st.sampled_from(["", "-v1", "-a2", "-f2", "-q1"]),
    st.sampled_from(["", "-x00000000", "-xabcdef01", "-xABCDEF01"]),
    st.sampled_from([".ts", ".m4s", ".mp4", ".m3u8"]),
)
paths = st.builds("/{}/{}".format, st.lists(words, max_size=5).map("/".join), names | words)


@given(paths | st.text(max_size=60).map(lambda text: f"/hls/local/{text}"))
def test_a_path_parses_to_what_renders_back_or_is_refused(path: str) -> None:
    try:
        target = parse_target(path)
    except BadUrl:
        return
    assert parse_target(render_target(target)) == target
    source = target.source
    for file in source.files if isinstance(source, LocalSource) else ():
        parts = file.split("/")
        assert not {"", ".", ".."} & set(parts) and "\0" not in file and "\\" not in file


numbers = st.none() | st.integers(1, 999)


@given(st.builds(Choice, st.integers(1, 999), numbers, numbers))
def test_selectors_round_trip(choice: Choice) -> None:
    assert parse_selectors(selectors(choice)) == choice


FOLDERS = {
    "/hls/e/0_abcd1234/index-f1.m3u8": "",
    "/hls/e/0_abcd1234/clipFrom/5/clipTo/9/index-f1.m3u8": "../../../../",
    "/hls/e/0_abcd1234/tracks/v1/clipFrom/5/index-f1.m3u8": "../../",
    "/hls/local/clipFrom/12/a.mp4/index-f1.m3u8": "",
    "/hls/local/clipFrom/12/a.mp4/clipTo/9/index-f1.m3u8": "../../",
}


@pytest.mark.parametrize(("path", "folder"), FOLDERS.items(), ids=FOLDERS)
def test_media_of_a_clip_is_that_of_the_whole(path: str, folder: str) -> None:
    """... and a folder may be called what it likes."""
    assert media_folder(parse_target(path)) == folder
