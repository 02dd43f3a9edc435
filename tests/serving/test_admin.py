"""The administration listener: its routes, who may use them, and what it refuses."""

import json
import socket
from collections.abc import Iterator, Mapping

import pytest

from serving import admin_http
from tests.serving.conftest import Program, Start

TOKEN = {"Authorization": "Bearer sesame"}


@pytest.fixture(scope="module")
def server(module_program: Start) -> Iterator[Program]:
    with module_program("--token", "sesame") as program:
        yield program


def raw(server: Program, data: bytes) -> bytes:
    """The answer to exactly these bytes, after which nothing more is sent."""
    with socket.create_connection(("127.0.0.1", server.admin_port), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_three_paths_are_for_everybody(server: Program, path: str) -> None:
    got, head = server.admin(path), server.admin(path, "HEAD")
    assert got.status == head.status == 200
    assert got.body
    assert head.body == b""
    assert got.headers["Cache-Control"] == "no-store"
    assert int(got.headers["Content-Length"]) == len(got.body)


def test_a_reason_makes_it_unready(program: Start) -> None:
    with program("--unready", "no database") as server:
        answer = server.admin("/readyz")
        assert (answer.status, answer.body) == (503, b"no database\n")
        assert server.admin("/healthz").status == 200


@pytest.mark.parametrize(
    ("authorization", "wanted"),
    [
        ("Bearer sesame", 200),
        ("bearer sesame", 200),
        ("Bearer sesam", 401),
        ("Bearer sésame", 401),
        ("Bearer", 401),
        ("Basic sesame", 401),
        ("", 401),
    ],
)
def test_other_paths_want_the_token(server: Program, authorization: str, wanted: int) -> None:
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    answer = server.admin("/api/v1/echo?q=a%20b", "POST", body=b"hello", headers=headers)
    assert answer.status == wanted
    if wanted == 200:
        assert (answer.body, answer.headers["X-Query"]) == (b"hello", "a b")
    else:
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_without_a_token_they_are_closed(program: Start) -> None:
    with program() as server:
        answer = server.admin("/api/v1/echo", "POST", headers={"Authorization": "Bearer "})
        assert answer.status == 403
        assert server.admin("/metrics").status == 200


def test_unknown_paths_and_methods(server: Program) -> None:
    assert server.admin("/nothing").status == 404
    assert server.admin("/metrics/").status == 404
    answer = server.admin("/metrics", "DELETE")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    answer = server.admin("/api/v1/echo", "GET", headers=TOKEN)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "method", "headers", "status", "error"),
    [
        ("/api/v1/echo", "POST", {}, 401, "Unauthorized"),
        ("/api/v1/echo", "GET", TOKEN, 405, "Method Not Allowed"),
        ("/api/v1/nothing", "GET", TOKEN, 404, "Not Found"),
        (
            "/api/v1/echo",
            "POST",
            {"Content-Length": "2000000"},
            413,
            "Request Entity Too Large",
        ),
        ("/nothing", "GET", TOKEN, 404, None),
    ],
)
def test_failures_of_the_interface_are_json(
    server: Program,
    path: str,
    method: str,
    headers: Mapping[str, str],
    status: int,
    error: str | None,
) -> None:
    answer = server.admin(path, method, headers=headers)
    is_json = answer.headers["Content-Type"] == "application/json"
    assert (answer.status, is_json) == (status, error is not None)
    if error is not None:
        assert json.loads(answer.body) == {"error": error}


def test_a_failing_handler_tells_only_the_log(server: Program) -> None:
    answer = server.admin("/api/v1/fail", headers=TOKEN)
    assert (answer.status, answer.body) == (500, b'{"error":"internal error"}\n')


REQUESTS = {
    "no request line": (b"nonsense\r\n\r\n", 400),
    "lower-case method": (b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "absolute target": (b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "bare line end": (b"GET /healthz HTTP/1.1\nHost: x\r\n\r\n", 400),
    "no end": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", 400),
    "no Host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "HTTP/1.0 without Host": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    "two Hosts": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "a folded field": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400),
    "space before the colon": (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "a control character": (b"GET /healthz HTTP/1.1\r\nHost: x\0y\r\n\r\n", 400),
    "too many fields": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"x%d: y\r\n" % n for n in range(admin_http.FIELD_LIMIT))
        + b"\r\n",
        431,
    ),
    "too long a head": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\ny: " + b"y" * admin_http.HEAD_LIMIT + b"\r\n\r\n",
        431,
    ),
    "a head without end": (b"GET /" + b"y" * 5 * admin_http.HEAD_LIMIT, 431),
    "chunked": (
        b"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        411,
    ),
    "a length that is none": (
        b"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
        400,
    ),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        400,
    ),
    "too long a body": (
        b"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        % (admin_http.BODY_LIMIT + 1),
        413,
    ),
    "half a body": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 400),
}


@pytest.mark.parametrize(("request_bytes", "wanted"), REQUESTS.values(), ids=REQUESTS)
def test_requests_are_read_strictly(server: Program, request_bytes: bytes, wanted: int) -> None:
    answer = raw(server, request_bytes)
    assert status(answer) == wanted
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert b"Traceback" not in answer


def test_the_longest_body_is_taken(server: Program) -> None:
    body = bytes(admin_http.BODY_LIMIT)
    headers = {**TOKEN, "Expect": "100-continue"}
    assert server.admin("/api/v1/echo", "POST", body=body, headers=headers).body == body


def test_nothing_said_is_nothing_answered(server: Program) -> None:
    assert raw(server, b"") == b""
