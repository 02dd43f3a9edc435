"""The one thing about sockets that transports do not offer."""

import asyncio
import socket
import struct
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)


def reset_on_close(transport: asyncio.Transport) -> None:
    """Make the close of *transport* a reset.

    A body that runs to the end of the connection has no other way to be seen as cut, and an
    ordinary close would pass for its end.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
