"""Where a mapping may find media: folders, stores and servers that the operator allows."""

import os
from collections.abc import Sequence as Several
from pathlib import Path
from urllib.parse import quote, urlsplit

from origin.mapping.errors import BadMapping
from origin.mapping.media_set import Sequence, SourceType, Subtitles
from origin.storage.sources import is_remote

_SAFE = "/,:@!$&'()*+;=~"


class Places:
    """Paths of mappings to the names of sources.

    What is not local is looked at once more, by ``origin.storage``, when it is opened.
    """

    def __init__(self, roots: Several[Path], upstream: str | None) -> None:
        """*roots* are the folders; behind *upstream*, an address, go paths of type http."""
        self._roots = tuple(os.path.realpath(root) for root in roots)
        self._upstream = upstream

    def name(self, sequence: Sequence | Subtitles) -> str:
        """Of the source of *sequence*.  Raises ``BadMapping`` where it may not be read."""
        path, kind = sequence.path, sequence.source_type
        if is_remote(path):
            return path
        if kind is None:
            kind = SourceType.FILE if self._upstream is None else SourceType.HTTP
        if kind is SourceType.HTTP:
            return self.remote(path.removeprefix("/"))
        return self._local(path)

    def remote(self, path: str) -> str:
        """The address of a decoded *path* without its first slash."""
        if self._upstream is None:
            raise BadMapping("path: there is no upstream of files here")
        parts = urlsplit(self._upstream)
        query = f"?{parts.query}" if parts.query else ""
        folder = parts.path.rstrip("/")
        return f"{parts.scheme}://{parts.netloc}{folder}/{quote(path, safe=_SAFE)}{query}"

    def _local(self, path: str) -> str:
        if not path.startswith("/"):
            raise BadMapping("path: neither absolute nor an address")
        real = os.path.realpath(path)
        for root in self._roots:
            if os.path.commonpath((real, root)) == root:
                return real
        raise BadMapping("path: not below a folder that is allowed here")
