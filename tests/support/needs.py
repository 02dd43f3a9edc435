"""What only the system can give: used if it is there, skipped with one line if not.

``HEADRACE_REQUIRE_ALL`` turns every such skip into a failure, so that CI cannot pass by
testing less.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRE_ALL = "HEADRACE_REQUIRE_ALL"

_HOW_TO_GET = {  # program: Debian package
    "chromium": "chromium",
    "nginx": "nginx",
    "traffic_server": "trafficserver",
    "varnishd": "varnish",
    "faketime": "faketime",
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "xmllint": "libxml2-utils",
    "postgres": "postgresql",
    "initdb": "postgresql",
    "redis-server": "redis-server",
    "strace": "strace",
}
_OTHER_FOLDERS = ("/usr/sbin", "/usr/lib/postgresql/*/bin")
"""Where Debian puts servers that are not on everybody's PATH."""


def need(program: str) -> str:
    """The path of *program*."""
    found = shutil.which(program) or _find_elsewhere(program)
    if found is None:
        package = _HOW_TO_GET.get(program, program)
        missing(f"{program} is not installed: apt-get install {package}")
    return found


def need_folder(variable: str, what: str) -> Path:
    """The folder or file that *variable* names."""
    value = os.environ.get(variable)
    if not value:
        missing(f"set {variable} to {what}")
    path = Path(value).absolute()
    if not path.exists():  # a wrong setting is never just a skip
        pytest.fail(f"{variable} names something that does not exist", pytrace=False)
    return path


def missing(line: str) -> NoReturn:
    """Skip the test with *line*, or fail it if everything is required."""
    if os.environ.get(REQUIRE_ALL, "") not in ("", "0"):
        pytest.fail(f"{line} ({REQUIRE_ALL} is set)", pytrace=False)
    pytest.skip(line)


def _find_elsewhere(program: str) -> str | None:
    for pattern in _OTHER_FOLDERS:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (found := shutil.which(program, path=str(folder))) is not None:
                return found
    return None
