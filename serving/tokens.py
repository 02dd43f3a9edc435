"""The token of the administration: in a file that few may read, and in requests (RFC 6750)."""

import hmac
from pathlib import Path

LIMIT = 4096
"""Bytes of the file."""


def read_token(path: Path) -> str:
    """The one line of visible ASCII in the file at *path*; ValueError if it has none."""
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT + 1).strip()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    if not is_token(text.decode("latin-1")):
        raise ValueError(f"{path}: not one line of visible ASCII")
    return text.decode()


def bears(authorization: str, token: str) -> bool:
    """Whether the value of an Authorization field brings *token*, in constant time."""
    scheme, _, given = authorization.partition(" ")
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    return scheme.lower() == "bearer" and right


def is_token(text: str) -> bool:
    return 0 < len(text) <= LIMIT and all("!" <= letter <= "~" for letter in text)
