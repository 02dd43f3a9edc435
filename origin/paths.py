"""The path of a request as decoded segments."""

from urllib.parse import unquote_to_bytes

from origin.errors import BadUrl

MAX_PATH = 4096
"""Bytes."""


def path_segments(path: str, *, may_be_empty: bool = False) -> list[str]:
    """The segments of *path*, percent-decoded once.  Raises ``BadUrl``.

    Where they *may_be_empty*, two slashes enclose an empty one.
    """
    if len(path) > MAX_PATH:
        raise BadUrl(f"the path is longer than {MAX_PATH} bytes")
    try:
        text = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise BadUrl("the path is not UTF-8") from None
    if not text.startswith("/"):
        raise BadUrl("the path does not start with /")
    parts = text[1:].split("/")
    refused = (".", "..") if may_be_empty else ("", ".", "..")
    for part in parts:
        if part in refused or "\\" in part or not part.isprintable():
            raise BadUrl("a path segment is empty, dots or not printable")
    return parts
