"""Where figures were taken: the machine, the versions and the commit."""

import os
import platform
import subprocess
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
"""Where ``headrace.py`` is."""

_LIBRARIES = ("tornado", "uvloop", "httptools", "numpy", "av")
_BUSY = 0.5
"""Load from which the machine is not ours alone."""


@cache
def cores() -> tuple[int, ...]:
    """The cores that we may use, as they were when the process started."""
    return tuple(sorted(os.sched_getaffinity(0)))


def server_core() -> int | None:
    """The core of the server that is measured; None where there is only one for all."""
    return cores()[0] if len(cores()) > 1 else None


def client_core() -> int | None:
    """The core of the client."""
    return cores()[-1] if len(cores()) > 1 else None


@cache
def machine() -> dict[str, object]:
    return {
        "cpu": _cpu_model(),
        "cores": len(cores()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def describe(facts: dict[str, object]) -> str:
    """One line for people."""
    libraries = facts.get("libraries")
    names = libraries.items() if isinstance(libraries, dict) else ()
    parts = [
        f"{facts.get('cpu')}, {facts.get('cores')} cores",
        f"Linux {facts.get('kernel')}",
        f"Python {facts.get('python')}",
        *(f"{name} {number}" for name, number in names),
    ]
    return ", ".join(parts)


@cache
def commit() -> str | None:
    """Of the checkout that is measured, marked where files differ from it."""
    short = _git("rev-parse", "--short=12", "HEAD")
    if not short:
        return None
    return f"{short}+" if _git("status", "--porcelain", "--untracked-files=no") else short


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@cache
def load() -> float:
    """Processes that ran or waited to, on average over the minute before we did anything."""
    return round(os.getloadavg()[0], 2)


def busy(before: float) -> str | None:
    """What to say where others use the machine: where it had *before* as its load."""
    if before <= _BUSY:
        return None
    return f"the machine was busy before the first run: load {before:.1f}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:  # no git here
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
