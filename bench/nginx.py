"""nginx as a caching proxy, the peer of our edge: Debian's, in a folder of its own.

One process, its access log on as ours is, ``tcp_nopush off`` (with it on, objects of 100 KiB
stall for 44 ms over loopback).
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.client import Address
from bench.errors import BenchError, NotThere
from bench.servers import READY_LIMIT, Server, last_line, launched

_CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    sendfile on;
    tcp_nopush off;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    proxy_cache_path cache levels=1:2 keys_zone=objects:16m max_size=1g inactive=1d;
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass UPSTREAM;
            proxy_http_version 1.1;
            proxy_cache objects;
            proxy_cache_valid 200 1d;
            proxy_cache_lock on;
            add_header X-Cache $upstream_cache_status;
        }
    }
}
"""


def find_nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotThere("nginx is not installed (Debian: apt-get install nginx-light)")
    return found


def version() -> str:
    done = subprocess.run([find_nginx(), "-v"], capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("/")[2]


@contextmanager
def nginx_cache(upstream: str) -> Iterator[Server]:
    """nginx in front of *upstream*."""
    program, port = find_nginx(), _free_port()
    with tempfile.TemporaryDirectory(prefix="headrace-bench-nginx-") as name:
        folder = Path(name)
        configuration = folder / "nginx.conf"
        text = _CONFIGURATION.replace("PORT", str(port)).replace("UPSTREAM", upstream)
        configuration.write_text(text)
        log = folder / "stderr"
        command = [program, "-p", f"{folder}/", "-c", str(configuration), "-e", "stderr"]
        with launched(command, log) as process:
            address = Address("127.0.0.1", port)
            _wait(address, process, log)
            yield Server("nginx", address, [process.pid], log)


def _wait(address: Address, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_LIMIT
    while process.poll() is None and time.monotonic() < give_up:
        with suppress(OSError), socket.create_connection((address.host, address.port), 1):
            return
        time.sleep(0.02)
    raise BenchError(f"nginx did not get ready: {last_line(log)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
