"""A process that writes one file's access units into an MP4: ``python -m`` this module.

Its arguments are two descriptors, the file and the empty MP4.  It says what it does in lines of
JSON, and limits itself by the size of the file, so that a hostile one costs no more than an
error.  FFmpeg sees these two descriptors and nothing else.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_MEMORY = 3 << 30
_CPU_SECONDS, _BYTES_A_CPU_SECOND = 60, 2 << 20


def main(arguments: list[str]) -> int:
    source, target = map(int, arguments)
    _limit(os.fstat(source).st_size)
    try:
        from origin.ingest.remux import Refusal, remux
    except ImportError:
        _say(refused="remuxing takes PyAV, which is not installed (the package av)")
        return 1

    try:
        done = remux(source, target, lambda read: _say(read=read))
    except Refusal as error:
        _say(refused=str(error))
        return 1
    except MemoryError:
        _say(refused="needs too much memory")
        return 1
    _say(left_out=done.left_out, notes=done.notes)
    return 0


def _limit(size: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    seconds = _CPU_SECONDS + size // _BYTES_A_CPU_SECOND
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say(**fact: Any) -> None:
    print(json.dumps(fact), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
