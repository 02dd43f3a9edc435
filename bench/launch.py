"""Become a program on one core that ends when the bench does.

    python bench/launch.py CORE PROGRAM [ARGUMENT…]

CORE is empty where there is only one.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(core: str, command: list[str]) -> None:
    if core:
        os.sched_setaffinity(0, {int(core)})
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:  # the bench has ended already
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
