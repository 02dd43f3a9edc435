"""The command line of design: names, options, variables, one line for what is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import headrace_demo
from headrace_commands import NOT_BUILT
from serving.options import parse_size
from tests.support.processes import free_port, headrace, is_alive, running
from tests.support.waiting import until

BUILT = (
    "demo",
    "ingest",
    "import",
    "entries",
    "show",
    "origin",
    "edge",
    "purge",
    "shadow",
    "lint",
)
Calls = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Let the command meet stand-ins, and read what it called."""
    record = tmp_path / "calls"
    record.touch()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("stubs")))
    monkeypatch.setenv("STUB_RECORD", str(record))
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


def test_help_lists_every_command_in_one_line() -> None:
    result = headrace("--help", env={"COLUMNS": "100"})
    assert result.returncode == 0
    for name in (*BUILT, *NOT_BUILT):
        [line] = [line for line in result.stdout.splitlines() if f"│ {name} " in line]
        assert ("not built yet" in line) == (name in NOT_BUILT)


def test_version() -> None:
    result = headrace("--version")
    assert (result.returncode, result.stdout) == (0, "headrace 0.1.0\n")


@pytest.mark.parametrize("name", BUILT)
def test_help_of_a_command_names_its_variables(name: str) -> None:
    result = headrace(name, "--help", env={"COLUMNS": "120"})
    assert result.returncode == 0
    text = result.stdout.replace("│", " ")
    options = {word for word in text.split() if word.startswith("--")} - {"--help"}
    for option in options:
        variable = f"HEADRACE_{name}_{option[2:]}".upper().replace("-", "_")
        assert variable in text


OPTIONS = {
    "demo": "data port",
    "ingest": "data entry partner name replace captions remuxed data-center json",
    "import": "data format batch dry-run json",
    "migrate": "data",
    "entries": "data json",
    "show": "data json",
    "origin": "data host port admin-port workers local-root index-cache plan-cache open-files"
    " sendfile object-store remote-host remote-private data-center mapping-root"
    " mapping-upstream mapped-default mapping-path-prefix mapping-path-postfix mapping-ttl"
    " admin-token-file source-allow remote-upstream manifest-hook thumb-exact thumb-sheets"
    " picture-processes",
    "edge": "upstream shield upstream-ca health host port admin-port admin-token-file"
    " purge-method workers cache-dir ram disk block early-refresh stale-if-unreachable"
    " heuristic negative-ttl store-set-cookie forwarded node-id cache-status-key",
    "purge": "edge token-file prefix tag all soft",
    "shadow": "peer origin rewrite limit sample jobs ignore frame-rate bandwidth",
}


@pytest.mark.parametrize(("name", "options"), OPTIONS.items(), ids=OPTIONS)
def test_a_command_has_exactly_its_options(name: str, options: str) -> None:
    text = headrace(name, "--help", env={"COLUMNS": "120"}).stdout
    found = {word[2:] for word in text.replace("│", " ").split() if word.startswith("--")}
    assert found == {*options.split(), "help"}


MISUSES = {
    "no command": ("", "headrace: Missing command"),
    "unknown command": ("serve", "headrace serve: No such command 'serve'"),
    "unknown option": ("origin --prot 1", "headrace origin: No such option: --prot"),
    "left over": ("origin here", "headrace origin: Got unexpected extra argument"),
    "no value": ("origin --port", "headrace origin: Option '--port' requires an argument"),
    "no number": ("origin --port x", "headrace origin: --port: "),
    "no port": ("origin --port 65536", "headrace origin: --port: "),
    "no worker": ("origin --workers 0", "headrace origin: --workers: "),
    "no folder": ("origin --local-root no/such", "headrace origin: --local-root: "),
    "no upstream": ("edge", "headrace edge: --upstream: it is missing"),
    "no authorities": (
        "edge --upstream https://o --upstream-ca no/such",
        "headrace edge: --upstream-ca: ",
    ),
    "no size": (
        "edge --upstream http://o --ram 1T",
        "headrace edge: --ram: '1T' is not a size",
    ),
    "too small": ("edge --upstream http://o --ram 0", "headrace edge: --ram: 0 is not 1M"),
    "no seconds": (
        "edge --upstream http://o --negative-ttl 404",
        "headrace edge: --negative-ttl: '404' is not STATUS=SECONDS",
    ),
    "half of them": (
        "edge --upstream http://o --negative-ttl 404=5,410=inf",
        "headrace edge: --negative-ttl: '404=5,410=inf' is not",
    ),
    "no share": (
        "edge --upstream http://o --heuristic much",
        "headrace edge: --heuristic: ",
    ),
    "no block": (
        "edge --upstream http://o --block -1",
        "headrace edge: --block: '-1' is not a size",
    ),
    "bad host": (
        "edge --upstream http://o --host no.invalid",
        "headrace edge: no.invalid:8080: ",
    ),
    "no token": (
        "edge --upstream http://o --admin-token-file no",
        "headrace edge: --admin-token-",
    ),
    "purge whom": ("purge --all --token-file t", "headrace purge: --edge: it is missing"),
    "purge what": ("purge --edge http://e:1 --token-file t", "headrace purge: urls, prefixes,"),
    "purge no URL": (
        "purge a --edge http://e:1 --token-file t",
        "headrace purge: urls[0]: not",
    ),
    "purge where": ("purge /a --edge e:1 --token-file t", "headrace purge: --edge: e:1: not"),
    "purge as": (
        "purge /a --edge http://e:1 --token-file no",
        "headrace purge: --token-file: no",
    ),
    "import what": ("import", "headrace import: FILE: it is missing"),
    "import where": ("import no.csv", "headrace import: FILE: no.csv: there is no such file"),
    "import how": ("import f.txt", "headrace import: --format: say jsonl or csv"),
    "import batch": ("import f.csv --batch 0", "headrace import: --batch: "),
    "shadow whom": ("shadow a.log", "headrace shadow: --peer: it is missing"),
    "shadow where": ("shadow a.log --peer p:1", "headrace shadow: --peer: p:1 is not http:"),
    "shadow how many": (
        "shadow a.log --peer http://p --sample 20",
        "headrace shadow: --sample: '20' is not 1/N",
    ),
    "shadow to what": (
        "shadow a.log --peer http://p --rewrite a=b",
        "headrace shadow: --rewrite: 'a=b' is not",
    ),
    "shadow but what": (
        "shadow a.log --peer http://p --ignore x",
        "headrace shadow: --ignore: x is none of ",
    ),
    "no entry": ("show", "headrace show: ID: it is missing"),
    "partner": ("ingest f.mp4 --partner -1", "headrace ingest: --partner: "),
}


@pytest.mark.parametrize(("line", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_one_line_and_2(stubs: Calls, line: str, message: str) -> None:
    result = headrace(*line.split())
    assert (result.returncode, result.stdout) == (2, "")
    [said] = result.stderr.splitlines()
    assert said.startswith(message)


REFUSED = {
    "--negative-ttl 200=5": "--negative-ttl: 200: 5.0 is no error's seconds",
    "--node-id a;b": "--node-id: 'a;b' is not a token",
    "--forwarded for": "--forwarded: 'for' is none of none, forwarded, x-forwarded-for",
    "--stale-if-unreachable inf": "--stale-if-unreachable: inf is not 0 or more",
    "--heuristic 2": "--heuristic: 2.0 is not between 0 and 1",
    "--block 1K": "--block: 1024 is not 64K or more",
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items(), ids=REFUSED)
def test_what_the_edge_refuses_of_its_configuration(line: str, message: str) -> None:
    result = headrace("edge", "--upstream", "http://127.0.0.1:1", "--port", "0", *line.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"headrace edge: {message}\n"


@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_is_not_built_says_so(name: str) -> None:
    result = headrace(name, "what", "--ever", "5")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"headrace {name}: not built yet\n"


def test_a_wrong_variable_is_named(stubs: Calls) -> None:
    result = headrace("origin", env={"HEADRACE_ORIGIN_ADMIN_PORT": "x"})
    assert result.returncode == 2
    assert result.stderr.startswith("headrace origin: --admin-port: ")
    assert result.stderr.endswith("(from HEADRACE_ORIGIN_ADMIN_PORT)\n")


def test_a_taken_port_is_named(stubs: Calls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = headrace("origin", "--port", str(port))
    assert result.returncode == 2
    assert result.stderr == f"headrace origin: 127.0.0.1:{port}: Address already in use\n"


def test_defaults(stubs: Calls) -> None:
    for line in ("origin --port 0", "edge --upstream http://o:1 --port 0"):
        with running(*line.split()) as server:
            assert server.stop() == 0
    origin, edge = (call["config"] for call in stubs() if "config" in call)
    assert origin == {
        "data": "headrace-data",
        "host": "127.0.0.1",
        "port": 0,
        "admin_port": None,
        "workers": 1,
        "local_root": None,
        "index_cache": 256 << 20,
        "plan_cache": 32 << 20,
        "open_files": 512,
        "object_stores": [],
        "remote_hosts": [],
        "remote_private": False,
        "sendfile": False,
        "data_center": 0,
        "admin_token": None,
        "source_allow": [],
        "remote_upstream": None,
        "mapping_root": None,
        "mapping_upstream": None,
        "mapped_default": False,
        "mapping_path_prefix": None,
        "mapping_path_postfix": None,
        "mapping_ttl": 10,
        "manifest_hook": None,
        "thumb_exact": False,
        "thumb_sheets": False,
        "picture_processes": 1,
        "page_entry": None,
        "players": None,
    }
    assert edge == {
        "upstreams": ["http://o:1"],
        "shields": [],
        "upstream_ca": None,
        "health": None,
        "host": "127.0.0.1",
        "port": 0,
        "admin_port": None,
        "admin_token": None,
        "purge_method": False,
        "workers": 1,
        "cache_dir": None,
        "disk": 10 << 30,
        "ram": 256 << 20,
        "block": 1 << 20,
        "early_refresh": 10,
        "stale_if_unreachable": 3600,
        "heuristic": 0,
        "negative_ttl": {},
        "store_set_cookie": False,
        "forwarded": "none",
        "cache_status_key": False,
    }


@pytest.mark.parametrize(("name", "port"), [("origin", 8081), ("edge", 8080)])
def test_default_ports(name: str, port: int) -> None:
    text = headrace(name, "--help", env={"COLUMNS": "120"}).stdout
    assert f"[default: {port}]" in text


def test_variables_stand_for_options(stubs: Calls, tmp_path: Path) -> None:
    variables = {
        "HEADRACE_EDGE_UPSTREAM": "http://a:1 http://b:2",
        "HEADRACE_EDGE_PORT": "0",
        "HEADRACE_EDGE_ADMIN_PORT": "0",
        "HEADRACE_EDGE_RAM": "64M",
        "HEADRACE_VERSION": "1",  # no option of a command: it must not print and leave
    }
    with running("edge", env=variables) as server:
        assert server.stop() == 0
    config = stubs()[0]["config"]
    assert config["upstreams"] == ["http://a:1", "http://b:2"]
    assert (config["admin_port"], config["ram"]) == (0, 64 << 20)
    headrace(
        "ingest", "a.mp4", env={"HEADRACE_INGEST_JSON": "1", "HEADRACE_INGEST_PARTNER": "7"}
    )
    rest = ["headrace-data", None, 7, None, None, True, [], None, 0]
    assert stubs()[-1]["options"] == rest


def test_what_an_operator_says_beside_the_origin(stubs: Calls) -> None:
    ttls = ("--negative-ttl", "404=5, 410=0.5", "--negative-ttl", "503=1")
    rest = ("--forwarded", "forwarded", "--store-set-cookie")
    line = ("edge", "--upstream", "http://o:1", "--port", "0", *ttls)
    variables = {
        "HEADRACE_EDGE_HEURISTIC": "0.1",
        "HEADRACE_EDGE_EARLY_REFRESH": "0",
        "HEADRACE_EDGE_STALE_IF_UNREACHABLE": "60",
        "HEADRACE_EDGE_BLOCK": "2M",
        "HEADRACE_EDGE_CACHE_STATUS_KEY": "1",
    }
    with running(*line, *rest, env=variables) as server:
        assert server.stop() == 0
    config = stubs()[0]["config"]
    assert config["negative_ttl"] == {"404": 5, "410": 0.5, "503": 1}  # as JSON has it
    assert (config["forwarded"], config["store_set_cookie"]) == ("forwarded", True)
    assert (config["heuristic"], config["early_refresh"]) == (0.1, 0)
    assert (config["stale_if_unreachable"], config["block"]) == (60, 2 << 20)
    assert config["cache_status_key"] is True


def test_negative_ttls_of_a_variable(stubs: Calls) -> None:
    variables = {"HEADRACE_EDGE_NEGATIVE_TTL": "404=5,410=60"}
    with running("edge", "--upstream", "http://o:1", "--port", "0", env=variables) as server:
        assert server.stop() == 0
    assert stubs()[0]["config"]["negative_ttl"] == {"404": 5, "410": 60}


def test_an_option_wins_over_its_variable(stubs: Calls) -> None:
    headrace("show", "0_a", "--data", "here", env={"HEADRACE_SHOW_DATA": "there"})
    assert stubs()[0]["options"] == ["here", "0_a", False]


@pytest.mark.parametrize("looked_at", [False, True], ids=["plain", "looked at"])
def test_a_server_carries_nothing_of_the_command_line(stubs: Calls, looked_at: bool) -> None:
    variables = {"HEADRACE_EDGE_PURGE_METHOD": "0"} if looked_at else {}
    line = ("--upstream", "http://o:1", "--port", "0")
    with running("edge", *line, env=variables) as server:
        pid = server.pid
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        started_with = Path(f"/proc/{pid}/environ").read_text()
    [call, _] = stubs()
    loaded = {name.partition(".")[0] for name in call["modules"]}
    assert not loaded & {"typer", "click", "rich", "tornado", "sqlalchemy", "numpy", "pydantic"}
    assert call["pid"] == pid
    assert command[-6:-1] == ["edge", *line]
    assert "headrace" in command
    assert ("HEADRACE_PARSED_ARGUMENTS" in started_with) == looked_at


def test_ingest_passes_its_status_and_options_on(stubs: Calls) -> None:
    result = headrace("ingest", "a.mp4", "b.mp4", "--entry", "0_x", "--name", "A film")
    assert (result.returncode, result.stdout) == (0, "0_abcd1234\n")
    assert stubs()[0]["files"] == ["a.mp4", "b.mp4"]
    rest = ["headrace-data", "0_x", 101, "A film", None, False, [], None, 0]
    assert stubs()[0]["options"] == rest
    assert headrace("ingest", "refused.mp4").returncode == 1


def test_what_nobody_foresaw_is_one_line(stubs: Calls) -> None:
    result = headrace("ingest", "a.mp4", env={"STUB_FAIL": "ingest"})
    assert result.returncode == 1
    assert result.stderr == "headrace ingest: db: No space left on device\n"


def test_a_reader_that_leaves_is_no_traceback() -> None:
    command = [sys.executable, "-m", "headrace", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1", 1), ("1K", 1024), ("64M", 64 << 20), ("2G", 2 << 30), ("2g", 2 << 30)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "K", "1T", "-1", "1.5G", "1 K", "1KB", "٣", "9" * 16])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(Exception, match="is not a size"):
        parse_size(text)


# The demo, with servers that serve nothing.


def test_the_demo_starts_both_and_ends_the_edge_first(stubs: Calls, tmp_path: Path) -> None:
    with running("demo", "--data", tmp_path / "d", "--port", "0") as demo:
        assert demo.ready_line.startswith("headrace demo ready http://127.0.0.1:")
        assert demo.ready_line.endswith("/")
        assert demo.stop() == 0
        assert demo.rest == b""
    calls = {call["call"]: call for call in stubs()}
    assert list(calls) == [
        "make_samples",
        "ingest",
        "origin",
        "edge",
        "edge ended",
        "origin ended",
    ]
    assert calls["make_samples"]["seconds"] == 60
    assert calls["ingest"]["files"] == [str(tmp_path / "d/samples/one.mp4")]
    assert calls["origin"]["config"]["page_entry"] == "0_abcd1234"
    assert calls["origin"]["config"]["data"] == str(tmp_path / "d")
    [upstream] = calls["edge"]["config"]["upstreams"]
    assert upstream.startswith("http://127.0.0.1:")


def test_the_demo_ends_when_a_server_dies(stubs: Calls, tmp_path: Path) -> None:
    for victim in ("edge", "origin"):
        with running("demo", "--data", tmp_path, "--port", "0") as demo:
            pids = {call["call"]: call["pid"] for call in stubs() if "pid" in call}
            os.kill(pids[victim], signal.SIGKILL)
            assert demo.wait() == 1
            assert f"headrace demo: the {victim} ended with status -9" in demo.stderr()
            assert not any(map(is_alive, pids.values()))


def test_the_servers_leave_when_the_demo_is_killed(stubs: Calls, tmp_path: Path) -> None:
    with running("demo", "--data", tmp_path, "--port", "0") as demo:
        pids = [call["pid"] for call in stubs() if "pid" in call]
        assert len(list(filter(is_alive, pids))) == 2
        demo.stop(signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)))


def test_the_demo_refuses_a_taken_port_before_its_work(stubs: Calls, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = headrace("demo", "--data", tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert result.stderr == f"headrace demo: --port: 127.0.0.1:{port}: Address already in use\n"
    assert stubs() == []


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("edge", "headrace edge: worker 0: ValueError: it cannot start"),
        ("origin", "headrace origin: worker 0: ValueError: it cannot start"),
        ("ingest", "headrace demo: db: No space left on device"),
        ("av", "headrace demo: PyAV makes the samples: pip install 'headrace[demo]'"),
    ],
)
def test_the_demo_says_what_failed(
    stubs: Calls, tmp_path: Path, failing: str, message: str
) -> None:
    port = str(free_port())
    result = headrace("demo", "--data", tmp_path, "--port", port, env={"STUB_FAIL": failing})
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_the_demo_gives_addresses_where_no_page_can_play(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(headrace_demo, "PLAYERS", tmp_path)
    headrace_demo._say_where("http://127.0.0.1:8080", "0_a")
    said = capsys.readouterr()
    assert said.out == "headrace demo ready http://127.0.0.1:8080/\n"
    line, *addresses = said.err.splitlines()
    assert line.startswith("headrace demo: the page has no players: npm ci")
    assert addresses == [
        "http://127.0.0.1:8080/cmaf/e/0_a/master.m3u8",
        "http://127.0.0.1:8080/cmaf/e/0_a/manifest.mpd",
        "http://127.0.0.1:8080/hls/e/0_a/master.m3u8",
    ]
    assert headrace_demo._players() == []


def test_the_demo_passes_the_players_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(headrace_demo, "PLAYERS", tmp_path)
    for package in ("hls.js", "shaka-player", "dashjs"):
        assert headrace_demo._players() == []
        (tmp_path / package).mkdir()
    assert headrace_demo._players() == ["--players", str(tmp_path)]
