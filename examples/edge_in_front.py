"""Put an edge before any HTTP origin, ask it twice, and read what its cache did.

    python examples/edge_in_front.py http://127.0.0.1:8081 /hls/e/ENTRY/master.m3u8

``Cache-Status`` (RFC 9211) names each cache on the way, the one nearest to the origin first:
``headrace; fwd=uri-miss; fwd-status=200; stored`` the first time, ``headrace; hit; ttl=10``
the second.
"""

import argparse
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def edge(upstream: str) -> Iterator[str]:
    """The address of an edge that lives as long as the block."""
    command = [sys.executable, "-m", "headrace", "edge", "--upstream", upstream, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline().decode().split()
        try:
            if not ready:
                raise SystemExit(f"the edge did not start: {' '.join(command)}")
            yield ready[-1]  # headrace edge ready http://127.0.0.1:40123
        finally:
            process.terminate()


def ask(url: str) -> str:
    try:
        answer = urllib.request.urlopen(url, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        answer.read()
        said = answer.headers.get_all("Cache-Status") or ["-"]  # a line for each cache
        age = answer.headers.get("Age", "-")
        return f"{answer.status}  Age {age}  Cache-Status {', '.join(said)}"


def main() -> int:
    parser = argparse.ArgumentParser(description="An edge before any HTTP origin.")
    parser.add_argument("upstream")
    parser.add_argument("path", nargs="+")
    given = parser.parse_args()
    with edge(given.upstream) as address:
        for path in given.path:
            print(path)
            for _ in range(2):
                print(f"    {ask(address + path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
