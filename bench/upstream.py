"""What an edge under measurement fetches from: ``/{n}`` is n bytes that last for a day."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        size = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "public, max-age=86400, immutable")
        self.send_header("ETag", f'"{size}"')
        self.end_headers()
        self.wfile.write(bytes(size))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def upstream() -> Iterator[str]:
    """Its URL.  It sleeps while hits are measured, so it may be a thread of ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
