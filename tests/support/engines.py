"""nginx, Varnish and Apache Traffic Server on free ports, with the samples of ``deploy/``.

Each runs in a folder of its own, as whoever runs the tests, and is ended by its number.
"""

import grp
import os
import pwd
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import need
from tests.support.processes import free_port
from tests.support.waiting import LIMIT, until

DEPLOY = Path(__file__).parents[2] / "deploy"
ORIGIN = "127.0.0.1:8081"
"""Where the samples expect the origin."""


@dataclass(frozen=True, slots=True)
class Engine:
    port: int
    is_hit: Callable[[Mapping[str, str]], bool]
    """Whether a response with these headers came out of its store, as it says itself."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def sample(name: str, changes: Mapping[str, str]) -> str:
    """The text of a sample; each of *changes* must find something in it."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(server: str, folder: Path) -> Iterator[int]:
    """The port of an nginx whose ``http {}`` is *server*, in which PORT stands for it."""
    port = free_port()
    names = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    temporary = [
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    ]
    lines = (
        "daemon off;",
        f"user {' '.join(names)};",
        f"pid {folder}/pid;",
        "error_log stderr;",
        "worker_processes 1;",
        "events {}",
        "http {",
        "access_log off;",
        "types { text/plain txt; video/mp4 mp4; }",
        *temporary,
        server.replace("PORT", str(port)),
        "}",
    )
    config = folder / "nginx.conf"
    config.write_text("\n".join(lines))
    with _process([need("nginx"), "-c", str(config), "-e", "stderr"], folder, port):
        yield port


@contextmanager
def nginx_cache(origin: str, folder: Path) -> Iterator[Engine]:
    changes = {
        ORIGIN: origin,
        "listen 8080": "listen 127.0.0.1:PORT",
        "/var/cache/nginx/headrace": f"{folder}/cache",
    }
    with nginx(sample("nginx.conf", changes), folder) as port:
        yield Engine(port, lambda headers: headers["x-cache-status"] in ("HIT", "STALE"))


@contextmanager
def varnish(origin: str, folder: Path) -> Iterator[Engine]:
    port, (host, origin_port) = free_port(), origin.split(":")
    changes = {'"127.0.0.1"': f'"{host}"', '"8081"': f'"{origin_port}"'}
    vcl = folder / "headrace.vcl"
    vcl.write_text(sample("varnish.vcl", changes))
    command = [need("varnishd"), "-F", "-j", "none", "-n", str(folder / "run"), "-T", "none"]
    command += ["-a", f"127.0.0.1:{port}", "-f", str(vcl), "-s", "default,64m"]
    with _process(command, folder, port):
        yield Engine(port, lambda headers: headers["x-cache"] == "HIT")


@contextmanager
def traffic_server(origin: str, folder: Path) -> Iterator[Engine]:
    port, etc = free_port(), folder / "etc"
    changes = {
        "records.config": {"STRING 8080": f"STRING {port}:ip-in=127.0.0.1"},
        "remap.config": {ORIGIN: origin},
        "storage.config": {"/var/cache/trafficserver 16G": f"{folder}/cache 64M"},
        "ip_allow.yaml": {},
    }
    for name in ("etc", "cache", "run", "log"):
        (folder / name).mkdir()
    for name, of_file in changes.items():
        (etc / name).write_text(sample(f"trafficserver/{name}", of_file))
    layout = {
        "prefix": "/usr", "exec_prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/bin",
        "includedir": "/usr/include", "datadir": "/usr/share/trafficserver",
        "libdir": "/usr/lib/trafficserver", "libexecdir": "/usr/lib/trafficserver/modules",
        "sysconfdir": etc, "localstatedir": folder / "run", "runtimedir": folder / "run",
        "logdir": folder / "log", "cachedir": folder / "cache",
    }  # fmt: skip
    lines = [f"{name}: {path}\n" for name, path in layout.items()]
    (folder / "runroot.yaml").write_text("".join(lines))
    env = {
        "TS_RUNROOT": str(folder),
        "PROXY_CONFIG_ADMIN_USER_ID": "#-1",  # stays who we are
        "PROXY_CONFIG_CRASH_LOG_HELPER": "",
    }
    with _process([need("traffic_server")], folder, port, env):
        yield Engine(port, _is_hit_by_via)


def _is_hit_by_via(headers: Mapping[str, str]) -> bool:
    """By the codes of its Via: H stands for fresh, R for fresh in RAM."""
    found = re.search(r"ApacheTrafficServer/\S+ \[(c.)", headers["via"])
    assert found, headers["via"]
    return found[1] in ("cH", "cR")


ENGINES = {"nginx": nginx_cache, "varnish": varnish, "trafficserver": traffic_server}


@contextmanager
def _process(
    command: list[str], folder: Path, port: int, env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """*command*, from when it accepts connections on *port* to the end of the block."""
    log = folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, env={**os.environ, **(env or {})}, cwd=folder
        )
    try:
        until(lambda: process.poll() is not None or _accepts(port))
        assert process.poll() is None, f"{command}: {log.read_text()}"
        yield
    finally:
        process.terminate()
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(LIMIT)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
