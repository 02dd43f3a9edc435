"""Which run of the kernel this is: what memory held and clocks said is of one run alone."""

from pathlib import Path

from xxhash import xxh3_64_digest

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE = Path("/proc/self/ns/time")


def boot_id() -> bytes:
    """Empty where the kernel does not tell."""
    try:
        return _BOOT_ID.read_bytes().strip()[:36]
    except OSError:
        return b""


def clock_epoch() -> bytes:
    """Names the zero of the monotonic clock, which all processes of one boot share, but for
    those in another time namespace; empty if that is not known."""
    boot = boot_id()
    try:
        namespace = str(_TIME_NAMESPACE.readlink())
    except FileNotFoundError:  # a kernel that has none
        namespace = ""
    except OSError:
        return b""
    return xxh3_64_digest(boot + namespace.encode()) if boot else b""
