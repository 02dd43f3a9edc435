"""Listening sockets and the messages when there is none."""

import socket

import pytest

from serving.sockets import ListenError, address, listen


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", None)]
)
def test_a_free_port_is_listened_on(host: str, shown: str | None) -> None:
    try:
        sock = listen(host, 0)
    except ListenError:
        if host == "127.0.0.1":
            raise
        pytest.skip(f"this machine has no {host}")
    with sock:
        port = sock.getsockname()[1]
        assert not sock.getblocking()
        if shown:
            assert address(sock) == f"http://{shown}:{port}"
        with socket.create_connection((host, port), timeout=5):
            pass


def test_an_address_in_use_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}: Address already in use"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("no-such-host.invalid", 80, r"no-such-host.invalid:80: .+"),
        ("x" * 64, 80, "x:80: "),
        ("127.0.0.1", 65536, "the port is not in 0 to 65535"),
        ("127.0.0.1", -1, "the port is not in 0 to 65535"),
        ("192.0.2.1", 0, "192.0.2.1:0: Cannot assign requested address"),
    ],
)
def test_a_bad_address_is_named(host: str, port: int, message: str) -> None:
    with pytest.raises(ListenError, match=message):
        listen(host, port)
