"""What the kernel says of a process: CPU by the scheduler's accounting, memory, reads.

``schedstat`` counts nanoseconds on a CPU, thread by thread; ``utime`` of ``/proc/PID/stat``
counts in ticks of 10 ms, too coarse for one request.
"""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

_PROC = Path("/proc")


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU that the processes have used so far, all their threads together."""
    return sum(_cpu_nanoseconds(pid) for pid in pids) / 1e9


def _cpu_nanoseconds(pid: int) -> int:
    total = 0
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        raise BenchError(f"process {pid} has ended") from None
    for thread in threads:
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end meanwhile
            total += int((thread / "schedstat").read_text().split()[0])
    return total


def children(pid: int) -> list[int]:
    """The processes that *pid* has started."""
    return list(map(int, (_PROC / f"{pid}/task/{pid}/children").read_text().split()))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes."""

    resident: int
    proportional: int
    """Pages shared with other processes counted by their share."""


def memory(pid: int) -> Memory:
    found: dict[str, int] = {}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        found[name] = int(value) << 10
    return Memory(found["Rss:"], found["Pss:"])


@dataclass(frozen=True, slots=True)
class Reads:
    """What a process has read so far by ``read``, ``pread`` and their kin.

    Not what it received from sockets; but the wake-ups of its loop, 8 bytes each, count.
    """

    size: int
    calls: int

    def __sub__(self, earlier: "Reads") -> "Reads":
        return Reads(self.size - earlier.size, self.calls - earlier.calls)


def reads(pid: int) -> Reads:
    lines = (_PROC / str(pid) / "io").read_text().splitlines()
    found = {name: int(value) for name, value in (line.split(": ") for line in lines)}
    return Reads(found["rchar"], found["syscr"])


def listeners(port: int) -> list[int]:
    """The processes of this machine that hold a socket listening on *port* of TCP."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return [
        int(process.name)
        for process in _PROC.iterdir()
        if process.name.isdecimal() and sockets & _open_files(process)
    ]


def _listening_inodes(port: int) -> Iterable[str]:
    for name in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in (_PROC / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _open_files(process: Path) -> set[str]:
    found = set()
    with suppress(OSError):  # not ours to look at, or gone
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(str(link.readlink()))
    return found


def is_local(host: str) -> bool:
    """Whether *host* is this machine, seen from the loopback interface."""
    try:
        return socket.gethostbyname(host).startswith("127.")
    except OSError:
        return False


def pin(core: int | None) -> None:
    """Keep the calling thread, and what it starts from now on, on one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})
