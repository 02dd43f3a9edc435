"""The files that the suite walks: all of a folder, whatever it holds."""

import os
from pathlib import Path

FOLDER = "HEADRACE_TEST_MEDIA"
"""The variable that names it."""

_TEXTS = {".md"}
"""What lies there to be read by people."""


def media_names() -> list[str]:
    """Paths below the folder, sorted; none where it is not set."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return []
    root = Path(folder)
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in _TEXTS
    )
