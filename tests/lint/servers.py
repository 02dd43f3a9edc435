"""HTTP servers that answer as they were told, well or badly, on a free port."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    address: str
    paths: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Paths, and the Authorization that came with them."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """For answers that never end by themselves."""


@contextmanager
def serving() -> Iterator[Site]:
    """A site that answers 404 until it is told more."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            path = self.path.partition("?")[0]
            site.asked.append((path, self.headers.get("Authorization")))
            try:
                site.paths.get(path, status(404))(self)
            except OSError:
                return  # the client has enough

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        site.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def body(data: bytes, code: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def status(code: int, **headers: str) -> Answer:
    return body(b"", code, **headers)


def endless(site: Site, piece: bytes) -> Answer:
    """Chunks until nobody reads them."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
        while not site.stopped.is_set():
            handler.wfile.write(chunk)

    return answer


def stuck(site: Site, start: bytes) -> Answer:
    """A body that begins and never goes on."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(start)
        handler.wfile.flush()
        site.stopped.wait(60)

    return answer


def alternating(*answers: Answer) -> Answer:
    """One after the other, the last one for ever."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer
