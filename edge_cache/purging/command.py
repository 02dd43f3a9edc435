"""``headrace purge``: the same order to every node, and one line of answer from each."""

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 30.0
"""Seconds for a node to connect, and between two pieces of its answer."""
AT_ONCE = 16
_MAX_ANSWER = 64 * 1024


class Unusable(ValueError):
    """An argument that cannot be used; the message begins with the option's field."""


def purge(
    order: Mapping[str, object], edges: Sequence[str], token: str
) -> list[tuple[str, str | None]]:
    """Send *order* to each of *edges*, ``http://host:port``; per node an error, or None.

    Unusable if an address is none.
    """
    addresses = [_address(edge) for edge in edges]
    body = json.dumps(order).encode()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        errors = list(pool.map(lambda address: _send(address, body, token), addresses))
    return list(zip(edges, errors, strict=True))


def read_token(path: Path) -> str:
    """The token in the file at *path*; Unusable if it cannot be one."""
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not ASCII"
        raise Unusable(f"token_file: {path}: {reason}") from error
    if not token or any(not 0x21 <= ord(letter) <= 0x7E for letter in token):
        raise Unusable(f"token_file: {path}: not one line of visible ASCII")
    return token


def _address(edge: str) -> SplitResult:
    try:
        parts = urlsplit(edge)
        is_fine = parts.port != 0 and bool(parts.hostname)
    except ValueError as error:
        raise Unusable(f"edge: {edge}: {error}") from error
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not is_fine or not bare or "@" in parts.netloc:
        raise Unusable(f"edge: {edge}: not http://host:port")
    return parts


def _send(address: SplitResult, body: bytes, token: str) -> str | None:
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT)
    fields = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", "/api/v1/purge", body, fields)
        response = connection.getresponse()
        answer = response.read(_MAX_ANSWER)
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    except http.client.HTTPException as error:
        return f"no answer of an edge ({type(error).__name__})"
    finally:
        connection.close()
    return None if response.status == 200 else f"{response.status} {_reason(answer)}"


def _reason(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, TypeError, KeyError):
        return " ".join(answer.decode("utf-8", "replace").split())[:200]
