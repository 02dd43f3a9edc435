"""``docs/migrating-from-nginx-vod-module.md`` treats every directive, and names only options,
reasons and metrics that there are."""

import re
from collections import Counter
from pathlib import Path

import pytest

import edge_cache.command
import origin.command
from bench.shadow.differences import REASONS
from origin.errors import BadUrl
from origin.urls import parse_target, render_target
from serving.options import plainly
from tests.support.processes import headrace

HERE = Path(__file__).parent
GUIDE = (HERE.parent / "docs" / "migrating-from-nginx-vod-module.md").read_text("utf-8")
DIRECTIVES = (HERE / "data" / "nginx_vod_directives.txt").read_text().split()
VERDICTS = {"yes", "always", "otherwise", "no", "not yet"}
ROW = re.compile(r"^\| `(vod[a-z_0-9]*)` \| ([^|]+) \|(?: ([^|]+))? \|$", re.MULTILINE)
TABLE = GUIDE.partition("\n## Every directive\n")[2]


def test_every_directive_has_one_row() -> None:
    assert len(DIRECTIVES) == 118  # 116 and 2 that its documentation leaves out
    assert Counter(name for name, _, _ in ROW.findall(TABLE)) == Counter(DIRECTIVES)


def test_a_row_says_what_it_is_here() -> None:
    for name, verdict, how in ROW.findall(TABLE):
        assert verdict in VERDICTS, name
        assert how or verdict in ("not yet", "no"), name


def test_what_the_legend_names_is_used() -> None:
    assert {verdict for _, verdict, _ in ROW.findall(TABLE)} == VERDICTS
    assert set(re.findall(r"\*\*([a-z ]+)\*\*:", TABLE)) == VERDICTS


def test_options_that_are_named_are_there() -> None:
    named = set(re.findall(r"--[a-z][a-z-]+", GUIDE))
    there: set[str] = set()
    for command in ("origin", "edge", "shadow"):
        there |= set(re.findall(r"--[a-z-]+", headrace(command, "--help").stdout))
    assert named <= there


def test_the_nginx_configuration_names_directives_only() -> None:
    used = re.findall(r"^\s+(?:.*\{ )?(vod[a-z_]*)[ ;]", GUIDE, re.MULTILINE)
    assert len(used) > 10
    assert set(used) <= set(DIRECTIVES)


COMMANDS = re.findall(r"^    headrace ((?:origin|edge) (?:.*\\\n)*.*)$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_what_it_becomes_starts(line: str, tmp_path: Path) -> None:
    name, *words = line.replace("\\\n", " ").replace("'", "").split()
    options = origin.command.options if name == "origin" else edge_cache.command.options
    assert plainly(options, words, {}) is not None, line


def test_reasons_of_shadow() -> None:
    table = GUIDE.partition("\n| reason |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert Counter(re.findall(r"`([a-z-]+)`", " ".join(cells))) == Counter(list(REASONS))


def test_metrics_that_are_named_are_there() -> None:
    code = "".join(
        (HERE.parent / path).read_text().replace("{_P}", "headrace_edge_")
        for path in ("origin/program.py", "edge_cache/metrics.py")
    )
    named = set(re.findall(r"headrace_[a-z_]+", GUIDE))
    assert named
    assert [name for name in sorted(named) if f'"{name}"' not in code] == []


ID = "0_abcd1234"
NAMES = {  # the guide's "URLs": the module's names, and what the origin makes of them
    "/hls/local/a.mp4/master.m3u8": None,
    "/hls/local/a.mp4/index-f1-v1-a1.m3u8": None,
    "/hls/local/a.mp4/index-v1-a1.m3u8": None,
    "/hls/local/a.mp4/seg-3-f1-v1-a1.ts": None,
    "/hls/local/a.mp4/seg-3-v1-a1.ts": None,
    "/hls/local/,a,b,.mp4.urlset/seg-3-f2-v1-a1.ts": None,
    "/hls/container/fmp4/local/a.mp4/init-f1-v1.mp4": None,
    "/hls/local/a.mp4/clipFrom/1000/clipTo/9000/index.m3u8": None,
    f"/hls/p/1/serveFlavor/entryId/{ID}/clipTo/9/flavorId/{ID}/name/a.mp4/index.m3u8": None,
    "/dash/local/a.mp4/manifest.mpd": None,
    "/dash/local/a.mp4/init-f1-v1.mp4": None,
    "/dash/local/a.mp4/fragment-3-f1-v1.m4s": None,
    "/hls/local/a.mp4/tracks/v1-a2/lang/eng/master.m3u8": None,
    "/hls/film.mp4/master.m3u8": None,  # --mapped-default
    "/hls/mapped/,a,b,.urlset/master.m3u8": None,
    "/hls/local/a.mp4/iframes-v1.m3u8": None,
    "/hls/local/a.mp4/encryption.key": "no such file",
    "/hls/local/a.mp4/seg-3-i1-v1-a1.ts": "-i is not known",
    "/dash/local/a.mp4/init-c2-v1-a1.mp4": "-c is not known",
    "/hls/e/0_abcd1234/shift/v100/master.m3u8": "shift is not supported yet",
    "/hls/e/0_abcd1234/speed/2/master.m3u8": "speed is not supported yet",
    "/mss/local/a.mp4/manifest": "no such resource",
    "/thumb/local/a.mp4/thumb-1000-w150-h100.jpg": None,
    "/thumb/local/a.mp4/thumb--1000.jpg": "no such file",
}


@pytest.mark.parametrize(("path", "refusal"), NAMES.items())
def test_a_name_of_the_module(path: str, refusal: str | None) -> None:
    if refusal is None:
        assert render_target(parse_target(path))
        return
    with pytest.raises(BadUrl, match=refusal):
        parse_target(path)
