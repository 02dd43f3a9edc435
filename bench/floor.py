"""The floor: the least that a request for stored bytes can cost on this machine.

    python -m bench.floor FILE

One connection at a time: read a request head, one ``pread`` of the whole body into a buffer
that is reused, one blocking send of head and body.  ``/{offset}/{length}`` asks for a region of
FILE; ``/sendfile/{offset}/{length}`` for the same by ``sendfile`` from the page cache.  No
framework, no parsing to speak of, no other work: what a server costs is said in multiples of
this, taken in the same run by the same client.
"""

import os
import socket
import sys
from pathlib import Path

_HEAD_ROOM = 128


class Region:
    """Reads regions of one file behind a response head, in one buffer."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._descriptor).st_size
        self._buffer = memoryview(bytearray(_HEAD_ROOM))

    def response(self, offset: int, length: int) -> memoryview:
        """Valid until the next call."""
        if offset + length > self._size:
            return memoryview(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        if len(self._buffer) < _HEAD_ROOM + length:
            self._buffer = memoryview(bytearray(_HEAD_ROOM + length))
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
        stop = len(head) + length
        self._buffer[: len(head)] = head
        read = os.preadv(self._descriptor, [self._buffer[len(head) : stop]], offset)
        assert read == length
        return self._buffer[:stop]

    def send_uncopied(self, connection: socket.socket, offset: int, length: int) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
        connection.sendall(head, socket.MSG_MORE)
        stop = min(offset + length, self._size)
        while offset < stop:
            offset += os.sendfile(connection.fileno(), self._descriptor, offset, stop - offset)


def serve_connection(connection: socket.socket, region: Region) -> None:
    """Answer until the client closes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        data = connection.recv(4096)
        while data and not data.endswith(b"\r\n\r\n"):
            data += connection.recv(4096)
        if not data:
            return
        way, offset, length = data[: data.index(b" ", 4)].rsplit(b"/", 2)
        if way.endswith(b"/sendfile"):
            region.send_uncopied(connection, int(offset), int(length))
        else:
            connection.sendall(region.response(int(offset), int(length)))


def serve(path: Path) -> None:
    region = Region(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sys.stdout.write(f"bench floor ready http://127.0.0.1:{port}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    serve_connection(connection, region)
                except ConnectionError:
                    continue


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
