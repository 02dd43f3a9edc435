"""Opening a file without waiting for a disk, where the kernel can promise that."""

import ctypes
import os
import sys

_OPENAT2 = 437
_AT_FDCWD = -100
_RESOLVE_CACHED = 0x20
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK

_syscall = ctypes.CDLL(None).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (
    ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t,
)  # fmt: skip
_how = (ctypes.c_uint64 * 3)(_FLAGS, 0, _RESOLVE_CACHED)  # struct open_how


def open_for_reading(path: str) -> int:
    """A descriptor; raises ``OSError``.

    ``O_NONBLOCK``: opening a pipe must not wait for somebody who writes to it.
    """
    return os.open(path, _FLAGS)


def open_known(path: str) -> int | None:
    """A descriptor where every part of *path* is in the kernel's memory: openat2(2) with
    ``RESOLVE_CACHED``.  None where it is not, where there is no such file, and on kernels
    that lack the call (before 5.12) or forbid it.
    """
    if "\0" in path or sys.platform != "linux":
        return None
    fd = int(_syscall(_OPENAT2, _AT_FDCWD, os.fsencode(path), _how, ctypes.sizeof(_how)))
    return fd if fd >= 0 else None
