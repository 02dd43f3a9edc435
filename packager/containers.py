"""Which container a file is, by its first bytes, and who reads it."""

from packager.errors import Unsupported
from packager.isobmff.box import LARGE_HEADER_SIZE
from packager.isobmff.demux import demux as demux_isobmff
from packager.matroska.demux import demux as demux_matroska
from packager.matroska.segment import MAGIC as EBML
from packager.plan import Extent, Reads
from packager.source import Movie

_SYNC = b"\x47"
"""Of MPEG-TS, behind 4 bytes in one of 192-byte packets; the name of a box is letters."""


def demux(file_size: int) -> Reads[Movie]:
    """Read the tracks and sample tables of a file of *file_size* bytes.

    Raises ``PackagerError`` for a file that is refused.
    """
    first = Extent(0, min(LARGE_HEADER_SIZE, file_size))
    start = (yield first) if file_size else b""
    if start.startswith(EBML):
        return (yield from demux_matroska(file_size))
    if _SYNC in (start[:1], start[4:5]) and not start[4:8].isalnum():
        raise Unsupported("MPEG-TS: ingest it first, from a local file")
    return (yield from _begun(demux_isobmff(file_size), first, start))


def _begun(reads: Reads[Movie], known: Extent, data: bytes) -> Reads[Movie]:
    """*reads*, for which the bytes at *known* need not be read once more."""
    try:
        wanted = next(reads)
        while True:
            wanted = reads.send(data if wanted == known else (yield wanted))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
