"""A small server on ``serving``, for the tests: answers paths with what they ask for.

python program.py [--workers N] [--drain S] [--fail start|restart] [--marks FILE] …
"""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from serving import admin as administration
from serving.admin_http import Request, Response
from serving.counters import Counter, Gauge, Histogram
from serving.parent import run
from serving.sockets import BACKLOG, ListenError, address, listen
from serving.worker import Worker

COUNTERS = (
    Counter("test_requests_total", "Requests.", {"path": ("pid", "other")}),
    Gauge("test_open", "Connections."),
    Histogram("test_seconds", "Durations.", (0.1, 1.0)),
)
CONNECTIONS: set[asyncio.Task[None]] = set()


async def main(worker: Worker) -> None:
    if options.fail == "start" and worker.number == options.workers - 1:
        raise ValueError("no such\nsetting")
    if options.fail == "restart":
        with options.marks.open("a") as marks:
            marks.write("start\n")
        if len(options.marks.read_text().splitlines()) > options.workers:
            os._exit(3)

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(worker, reader, writer))
        CONNECTIONS.add(task)
        task.add_done_callback(CONNECTIONS.discard)

    reloads = 0

    def reload() -> None:
        nonlocal reloads
        reloads += 1
        worker.log.write({"reload": reloads})

    worker.on_reload(reload)
    server = await asyncio.start_server(connected, sock=worker.listener, backlog=BACKLOG)
    await administration.serve(
        worker,
        routes={("POST", "/api/v1/echo"): echo, ("GET", "/api/v1/fail"): fail},
        token=options.token,
        unready=lambda: options.unready,
    )
    worker.ready()
    await worker.draining()
    server.close()
    await asyncio.gather(*CONNECTIONS)


async def serve(
    worker: Worker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    begun = time.monotonic()
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ")[1].decode()
    worker.row.add("test_requests_total", "pid" if path == "/pid" else "other")
    worker.row.add("test_open")
    body = await answer(worker, path)
    writer.write(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    writer.write(body)
    await writer.drain()
    writer.close()
    worker.row.histogram("test_seconds").observe(time.monotonic() - begun)
    worker.log.write({"path": path, "worker": worker.number})


async def answer(worker: Worker, path: str) -> bytes:
    """``/pid``; ``/chatter`` logs more than a pipe takes; ``/until/{file}`` waits for it."""
    if path == "/chatter":
        for _ in range(4000):
            worker.log.write({"filler": "x" * 1000})
    if path.startswith("/until"):
        options.marks.with_suffix(".begun").touch()
        while not options.marks.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        return b"finished"
    return b"%d" % os.getpid()


async def echo(request: Request) -> Response:
    return Response(200, request.body, headers={"X-Query": request.query.get("q", "")})


async def fail(_request: Request) -> Response:
    raise RuntimeError("a secret")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--drain", type=float, default=10)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fail", choices=("start", "restart"))
    parser.add_argument("--marks", type=Path)
    parser.add_argument("--token")
    parser.add_argument("--unready")
    return parser.parse_args()


def serve_forever() -> int:
    try:
        listener, admin = listen("127.0.0.1", options.port), listen("127.0.0.1", 0)
    except ListenError as error:
        print(error, file=sys.stderr)
        return 2
    return run(
        "test program",
        main,
        listener=listener,
        admin=admin,
        workers=options.workers,
        counters=COUNTERS,
        drain=options.drain,
        ready_line=f"ready {address(admin)} {address(listener)}",
    )


if __name__ == "__main__":
    options = parse()
    sys.exit(serve_forever())
