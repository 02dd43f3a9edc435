"""Which container a file is, by its first bytes, and who reads it."""

from packager.isobmff.demux import demux as demux_isobmff
from packager.plan import Reads
from packager.source import Movie


def demux(file_size: int) -> Reads[Movie]:
    """Read the tracks and sample tables of a file of *file_size* bytes.

    Raises ``PackagerError`` for a file that is refused.
    """
    return (yield from demux_isobmff(file_size))
