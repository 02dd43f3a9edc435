"""wrk, where it is installed: for small objects a client in Python would be the limit."""

import re
import shutil
import subprocess

from bench.client import Client
from bench.errors import BadResponse, BenchError
from bench.measure import Run, children_cpu
from bench.servers import Server

_REQUESTS = re.compile(r"([0-9]+) requests in ([0-9.]+)([sm])")
_SECONDS = {"s": 1.0, "m": 60.0}
_PERCENTILE = re.compile(r"^ +(50|99)% +([0-9.]+)(us|ms|s)$", re.MULTILINE)
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def load(
    server: Server, path: str, connections: int, seconds: float
) -> tuple[Run, dict[str, float]]:
    """One run; and p50 and p99 in milliseconds.  wrk takes whole seconds."""
    with Client(server.address) as client:
        size = client.get(path).length
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    server_cpu, client_cpu = server.cpu, children_cpu()
    done = subprocess.run(
        [*command, server.url + path], capture_output=True, text=True, check=False
    )
    used = server.cpu - server_cpu
    found = _REQUESTS.search(done.stdout)
    if done.returncode or found is None:
        raise BenchError(f"wrk: {(done.stderr or done.stdout).strip()[-300:]}")
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BadResponse(f"{path}: {done.stdout.strip().splitlines()[-3:]}")
    count, took = int(found[1]), float(found[2]) * _SECONDS[found[3]]
    run = Run(count, took, used, children_cpu() - client_cpu, size * count)
    times = {
        f"p{share}": float(value) * _MILLISECONDS[unit]
        for share, value, unit in _PERCENTILE.findall(done.stdout)
    }
    return run, times
