"""``headrace purge``: the same order to every node, and one line of answer from each."""

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from edge_cache.purging.order import Malformed, parse_order
from serving.tokens import read_token

TIMEOUT = 30.0
"""Seconds for a node to connect, and between two pieces of its answer."""
AT_ONCE = 16
_MAX_ANSWER = 64 * 1024


class Unusable(Exception):
    """The command line is wrong; the message names the option."""


class Answer(NamedTuple):
    """What a node said."""

    edge: str
    done: bool
    text: str


def purge(order: Mapping[str, object], edges: Sequence[str], token_file: Path) -> list[Answer]:
    """Send *order* to each of *edges*, ``http://host:port``, and wait for their answers.

    Unusable, before anything is sent, if that makes no sense.
    """
    body = json.dumps(order).encode()
    try:
        parse_order(body)
    except Malformed as error:
        raise Unusable(str(error)) from error
    addresses = [_address(edge) for edge in edges]
    try:
        token = read_token(token_file)
    except ValueError as error:
        raise Unusable(f"--token-file: {error}") from error
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda address: _ask(address, body, token), addresses))


def _address(edge: str) -> SplitResult:
    try:
        parts = urlsplit(edge)
        is_fine = parts.port != 0 and bool(parts.hostname)
    except ValueError as error:
        raise Unusable(f"--edge: {edge}: {error}") from error
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not is_fine or not bare or "@" in parts.netloc:
        raise Unusable(f"--edge: {edge}: not http://host:port")
    return parts


def _ask(address: SplitResult, body: bytes, token: str) -> Answer:
    try:
        status, answer = _send(address, body, token)
    except OSError as error:
        return Answer(address.geturl(), False, error.strerror or str(error))
    except http.client.HTTPException as error:
        return Answer(address.geturl(), False, f"no edge answers ({type(error).__name__})")
    if status == 200:
        return Answer(address.geturl(), True, "purged")
    return Answer(address.geturl(), False, f"{status} {_reason(answer)}")


def _send(address: SplitResult, body: bytes, token: str) -> tuple[int, bytes]:
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT)
    fields = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", "/api/v1/purge", body, fields)
        response = connection.getresponse()
        return response.status, response.read(_MAX_ANSWER)
    finally:
        connection.close()


def _reason(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, TypeError, KeyError):
        return " ".join(answer.decode("utf-8", "replace").split())[:200]
