"""Files that mean harm: a finding or a refusal in bounded time, and never a traceback."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lint.command import FOUND, UNREACHABLE, run
from lint.examining import findings_of
from lint.fetching import Unreachable
from lint.findings import TEXT
from tests.lint.changes import Files
from tests.lint.conftest import write
from tests.lint.table_mp4 import box

BOUND = 15.0
_JUNK = bytes(range(256)) * 8
_MPD = b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="p" minBufferTime="PT1S"%s</MPD>'
_DTD = b'<!DOCTYPE MPD [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
_DEEP = b"<Period>" * 5000 + b"</Period>" * 5000
_LIVE = (
    b' mediaPresentationDuration="PT%s"><Period><AdaptationSet mimeType="video/mp4">'
    b'<Representation id="1" bandwidth="1"><SegmentTemplate media="$Number$" %s'
    b"</SegmentTemplate></Representation></AdaptationSet></Period>"
)
_SEGMENTS = b"#EXTINF:1,\na.ts\n"

FILES = {
    "empty": (b"", "F-02.address"),
    "junk": (_JUNK, "F-02.address"),
    "html": (b"<html><body>404</body></html>", "F-02.address"),
    "a million segments": (b"#EXTM3U\n" + _SEGMENTS * 1_000_000, "F-02.address"),
    "long lines": (b"#EXTM3U\n#EXT-X-VERSION:" + b"9" * 5_000_000, "P-02.absent"),
    "long attributes": (
        b"#EXTM3U\n#EXT-X-STREAM-INF:A=" + b'"a",' * 1_000_000,
        "P-01.attribute",
    ),
    "variants": (
        b"#EXTM3U\n" + b"#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * 100_000,
        "F-02.address",
    ),
    "not UTF-8": (b"#EXTM3U\n#EXTINF:1,\n\xff\xfe\n", "P-01.utf8"),
    "no address": (b"#EXTM3U\n#EXTINF:1,\nhttp://[\n", "F-01.segment"),
    "a null": (b"#EXTM3U\n#EXTINF:1,\na\0b\n", "F-01.segment"),
    "itself": (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nit\n", "P-01.mixed"),
    "DTD": (_DTD + _MPD % b">&b;", "F-02.address"),
    "deep": (_MPD % (b">" + _DEEP), "F-02.address"),
    "wide": (_MPD % (b">" + b"<a/>" * 300_000), "F-02.address"),
    "much text": (_MPD % (b">" + b"a\n" * 4_000_000), "F-02.address"),
    "UTF-16": (("\ufeff" + (_MPD % b">").decode()).encode("utf-16-le"), "F-02.address"),
    "short segments": (
        _MPD % (_LIVE % (b"9999999H", b'duration="1" timescale="99">')),
        "F-02.playlist",
    ),
    "many repeats": (
        _MPD
        % (_LIVE % (b"1H", b'><SegmentTimeline><S d="1" r="999999999999"/></SegmentTimeline>')),
        "F-02.playlist",
    ),
    "numbers": (_MPD % (_LIVE % (b"1H", b'timescale="1e9">')), "F-02.playlist"),
    "a large box": (b"\xff\xff\xff\xffftyp" + _JUNK, "F-02.address"),
    "small boxes": (box(b"ftyp", b"") + b"\0\0\0\0moov", "F-02.address"),
    "many boxes": (box(b"free", b"") * 200_000, "F-02.address"),
    "boxes in boxes": (box(b"moov", box(b"trak", box(b"mdia", b"\0\0\0\7"))), "F-02.address"),
    "no stream": (b"\x47" * 188_000, "F-02.segment"),
    "a packet": (b"\x47\x40\0\x10".ljust(188, b"\xff"), "F-02.segment"),
    "packed": (b"ID3", "T-08.packed"),
    "text": (b"WEBVTT\n", ""),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, check = FILES[name]
    path = tmp_path / "it"
    path.write_bytes(data)
    begin = time.monotonic()
    status = run(str(path), as_json=True, most=3, headers=(), timeout=5)
    assert time.monotonic() - begin < BOUND
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert check in {f["check"] for f in findings} | ({""} if not findings else set())
    assert not check or status == FOUND or check.startswith("P-01")
    assert all(len(f["found"]) <= TEXT and len(f["place"]) <= TEXT for f in findings)


@pytest.mark.parametrize(
    "target", ["absent", "a\0b", "http://[", "http://", "ftp://a/b", "/dev/zero"]
)
def test_nothing_to_read(target: str) -> None:
    assert run(target, as_json=False, most=3, headers=(), timeout=5) == UNREACHABLE


@pytest.mark.parametrize("form", ["ts", "fmp4", "dash"])
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    which=st.integers(0, 99),
    changes=st.lists(
        st.tuples(st.integers(0, 1999), st.sampled_from([0, 1, 0x20, 0x22, 0x39, 0x7F, 0xFF])),
        min_size=1,
        max_size=4,
    ),
    kept=st.none() | st.floats(0, 1),
)
def test_octets_that_changed(
    form: str,
    presentations: dict[str, Files],
    tmp_path: Path,
    which: int,
    changes: list[tuple[int, int]],
    kept: float | None,
) -> None:
    """Whatever is changed or cut in any file: findings, and nothing else."""
    files = dict(presentations[form])
    name = sorted(files)[which % len(files)]
    body = bytearray(files[name])
    for at, octet in changes:
        body[at % len(body)] = octet
    if kept is not None:
        del body[int(kept * len(body)) :]
    files[name] = bytes(body)
    try:
        findings_of(str(write(files, tmp_path)), most=2)
    except Unreachable:
        assert not body


def test_a_resolution_that_is_none(presentations: dict[str, Files], tmp_path: Path) -> None:
    files = dict(presentations["ts"])
    master = files["master.m3u8"]
    assert b"RESOLUTION=" in master
    files["master.m3u8"] = master.replace(b"RESOLUTION=", b"RESOLUTION=\xff")
    assert "P-08.resolution" in {
        one.check for one in findings_of(str(write(files, tmp_path)), most=2)
    }
