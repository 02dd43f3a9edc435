"""Presentations of our own packager, as files."""

from pathlib import Path

import pytest

from origin.config import OriginConfig
from tests.lint.changes import Files
from tests.origin.inside import Origin, names_in, running, take
from tests.support.clips import make_clip

FORMS = {
    "ts": ("hls/e", ("master.m3u8",)),
    "fmp4": ("hls/container/fmp4/e", ("master.m3u8",)),
    "cmaf": ("cmaf/e", ("master.m3u8", "manifest.mpd")),
}


@pytest.fixture(scope="session")
def presentations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """Two flavors of 18 s, three segments each: files by name, by form."""
    folder = tmp_path_factory.mktemp("lint")
    for name, width, height in (("a", 96, 54), ("b", 128, 72)):
        make_clip(folder / f"{name}.mp4", width=width, height=height, seconds=18)
    entry = take(folder / "data", *sorted(folder.glob("*.mp4")))[0]["entry"]
    with running(OriginConfig(data=folder / "data", local_root=folder)) as origin:
        found = {form: _form(origin, entry, form) for form in ("ts", "fmp4", "cmaf")}
    found["dash"] = {n: data for n, data in found["cmaf"].items() if not n.endswith(".m3u8")}
    return found


def _manifests(origin: Origin, entry: str, form: str) -> Files:
    folder, manifests = FORMS[form]
    return {name: origin.get(f"/{folder}/{entry}/{name}") for name in manifests}


def _form(origin: Origin, entry: str, form: str) -> Files:
    """All that the playlists of a form lead to."""
    found, folder = _manifests(origin, entry, form), f"/{FORMS[form][0]}/{entry}/"
    for name in names_in(f"{folder}master.m3u8", _with_groups(found["master.m3u8"].decode())):
        found[name.removeprefix(folder)] = origin.get(name)
        for media in origin.media_names(name):
            found[media.removeprefix(folder)] = origin.get(media)
    return found


def _with_groups(text: str) -> str:
    """Addresses of groups on lines of their own too."""
    uris = [line.partition('URI="')[2].partition('"')[0] for line in text.splitlines()]
    return "\n".join([text, *filter(None, uris)])


def write(files: Files, folder: Path) -> Path:
    """*files* in *folder*; the manifest that a user would name."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return next(folder / n for n in ("master.m3u8", "manifest.mpd") if n in files)
