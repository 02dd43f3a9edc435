"""How the C library keeps freed memory.

Arrays of a window come and go with every response.  By default glibc gives the top of its
heap back to the kernel each time and faults it in again: measured, that doubled the CPU of a
transport stream segment.  So a worker keeps up to ``KEPT`` bytes at hand.
"""

import ctypes

KEPT = 64 << 20
_LARGE = 32 << 20
"""Bytes from which an allocation is mapped by itself, and unmapped when it is freed."""

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Whether the C library took the advice; another one than glibc has its own ways."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all((
        mallopt(_M_MMAP_THRESHOLD, _LARGE),
        mallopt(_M_TRIM_THRESHOLD, KEPT),
        mallopt(_M_TOP_PAD, 4 << 20),
    ))  # fmt: skip
