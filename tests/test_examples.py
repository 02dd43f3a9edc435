"""The programs of ``examples/``, run as their README says against a demo."""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.http import get
from tests.support.processes import Running, free_port, headrace, run, running, started

EXAMPLES = Path(__file__).parents[1] / "examples"
TOKEN = "open-sesame"
LIMIT = 120


@dataclass(frozen=True)
class Demo:
    server: Running
    data: Path
    entry: str
    admin: str
    """Address of its edge's administration."""

    @property
    def samples(self) -> Path:
        return self.data / "samples"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data, port = tmp_path_factory.mktemp("demo"), free_port()
    variables = {
        "HEADRACE_EDGE_ADMIN_PORT": str(port),
        "HEADRACE_EDGE_ADMIN_TOKEN": TOKEN,
        "HEADRACE_DEMO_SECONDS": "8",
    }
    with running("demo", "--data", data, "--port", "0", env=variables, limit=LIMIT) as server:
        listed = headrace("entries", "--data", data).stdout
        found = re.search(r"\b0_[a-z0-9]{8}\b", listed)
        assert found, listed
        yield Demo(server, data, found[0], f"http://127.0.0.1:{port}")


def example(name: str, *arguments: str | Path) -> tuple[int, str, str]:
    done = run([sys.executable, EXAMPLES / name, *arguments], limit=LIMIT)
    return done.returncode, done.stdout, done.stderr


def test_the_table_has_every_program() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    there = {path.name for path in EXAMPLES.glob("*.py")}
    there |= {f"{path.name}/" for path in EXAMPLES.iterdir() if (path / "README.md").exists()}
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_each_explains_itself(path: Path) -> None:
    status, said, _ = example(path.name, "--help")
    assert status == 0
    assert path.name in said


def test_a_folder_becomes_entries(demo: Demo, tmp_path: Path) -> None:
    folder, data = tmp_path / "films", tmp_path / "data"
    folder.mkdir()
    [low, *_, high] = sorted(demo.samples.glob("*.mp4"))
    for source, name in ((low, "a-240p"), (high, "a-720p"), (low, "b")):
        shutil.copy(source, folder / f"{name}.mp4")
    status, said, _ = example("import_folder.py", folder, "--data", data)
    assert status == 0, said
    first, second = said.splitlines()
    assert first.endswith("a: 2 flavors")
    assert second.endswith("b: 1 flavors")
    assert example("import_folder.py", folder, "--data", data) == (0, said, "")
    assert headrace("entries", "--data", data).stdout.count("0_") == 2
    (folder / "c.mp4").write_bytes(b"no film")
    status, said, _ = example("import_folder.py", folder, "--data", data)
    assert status == 1
    assert "c.mp4: " in said.splitlines()[-1]
    assert headrace("entries", "--data", data).stdout.count("0_") == 2


def test_addresses_and_a_page(demo: Demo, tmp_path: Path) -> None:
    page = tmp_path / "film.html"
    status, said, errors = example(
        "embed.py", demo.entry, "--at", demo.server.url, "--page", page
    )
    assert status == 0, errors
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["HLS", "200"],
        ["DASH", "200"],
        ["file", "200"],
        ["download", "200"],
    ]
    url = said.split()[2]
    assert f'"{url}"' in page.read_text()
    assert get(url).body.startswith(b"#EXTM3U")


def test_a_flavor_is_replaced_and_seen_at_once(demo: Demo, tmp_path: Path) -> None:
    token, new = tmp_path / "token", tmp_path / "new.mp4"
    token.write_text(TOKEN)
    token.chmod(0o600)
    shown = headrace("show", demo.entry, "--data", demo.data).stdout
    flavors = [name for name in re.findall(r"\b0_[a-z0-9]{8}\b", shown) if name != demo.entry]
    [low, *_] = sorted(demo.samples.glob("*.mp4"))
    shutil.copy(low, new)
    with new.open("ab") as file:
        file.write(bytes.fromhex("0000000866726565"))  # a box that means nothing: another file
    master = f"{demo.server.url}/hls/e/{demo.entry}/master.m3u8"
    before = get(master)
    assert "hit" in get(master).headers["cache-status"]
    status, said, errors = example(
        "replace_flavor.py", demo.entry, flavors[0], new, "--data", demo.data,
        "--at", demo.server.url, "--admin", demo.admin, "--token-file", token,
    )  # fmt: skip
    assert status == 0, errors
    assert f"{demo.admin}: " in said
    after = get(master)
    assert (before.status, after.status) == (200, 200)
    assert "hit" not in after.headers["cache-status"]
    shown = headrace("show", demo.entry, "--data", demo.data).stdout
    assert str(new) in shown


def test_mappings_are_played(demo: Demo, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "mapping_server.py"), str(demo.samples)]
    with started([*command, "--port", str(free_port())]) as mappings:
        upstream = ("--mapping-upstream", mappings.url, "--source-allow", demo.samples)
        with running("origin", "--data", tmp_path, "--port", "0", *upstream) as origin:
            master = get(f"{origin.url}/hls/mapped/sample-8s/master.m3u8")
            assert master.status == 200, master
            assert master.body.count(b"#EXT-X-STREAM-INF") == 3
            segment = get(f"{origin.url}/hls/mapped/sample-8s/seg-1-f1-v1-a1.ts")
            assert segment.body[0] == 0x47
            for name in ("other", "..%2Fsamples%2Fsample-8s"):
                assert get(f"{origin.url}/hls/mapped/{name}/master.m3u8").status in (400, 404)


def test_an_edge_before_any_origin(demo: Demo) -> None:
    path = f"/hls/e/{demo.entry}/master.m3u8"
    status, said, errors = example("edge_in_front.py", demo.server.url, path, "/no/such")
    assert status == 0, errors
    lines = said.splitlines()
    assert lines[0] == path
    assert "uri-miss" in lines[1]
    assert "headrace; hit" in lines[2].rpartition(",")[2]
    assert [line.split()[0] for line in lines[3:]] == ["/no/such", "400", "400"]


def test_an_edge_that_cannot_start_is_told() -> None:
    status, _, errors = example("edge_in_front.py", "nowhere", "/")
    assert status == 1
    assert "the edge did not start" in errors
