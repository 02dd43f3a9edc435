"""A process that writes one file's access units into an MP4: ``python -m`` this module.

Its arguments are two descriptors, the file and the empty MP4, and its limits: seconds of CPU,
bytes of memory, bytes of the MP4.  It says what it does in lines of JSON.  FFmpeg sees these
two descriptors and nothing else.
"""

import ctypes
import json
import resource
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_NO_MEMORY = "remuxing it takes more memory than it may"


def main(arguments: list[str]) -> int:
    source, target, *limits = map(int, arguments)
    _limit(*limits)
    try:
        from origin.ingest.remux import Refusal, remux
    except ModuleNotFoundError:
        _say(refused="remuxing takes PyAV: pip install headrace[remux]")
        return 1
    except (ImportError, MemoryError):
        _say(refused=_NO_MEMORY)
        return 1

    try:
        done = remux(source, target, lambda read: _say(read=read))
    except Refusal as error:
        _say(refused=str(error))
        return 1
    except MemoryError:
        _say(refused=_NO_MEMORY)
        return 1
    _say(left_out=done.left_out, notes=done.notes)
    return 0


def _limit(cpu_seconds: int, memory: int, output: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _lower(resource.RLIMIT_CPU, cpu_seconds)
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_FSIZE, output)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, limit: int) -> None:
    """The soft limit alone: at the hard one of CPU the signal would be anybody's, SIGKILL."""
    soft, hard = resource.getrlimit(what)
    given = [one for one in (limit, soft, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(what, (min(given), hard))


def _say(**fact: Any) -> None:
    print(json.dumps(fact), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
