"""The files that the suite walks: all of a folder, whatever it holds, and those it makes."""

import os
from pathlib import Path

from tests.conformance.made import MADE

FOLDER = "HEADRACE_TEST_MEDIA"
"""The variable that names it."""

_TEXTS = {".md"}
"""What lies there to be read by people."""


def media_names() -> list[str]:
    """Paths below the folder and of files that are made; none where it is not set."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return []
    root = Path(folder)
    found = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in _TEXTS
    ]
    return sorted([*found, *MADE])
