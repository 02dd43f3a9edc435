"""``--captions`` of ingest, and captions of imported rows."""

import json
import sqlite3
from pathlib import Path

import pytest

from metadata.enums import CaptionPurpose
from origin.ingest.captions import BadCaptions, parse_option
from tests.origin.inside import take
from tests.support.processes import headrace

VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"


def rows(data: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(data / "headrace.db") as database:
        found = database.execute(
            "SELECT language, label, format, version FROM caption_asset ORDER BY language"
        ).fetchall()
    database.close()
    return found


NAMED = {
    "film.vtt": ("film.vtt", "und", None),
    "film.vtt:eng": ("film.vtt", "eng", None),
    "film.vtt:en-GB:The film: all": ("film.vtt", "en-GB", "The film: all"),
    "film.vtt::Unsaid": ("film.vtt", "und", "Unsaid"),
    "film.eng.srt": ("film.eng.srt", "eng", None),
    "film.x264.srt": ("film.x264.srt", "und", None),
    "a:b.vtt:fr": ("a:b.vtt", "fr", None),
}


@pytest.mark.parametrize(("text", "expected"), NAMED.items(), ids=NAMED)
def test_the_option(text: str, expected: tuple[str, str, str | None], tmp_path: Path) -> None:
    for name, _, _ in NAMED.values():
        (tmp_path / name).write_text(VTT)
    found = parse_option(f"{tmp_path}/{text}")
    assert (found.path.name, found.language, found.label) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.eng.SDH.srt", ("eng", CaptionPurpose.CAPTIONS)),
        ("film.pt-BR.cc.vtt", ("pt-BR", CaptionPurpose.CAPTIONS)),
        ("film.forced.vtt", ("und", CaptionPurpose.FORCED)),
    ],
)
def test_a_name_tells_what_they_are_for(
    name: str, expected: tuple[str, CaptionPurpose], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(VTT)
    found = parse_option(f"{tmp_path}/{name}")
    assert (found.language, found.purpose) == expected


@pytest.mark.parametrize("text", ["none.vtt", "none.vtt:eng", "film.vtt:a language"])
def test_options_that_cannot_be(text: str, tmp_path: Path) -> None:
    (tmp_path / "film.vtt").write_text(VTT)
    with pytest.raises(BadCaptions):
        parse_option(f"{tmp_path}/{text}")


def test_again_only_what_changed_is_another_version(files: list[Path], tmp_path: Path) -> None:
    data, film = tmp_path / "data", tmp_path / "film.vtt"
    film.write_text(VTT)
    [taken] = take(data, files[0], captions=(f"{film}:eng",))
    take(data, files[0], captions=(f"{film}:eng",))
    assert rows(data) == [("eng", None, 3, 1)]
    take(data, entry=taken["entry"], captions=(f"{film}:eng:English",))
    assert rows(data) == [("eng", "English", 3, 2)]
    film.write_text(VTT.replace("Hi", "Ho"))
    take(data, entry=taken["entry"], captions=(f"{film}:eng:English",))
    assert rows(data) == [("eng", "English", 3, 3)]


def test_a_broken_file_stores_nothing(files: list[Path], tmp_path: Path) -> None:
    film = tmp_path / "film.vtt"
    film.write_text(VTT.replace("00:01.000", "00:01"))
    done = headrace("ingest", files[0], "--data", tmp_path / "data", "--captions", film)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("line 3: the times of a cue cannot be read")
    assert headrace("entries", "--data", tmp_path / "data").stdout == ""


@pytest.mark.parametrize("options", [(), ("--entry", "0_zzzz1234")])
def test_captions_alone_need_an_entry(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "film.vtt").write_text(VTT)
    captions = ("--captions", tmp_path / "film.vtt")
    assert headrace("ingest", "--data", tmp_path / "data", *captions, *options).returncode == 2


def test_imported_rows(tmp_path: Path) -> None:
    def entry(id_: str, caption: str, **fields: object) -> str:
        told = {"id": caption, "path": "/srv/a.vtt", "format": 3, "language": "eng", **fields}
        return json.dumps({"id": id_, "captions": [told]})

    def imported(*lines: str) -> str:
        file = tmp_path / "rows.jsonl"
        file.write_text("\n".join(lines))
        return headrace("import", file, "--data", tmp_path / "data").stderr

    said = imported(
        entry("0_abcd1234", "0_capt0001"),
        entry("0_efgh1234", "0_capt0001"),
        entry("0_efgh1234", "0_capt0002", format=9),
        entry("0_abcd1234", "0_capt0001", label="English"),
    )
    assert "line 2: captions 0_capt0001 belong to entry 0_abcd1234" in said
    assert "line 3: Invalid enum value 9" in said
    assert rows(tmp_path / "data") == [("eng", "English", 3, 1)]
    assert imported(entry("0_abcd1234", "0_capt0001", path="/srv/b.vtt")) == ""
    assert rows(tmp_path / "data") == [("eng", "English", 3, 2)]
    assert imported(entry("0_abcd1234", "0_capt0001", path="/srv/b.vtt", label="E")) == ""
    assert rows(tmp_path / "data") == [("eng", "E", 3, 2)]
