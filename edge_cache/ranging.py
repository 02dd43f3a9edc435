"""Range requests for a body that is not held whole, answered block by block.

Blocks are fixed, so that the requests of many clients meet in the same ones.  A fill of the
whole is joined where its bytes come soon, and begun where most of a body that fits is wanted.
"""

from collections.abc import Iterator
from itertools import islice

from edge_cache.config import EdgeConfig
from edge_cache.entry import Entry, same_version
from edge_cache.file_part import FilePart
from edge_cache.fill import Fill, Wanted
from edge_cache.http.ranges import Asked, ByteRange, parse_asked
from edge_cache.parts import part_of
from edge_cache.request import Request
from edge_cache.selection import Full, Part, Selection


def asked_of(request: Request) -> Asked | None:
    """The one range that a GET asks for."""
    return parse_asked(request.text(b"range")) if request.method == b"GET" else None


def first_wanted(asked: Asked, config: EdgeConfig) -> Wanted | None:
    """What to ask of a body of which nothing is known yet; None for what would be too much."""
    block = block_size(config)
    if asked.start is None:
        return Wanted(None, asked.stop or 0) if 0 < (asked.stop or 0) <= block else None
    return block_at(asked.start, block)


def block_at(offset: int, block: int) -> Wanted:
    start = offset - offset % block
    return Wanted(start, start + block)


def block_size(config: EdgeConfig) -> int:
    return min(config.block, config.ram_limit)


def comes_soon(fill: Fill, asked: Asked, config: EdgeConfig) -> bool:
    """Whether to wait for the fill of the whole rather than to fetch a part."""
    if not fill.outcome.done():
        return True
    return asked.start is not None and asked.start <= fill.body.size + block_size(config)


def sent_in_blocks(selection: Selection, entry: Entry, config: EdgeConfig) -> ByteRange | None:
    """What to send from what is held and the blocks that are missing, rather than to fetch the
    whole; None for nothing.

    All of a body that does not fit is not kept for those who want all of it.
    """
    match selection:
        case Part(part):
            pass
        case Full() if entry.size <= config.whole_limit:
            part = ByteRange(0, entry.size)
        case _:
            return None
    return part if _is_for_blocks(entry, part, config) else None


def _is_for_blocks(entry: Entry, part: ByteRange, config: EdgeConfig) -> bool:
    if entry.strong_validator is None:
        return pieces(entry, part.start, part.stop) is not None
    if entry.size > config.whole_limit:
        return True
    return len(list(islice(missing(entry, part, config), 2))) < 2


def missing(entry: Entry, part: ByteRange, config: EdgeConfig) -> Iterator[int]:
    """Where the blocks begin of which *part* needs bytes that are not held."""
    block = block_size(config)
    for at in range(part.start - part.start % block, part.stop, block):
        if pieces(entry, max(at, part.start), min(at + block, part.stop)) is None:
            yield at


def pieces(entry: Entry, start: int, stop: int) -> list[memoryview | FilePart] | None:
    """Bytes ``[start, stop)`` of the body; None if they are not all there."""
    if entry.parts is None:
        return [part_of(entry.body, start, stop)]
    return entry.parts.read(start, stop)


def may_follow(one: Entry, other: Entry) -> bool:
    """Whether bytes of *other* may come after bytes of *one* in the same response."""
    return one is other or (one.size == other.size and same_version(one, other))
