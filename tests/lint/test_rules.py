"""Every check: a good presentation with one fault, and the finding that names it."""

import re
from pathlib import Path

import pytest

from lint.examining import findings_of
from lint.rules import CHECKS
from tests.lint import table_dash, table_hls, table_mp4, table_ts
from tests.lint.changes import Files, Row, of, text
from tests.lint.conftest import FORMS, write

ROWS = (*table_hls.ROWS, *table_mp4.ROWS, *table_ts.ROWS, *table_dash.ROWS)

ELSEWHERE = {
    **dict.fromkeys(
        ("P-01.type", "P-01.gzip", "P-18.cache", "P-18.validator", "P-18.weak", "P-18.type"),
        "of HTTP: test_servers.py",
    ),
    "I-12.stable": "of HTTP: test_servers.py",
    "S-09.open": "of HEVC: test_open_group.py",
}
"""Checks without a row here, and why."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.check}-{row.form}")
def test_a_fault_is_found(row: Row, presentations: dict[str, Files], tmp_path: Path) -> None:
    files = dict(presentations[row.form])
    row.change(files)
    findings = findings_of(str(write(files, tmp_path)), most=3)
    places = [f"{f.address} {f.place}" for f in findings if f.check == row.check]
    assert places, sorted({f"{f.check}: {f.text}" for f in findings})
    assert any(row.place in place for place in places), places


@pytest.mark.parametrize("form", FORMS)
def test_what_we_make_is_clean(
    form: str, presentations: dict[str, Files], tmp_path: Path
) -> None:
    manifest = write(presentations[form], tmp_path)
    others = [manifest.with_name(name) for name in FORMS[form][1]]
    for name in {manifest, *others}:
        found = [(f.check, f.place, f.text) for f in findings_of(str(name))]
        assert [one for one in found if one[0] != "D-08.audio"] == []


def test_a_picture_is_turned_as_it_is_shown(
    presentations: dict[str, Files], tmp_path: Path
) -> None:
    """Its RESOLUTION is that of the screen (P-08.size): width and height change places."""
    files = dict(presentations["fmp4"])
    of(table_mp4.INIT, table_mp4.turned())(files)
    text(table_hls.MASTER, "RESOLUTION=96x54", "RESOLUTION=54x96")(files)
    found = {one.check for one in findings_of(str(write(files, tmp_path)))}
    assert found == {"I-05.matrix"}


_IMAGES = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-IMAGES-ONLY
#EXTINF:6.000000,
#EXT-X-TILES:RESOLUTION=96x54,LAYOUT=5x5,DURATION=1.0
sheet-1.jpg
#EXT-X-ENDLIST
"""
_OF_IMAGES = (
    '#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9000,RESOLUTION=96x54,CODECS="jpeg",URI="images.m3u8"'
)


@pytest.mark.parametrize("start", ["images.m3u8", "master.m3u8"])
@pytest.mark.parametrize(
    ("picture", "wanted"), [(b"\xff\xd8\xff\xdb", []), (b"\x89PNG", ["F-02.segment"])]
)
def test_a_list_of_images_has_pictures(
    start: str,
    picture: bytes,
    wanted: list[str],
    presentations: dict[str, Files],
    tmp_path: Path,
) -> None:
    files = dict(presentations["fmp4"])
    files["images.m3u8"], files["sheet-1.jpg"] = _IMAGES.encode(), picture
    files["master.m3u8"] += f"{_OF_IMAGES}\n".encode()
    write(files, tmp_path)
    found = findings_of(str(tmp_path / start))
    assert [one.check for one in found] == wanted


def test_an_index_is_clean(presentations: dict[str, Files], tmp_path: Path) -> None:
    files = dict(presentations["fmp4"])
    of(table_mp4.SEGMENT, table_mp4.sidx())(files)
    assert findings_of(str(write(files, tmp_path))) == []


def test_a_folder_is_its_manifests(presentations: dict[str, Files], tmp_path: Path) -> None:
    write(presentations["cmaf"], tmp_path)
    (tmp_path / "master.m3u8").write_bytes(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n")
    assert {f.check for f in findings_of(str(tmp_path))} == {
        "P-08.uri",
        "P-12.absent",
        "D-08.audio",
    }


def test_a_folder_without_manifests_is_one_rendition(
    presentations: dict[str, Files], tmp_path: Path
) -> None:
    files = {n: d for n, d in presentations["fmp4"].items() if "f1-v1-x" in n}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert findings_of(str(tmp_path)) == []


def test_every_check_has_its_fault() -> None:
    assert {row.check for row in ROWS} | set(ELSEWHERE) == set(CHECKS)


def test_every_check_is_of_a_rule_and_says_what_to_do() -> None:
    for check in CHECKS.values():
        assert re.fullmatch(r"[ISTPDCF]-\d\d\.[a-z0-9_]+", check.id)
        assert check.text and (check.remedy or check.rule == "F-02"), check.id
