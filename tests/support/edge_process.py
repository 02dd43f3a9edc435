"""``headrace edge`` with limits for which the command has no options, seen from outside."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_cache.config import EdgeConfig
from edge_cache.program import run
from tests.support.http import get
from tests.support.processes import Running, children, free_port, started

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class EdgeProcess:
    running: Running
    admin_port: int

    @property
    def port(self) -> int:
        return self.running.address[1]

    @property
    def worker(self) -> int:
        """The process that serves."""
        [worker] = children(self.running.pid)
        return worker

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        url = f"http://127.0.0.1:{self.admin_port}/metrics"
        lines = get(url, "Connection: close").body.decode().splitlines()
        told = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        assert told, name
        return sum(float(line.rpartition(" ")[2]) for line in told)


@contextmanager
def edge_process(
    *upstreams: str, env: Mapping[str, str] | None = None, **limits: Any
) -> Iterator[EdgeProcess]:
    """An edge in a process; *limits* are fields of its configuration."""
    admin_port = free_port()
    fields = {"upstreams": upstreams, "port": 0, "admin_port": admin_port, **limits}
    command = [sys.executable, "-m", __spec__.name, json.dumps(fields)]
    with started(command, env={"PYTHONPATH": str(_ROOT), **(env or {})}) as process:
        yield EdgeProcess(process, admin_port)


def descriptors(pid: int) -> int:
    """Files and sockets that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def memory(pid: int) -> int:
    """Bytes that a process has to itself, and its share of what it has with others (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no PSS of {pid}")


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    settings["upstreams"] = tuple(settings["upstreams"])
    sys.exit(run(EdgeConfig(**settings)))
