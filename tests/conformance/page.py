"""``python -m tests.conformance.page`` writes docs/conformance.md anew from what is served.

It takes the files of the folder that HEADRACE_TEST_MEDIA names; rows of files that are not
there stay as they are.
"""

import os
import re
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from tests.conformance.files import FOLDER, media_names
from tests.conformance.laboratory import Laboratory, laboratory
from tests.conformance.presented import NotPresented, Way, adaptations, present, representations

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
INTRODUCTION = Path(__file__).with_name("introduction.md")
HEAD = (
    "| file | container | tracks | HLS | HLS fMP4 | DASH | CMAF |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)
_ROW = re.compile(r"^\| `([^`]+)` \|.*$", re.MULTILINE)


def row_of(lab: Laboratory, name: str) -> str:
    """What happens to a file, in one line."""
    taken = lab.take(name)
    container = container_of(lab.path(name))
    if not taken.entry:
        return _row(name, container, f"refused: {_plain(taken.said[0])}", *["–"] * len(Way))
    cells = {way: cell(lab, name, way) for way in Way}
    tracks = [*tracks_of(lab, name), *map(_plain, taken.said)]
    return _row(name, container, "; ".join(tracks), *cells.values())


def cell(lab: Laboratory, name: str, way: Way) -> str:
    """The lists of a protocol by container, and what it leaves out."""
    try:
        found = present(lab, name, way)
    except NotPresented as refused:
        return f"refused: {_plain(refused.reason)}"
    lists: dict[str, list[str]] = {}
    for one in found.renditions:
        tracks = lists.setdefault(one.container, [])
        if one.tracks not in tracks:
            tracks.append(one.tracks)
    missing: list[str] = []
    answer = lab.ask(found.folder + found.renditions[0].media[0])
    if answer.status != 200:
        missing.append(_plain(answer.headers["x-headrace-error"]))
    return "; ".join([*(f"{one} {', '.join(its)}" for one, its in lists.items()), *missing])


def tracks_of(lab: Laboratory, name: str) -> list[str]:
    """As the MPD has them, which leaves nothing out."""
    try:
        (text,) = present(lab, name, Way.DASH).mpds.values()
    except NotPresented:
        return []
    lasting = {one.name: one.starts[-1] - one.starts[0] for one in representations(text)}
    return [
        f"{one.attrib['id'].removeprefix('f1-')} {_described(adaptation, one)} "
        f"{float(lasting[one.attrib['id']]):.3f} s"
        for adaptation, one, _ in adaptations(text)
    ]


def _described(adaptation: ET.Element, one: ET.Element) -> str:
    said = {**adaptation.attrib, **one.attrib}
    words = [f"`{said['codecs']}`"]
    if "width" in said:
        words.append(f"{said['width']}×{said['height']}")
    if "frameRate" in said:
        words.append(f"{float(Fraction(said['frameRate'])):.5g}/s")
    if "audioSamplingRate" in said:
        words.append(f"{said['audioSamplingRate']} Hz")
    if "lang" in said:
        words.append(said["lang"])
    return " ".join(words)


def container_of(path: Path) -> str:
    """By the first bytes and the boxes of the file, read without our parsers."""
    with path.open("rb") as file:
        head = file.read(8)
        if head[:4] == b"\x1aE\xdf\xa3":
            return "Matroska"
        if head[:1] == b"G":
            return "MPEG-TS"
        boxes: list[bytes] = []
        at, size = 0, path.stat().st_size
        while at + 8 <= size and len(boxes) < 64:
            file.seek(at)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:], "big")
            boxes.append(header[4:8])
            if length < 8:
                break
            at += length
    if b"moof" in boxes:
        return "fragmented MP4" if b"moov" in boxes else "segment"
    return "MP4" if b"moov" in boxes else "–"


def _plain(text: str) -> str:
    """As a cell of a table has it."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def _row(name: str, *cells: str) -> str:
    return f"| `{name}` | {' | '.join(cells)} |"


def rows_in(page: str) -> dict[str, str]:
    return {hit[1]: hit[0] for hit in _ROW.finditer(page)}


def page(rows: Iterable[str]) -> str:
    return INTRODUCTION.read_text() + "\n" + HEAD + "".join(f"{row}\n" for row in rows)


def main() -> None:
    known = rows_in(PAGE.read_text()) if PAGE.exists() else {}
    media = Path(os.environ[FOLDER])
    with tempfile.TemporaryDirectory() as folder, laboratory(media, Path(folder)) as lab:
        known |= {name: row_of(lab, name) for name in media_names()}
    PAGE.write_text(page(known[name] for name in sorted(known)))


if __name__ == "__main__":
    main()
