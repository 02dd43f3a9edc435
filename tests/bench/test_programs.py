"""Every program of the bench, run small: it ends, and leaves results and a page."""

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import bench.compare
from bench import cold, edge, herd, origin, packaging, pictures, report, syscalls
from bench.errors import BenchError
from bench.harness import Harness
from bench.media import make_media
from bench.samples.flavors import Flavor
from bench.servers import floor, ingest
from bench.servers import origin as origin_server
from bench.settings import Scale, Settings
from tests.support.needs import missing
from tests.support.processes import headrace

SMALL = Scale(
    runs=2,
    seconds=0.02,
    latency_seconds=0.1,
    connections=3,
    edge_connections=5,
    edge_workers=2,
    edge_objects=3,
    short=24,
    long=48,
    high=Flavor(160, 90, 200_000),
    low=Flavor(128, 72, 100_000),
    cold_runs=1,
    cold_lengths=(24,),
    herd=7,
    segments=2,
)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for flavor, seconds in ((SMALL.high, 24), (SMALL.high, 48), (SMALL.low, 24)):
        make_media(folder, flavor, seconds, lambda name, share: None)
    return folder


@pytest.fixture
def harness(media: Path, tmp_path: Path) -> Iterator[Harness]:
    settings = Settings(out=tmp_path / "out", media=media, scale=SMALL)
    printed = StringIO()
    found = Harness(settings, output=Console(file=printed, width=200))
    yield found
    found.show()
    found.show_machine()
    for result in found.results:
        assert result.case.split()[0] in printed.getvalue()


def lines(harness: Harness, program: str) -> dict[str, dict[str, Any]]:
    """The results of *program* by case; each line is checked for what every line has."""
    text = (harness.settings.out / f"{program}.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        assert line["program"] == program
        assert {"cpu", "cores", "kernel", "python", "libraries"} == set(line["machine"])
        assert {"commit", "time", "load", "notes"} < set(line)
        for figure in line["figures"].values():
            assert figure["unit"]
            assert min(figure["runs"]) == figure["min"] <= figure["median"] <= figure["max"]
    by_case = {line["case"]: line for line in found}
    assert len(by_case) == len(found)
    return by_case


def medians(line: dict[str, Any]) -> dict[str, float]:
    return {name: figure["median"] for name, figure in line["figures"].items()}


def test_packaging(harness: Harness) -> None:
    packaging.run(harness)
    found = lines(harness, "packaging")
    assert len(found) == 16
    for length in ("0.4 min", "0.8 min"):
        warm = medians(found[f"fMP4 video, {length}, warm"])
        assert warm["made"] < warm["body"] / 4
        assert warm["reads"] <= 2
        ts = medians(found[f"TS, {length}, cold"])
        assert ts["made"] == ts["body"]
        assert found[f"media playlist, {length}"]["figures"]["CPU"]["at_most"] == 1.5


def test_origin(harness: Harness) -> None:
    origin.run(harness)
    found = lines(harness, "origin")
    for name in ("TS", "fMP4 video", "DASH video"):
        assert found[name]["figures"]["floors"]["at_most"]
        assert len(found[name]["figures"]["floors"]["runs"]) == SMALL.runs
    assert "to video" in found["DASH audio"]["figures"]
    for name in ("init", "master playlist", "media playlist", "MPD"):
        assert medians(found[name])["to bare"] > 0.5
    assert medians(found["memory of the worker"])["PSS after"] > 5
    page = report.write_page(harness.settings.out).read_text()
    assert page.count("<svg") == page.count("</svg>") == 3
    assert "DASH audio" in page
    assert "src=" not in page and "href=" not in page and "//" not in page


def test_pictures(harness: Harness) -> None:
    pictures.run(harness)
    found = lines(harness, "pictures")
    small = found["thumbnail 320 wide, of 160 by 90"]
    assert small["figures"]["decodings"]["at_most"] == 1.5
    assert medians(small)["CPU"] > 0 and len(found) == 3


def test_edge(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "has_wrk", lambda: False)  # it takes whole seconds
    edge.run(harness)
    found = lines(harness, "edge")
    assert medians(found["4 MiB hit"])["floors"] > 0.2
    for size in ("2 KiB", "100 KiB", "1 MiB", "4 MiB"):
        figures = medians(found[f"{size} hit"])
        assert figures["hits"] > 10
        assert figures["p99 at 5"] > 0 and figures["p99 at 5, disk"] > 0
    for name in ("with a disk", "in RAM alone"):
        figures = medians(found[f"memory of 2 workers, {name}"])
        assert figures["working set"] == 3
        assert figures["PSS"] > figures["PSS idle"] > 5
    if "hits of nginx" not in found["2 KiB hit"]["figures"]:
        missing("nginx is not installed (Debian: apt-get install nginx-light)")


def test_cold(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    every = cold.find_questions
    monkeypatch.setattr(cold, "find_questions", lambda *which: every(*which)[-2:])
    cold.run(harness)
    found = lines(harness, "cold")
    assert len(found) == 8  # of three processes for each of two questions, and two evicted
    for name in ("TS segment, 0.4 min, local", "DASH video segment, 0.4 min, entry, evicted"):
        figures = medians(found[name])
        assert figures["read"] > 10
        assert figures["reads"] >= 1
        target = 1.3 if name.endswith("evicted") else None
        assert found[name]["figures"]["cold to warm"].get("at_most") == target


def test_herd(harness: Harness) -> None:
    herd.run(harness)
    [line] = lines(harness, "herd").values()
    assert line["case"].startswith("7 requests")
    assert line["figures"]["origin requests"]["runs"] == [1, 1]


def test_compare(harness: Harness, media: Path, tmp_path: Path) -> None:
    entry = ingest([media / "90p-24s.mp4"], tmp_path)
    with origin_server("--data", str(tmp_path)) as server:
        url = f"{server.url}/cmaf/e/{entry}"
        bench.compare.run(harness, f"{url}/master.m3u8", f"{url}/master.m3u8?again")
        with pytest.raises(BenchError, match=r"none\.mpd: status 4"):
            bench.compare.run(harness, f"{url}/master.m3u8", f"{url}/none.mpd")
        with pytest.raises(BenchError, match="one protocol"):
            hls = f"{server.url}/hls/e/{entry}/master.m3u8"
            bench.compare.run(harness, hls, f"{url}/manifest.mpd")
    found = lines(harness, "compare")
    assert {"hls manifest", "video segment", "audio init"} < set(found)
    for line in found.values():
        assert medians(line)["bodies A/B"] == 1
        assert medians(line)["CPU A/B"] > 0  # the process was found by its port


def test_system_calls_are_counted(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    file = tmp_path / "file"
    file.write_bytes(bytes(100))
    with floor(file) as server:
        calls = syscalls.count_calls(server, ["/0/100"] * 5)
    assert calls["preadv2"] == calls["sendto"] == 1


def test_a_page_needs_results(tmp_path: Path) -> None:
    result = headrace("bench", "report", "--in", tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"headrace bench report: {tmp_path}: no results\n"
    (tmp_path / "origin.jsonl").write_text("{}\n")
    assert "origin.jsonl: not results" in headrace("bench", "report", "--in", tmp_path).stderr


def test_help_lists_the_programs() -> None:
    result = headrace("bench", "--help", env={"COLUMNS": "120"})
    assert result.returncode == 0
    for name in ("packaging", "origin", "edge", "cold", "herd", "compare", "report", "all"):
        assert f"│ {name} " in result.stdout


MISUSES = {
    "no program": ("", "headrace bench: Missing command"),
    "unknown program": ("speed", "headrace bench: No such command 'speed'"),
    "unknown option": ("origin --fast", "headrace bench: No such option: --fast"),
    "one URL": ("compare http://here/a.mpd", "headrace bench: URL: it is missing"),
    "no URL": ("compare a.mpd b.mpd", "headrace bench: Invalid value: a.mpd is not http://"),
}


@pytest.mark.parametrize(("line", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_one_line_and_2(line: str, message: str) -> None:
    result = headrace("bench", *line.split())
    assert (result.returncode, result.stdout) == (2, "")
    [said] = result.stderr.splitlines()
    assert said.startswith(message)


def test_what_fails_is_one_line_and_1(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/a.mpd"
    result = headrace("bench", "compare", url, url, "--out", tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "headrace bench compare: 127.0.0.1:1: " in result.stderr
