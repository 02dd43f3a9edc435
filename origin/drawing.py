"""A process that draws, ``python -m`` this module: jobs on standard input, JPEG on its output.

An answer is a length and the JPEG; of length 0 a reason follows, of its own length.  A hostile
stream that ends the process, or makes it large, costs one picture: memory is limited here, and
time by whoever asks.
"""

import ctypes
import os
import resource
import signal
import struct
import sys

from packager.pictures.jobs import read_job

_PR_SET_PDEATHSIG = 1
_MEMORY = 2 << 30
_LENGTH = struct.Struct(">I")
READY = b"+"


def main() -> int:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    from packager.pictures.drawing import Undecodable, draw

    _limit()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    target.write(READY)
    target.flush()
    while (asked := read_job(source.read)) is not None:
        job, samples = asked
        try:
            answer = draw(job, memoryview(samples))
            target.write(_LENGTH.pack(len(answer)) + answer)
        except Undecodable as error:
            target.write(_refusal(str(error)))
        except MemoryError:
            target.write(_refusal("needs too much memory"))
        target.flush()
    return 0


def _limit() -> None:
    """After the imports: FFmpeg opens nothing from here on, and writes no file."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    os.nice(5)  # segments go before pictures


def _refusal(reason: str) -> bytes:
    words = reason.encode()[:500]
    return _LENGTH.pack(0) + _LENGTH.pack(len(words)) + words


if __name__ == "__main__":
    sys.exit(main())
