"""What windows of a body read, in batches: a window is what a client is waited for, and too
little to ask another machine for.  Pure."""

from collections.abc import Iterable, Iterator, Sequence

from origin.windows import Read, Straight, Windows

Reads = Sequence[Read]
"""Of one window."""


def reads_of_windows(body: Windows, window: int) -> Iterator[Reads]:
    """What is read for each window that reads; what could go straight from a file is windows
    of *window* bytes."""
    for one in body:
        if isinstance(one, Straight):
            for start in range(0, one.size, window):
                yield [(one.offset + start, 0, min(window, one.size - start))]
        elif one.reads:
            yield one.reads


def room_of(reads: Reads) -> int:
    """Bytes of the buffer that they fill."""
    return max((stop for _, _, stop in reads), default=0)


def batches(needs: Iterable[Reads], limit: int) -> Iterator[list[Reads]]:
    """*needs* in batches of at most *limit* bytes of buffers, or of one window.

    >>> list(batches([[(0, 0, 5)], [(5, 0, 5)], [(10, 0, 5)]], 10))
    [[[(0, 0, 5)], [(5, 0, 5)]], [[(10, 0, 5)]]]
    """
    held: list[Reads] = []
    room = 0
    for reads in needs:
        size = room_of(reads)
        if held and room + size > limit:
            yield held
            held, room = [], 0
        held.append(reads)
        room += size
    if held:
        yield held


def shifted(reads: Reads, by: int) -> Reads:
    """The same into a buffer in which theirs begins at *by*."""
    return [(offset, start + by, stop + by) for offset, start, stop in reads]
