"""A bare Tornado delegate on uvloop: the least that Tornado can cost for a small answer.

``/{n}`` answers n bytes.  A program by itself, run by its path and imported by nothing, so
that ``bench`` meets servers by HTTP alone.
"""

import asyncio
import sys
from functools import lru_cache

import uvloop
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.netutil import bind_sockets


@lru_cache(maxsize=64)
def body(size: int) -> bytes:
    return bytes(size)


class Answer(HTTPMessageDelegate):
    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        self._size = 0

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,  # noqa: ARG002
    ) -> None:
        assert isinstance(start_line, RequestStartLine)
        self._size = int(start_line.path[1:])

    def finish(self) -> None:
        head = HTTPHeaders({"Content-Length": str(self._size)})
        line = ResponseStartLine("HTTP/1.1", 200, "OK")
        self._connection.write_headers(line, head, body(self._size))
        self._connection.finish()


class Site(HTTPServerConnectionDelegate):
    def start_request(
        self,
        server_conn: object,  # noqa: ARG002
        request_conn: HTTPConnection,
    ) -> HTTPMessageDelegate:
        return Answer(request_conn)


async def main() -> None:
    server = HTTPServer(Site())
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    sys.stdout.write(f"bare Tornado ready http://127.0.0.1:{sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
