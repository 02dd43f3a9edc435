"""Clusters to frames: where each lies and when it is presented (RFC 9559 §5.1.3, §10).

One loop over all blocks of a file, for it has hundreds of thousands.  The file is read once
and in order, a window at a time; what of a frame lies behind its window is not read.
"""

from array import array
from dataclasses import dataclass, field

from packager.errors import MalformedElement, Unsupported
from packager.matroska.ebml import HEAD_SIZE, head, name_of, signed, unsigned, vint
from packager.matroska.lacing import MASK, MAX_HEADER, laced
from packager.plan import Extent, Reads
from packager.source import MAX_SAMPLES

WINDOW = 2 << 20
HEAD = 16
"""Bytes kept of the beginning of each frame of a codec whose frames tell their duration."""

UNTIMED = -(1 << 62)
"""Of a frame in a lace behind its first one."""

MAX_TIMESTAMP = 1 << 46
"""Nanoseconds or less each: 19 hours at the finest scale there is."""

_MARGIN = 64
"""Bytes of a block's head, its header and ``HEAD``, at least."""

_MAX_OTHERS = 100_000
"""Elements that are no block, beyond those that blocks account for."""

_MAX_FRAME = 64 << 20
_SIMPLE, _GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_TIMESTAMP, _DURATION, _REFERENCE, _PADDING = 0xE7, 0x9B, 0xFB, 0x75A2
_NUMBERS = (_DURATION, _PADDING)
LEVEL_1 = frozenset(
    {0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1254C367, 0x1043A770,
     0x1941A469, 0x18538067, 0x1A45DFA3}
)  # fmt: skip
"""What ends a cluster of unknown size: its siblings, another segment or another file."""


@dataclass(slots=True, eq=False)
class Frames:
    """Of one track, in the order of the file, which is that of decoding."""

    heads: bytearray | None = None
    """``HEAD`` bytes of each, where they are kept."""

    time: "array[int]" = field(default_factory=lambda: array("q"))
    """Ticks of the segment, or ``UNTIMED``."""

    offset: "array[int]" = field(default_factory=lambda: array("q"))
    size: "array[int]" = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    laced: bool = False
    told: tuple[int, int | None, int] = (0, None, 0)
    """How many frames there were behind the last BlockGroup, its BlockDuration (ticks of the
    segment) and its DiscardPadding (nanoseconds)."""

    @property
    def last_duration(self) -> int | None:
        """Of the last block, ticks of the segment, where it tells."""
        return self.told[1] if self.told[0] == len(self.time) else None

    @property
    def padding(self) -> int:
        """Nanoseconds at the end of the last block that are not presented."""
        return max(0, self.told[2]) if self.told[0] == len(self.time) else 0


@dataclass(slots=True, eq=False)
class Walk:
    """The window on the file and the frames that were found."""

    file_size: int
    frames: dict[int, Frames]
    """By track number; blocks of others are passed over."""

    data: bytes = b""
    start: int = 0
    """Where in the file the window begins."""

    others: int = 0

    @property
    def found(self) -> int:
        return sum(len(each.time) for each in self.frames.values())

    def see(self, at: int) -> Reads[None]:
        """Move the window so that a head at *at* is in it.  Behind the end of the file there
        are zeros."""
        if self.start <= at and at + _MARGIN <= self.start + len(self.data):
            return
        length = max(0, min(WINDOW, self.file_size - at))
        self.data = (yield Extent(at, length)) if length else b""
        if len(self.data) < length:
            raise MalformedElement("Segment", "the file ends inside it")
        self.start = at
        if at + length >= self.file_size:
            self.data += bytes(_MARGIN)
        self.bound()
        found = self.found
        if self.others > _MAX_OTHERS + 8 * found:
            raise Unsupported(f"Segment: {self.others} elements for {found} frames")

    def bound(self) -> None:
        if self.found > MAX_SAMPLES:
            raise Unsupported(f"Segment: more than {MAX_SAMPLES} frames")

    def head(self, at: int, parent: str) -> Reads[tuple[int, int | None, int]]:
        """As ``ebml.head``, of the element at *at* of the file."""
        if at + 2 > self.file_size:
            raise MalformedElement(f"an element in {parent}", "cut short")
        yield from self.see(at)
        self.others += 1
        if not self.others & 0xFFFF and self.others > _MAX_OTHERS + 8 * self.found:
            raise Unsupported(f"Segment: {self.others} elements for {self.found} frames")
        place = at - self.start
        return head(self.data[place : place + HEAD_SIZE], 0, parent)


def read_cluster(walk: Walk, at: int, end: int, *, open_ended: bool) -> Reads[int]:
    """Find the frames of the cluster whose children lie from *at* to *end*; where it ends.

    One that is *open_ended*, for its size is unknown, ends before the first element that is
    no child of it.
    """
    time = None
    while at < end:
        if walk.start + len(walk.data) - at < _MARGIN or at < walk.start:
            yield from walk.see(at)
        if time is not None and walk.data[at - walk.start] == _SIMPLE:
            at = yield from _simple_blocks(walk, at, end, time)
            continue
        identifier, size, width = yield from walk.head(at, "Cluster")
        if open_ended and identifier in LEVEL_1:
            return at
        at = _inside(identifier, at + width, size, end, "Cluster")
        begin = at - (size or 0)
        if identifier == _TIMESTAMP:
            time = yield from _number(walk, begin, size or 0)
            if time > MAX_TIMESTAMP:
                raise MalformedElement("Timestamp", f"{time} is out of range")
        elif identifier in (_GROUP, _SIMPLE):
            if time is None:
                raise MalformedElement("Timestamp", f"missing before a {name_of(identifier)}")
            if identifier == _GROUP:
                yield from _group(walk, begin, at, time)
        elif identifier in LEVEL_1:
            raise MalformedElement(name_of(identifier), "inside a Cluster")
    return at


def _inside(identifier: int, at: int, size: int | None, end: int, parent: str) -> int:
    """Where the element whose payload begins at *at* ends."""
    if size is None:
        raise MalformedElement(name_of(identifier), f"of unknown size in {parent}")
    if at + size > end:
        left = max(0, end - at)
        raise MalformedElement(
            name_of(identifier), f"size {size} exceeds the {left} left in {parent}"
        )
    return at + size


def _number(walk: Walk, at: int, size: int) -> Reads[int]:
    yield from walk.see(at)
    place = at - walk.start
    return unsigned(memoryview(walk.data)[place : place + min(size, 9)], "Timestamp")


def _simple_blocks(walk: Walk, at: int, end: int, time: int) -> Reads[int]:
    """SimpleBlocks from *at* on, in one loop; where something else begins."""
    tracks = walk.frames
    while True:
        data, start = walk.data, walk.start
        last = start + len(data) - _MARGIN
        while at <= last:
            if at >= end or data[at - start] != _SIMPLE:
                return at
            place = at - start + 1
            first = data[place]
            if first >= 0x80:
                size, place = first & 0x7F, place + 1
                unknown = size == 0x7F
            elif first >= 0x40:
                size, place = (first & 0x3F) << 8 | data[place + 1], place + 2
                unknown = size == 0x3FFF
            else:
                size, width, ones = vint(data, place, "SimpleBlock: its size")
                place += width
                unknown = size == ones
            begin = start + place
            at = begin + size
            if unknown or at > end:
                _inside(_SIMPLE, begin, None if unknown else size, end, "Cluster")
            number = data[place]
            if number >= 0x80:
                number &= 0x7F
                place += 1
            else:
                number, width, _ = vint(data, place, "SimpleBlock: its track number")
                place += width
            frames = tracks.get(number)
            if frames is None:
                walk.others += 1
                continue
            relative, flags = data[place] << 8 | data[place + 1], data[place + 2]
            if relative >= 0x8000:
                relative -= 0x10000
            place += 3
            size = at - start - place
            if flags & MASK or not 0 < size <= _MAX_FRAME:
                yield from _uncommon(walk, frames, start + place, size, time + relative, flags)
                if walk.start != start:
                    break
                continue
            frames.time.append(time + relative)
            frames.offset.append(start + place)
            frames.size.append(size)
            frames.key.append(flags >> 7)
            if frames.heads is not None:
                frames.heads += data[place : place + HEAD]
        if at >= end:
            return at
        yield from walk.see(at)


def _uncommon(
    walk: Walk, frames: Frames, at: int, size: int, time: int, flags: int
) -> Reads[None]:
    """The frames of the block whose payload behind its header is *size* bytes at *at*: a block
    with a lace, without a frame, or one frame of a BlockGroup."""
    if size < 0:
        raise MalformedElement("Block", "cut short inside its header")
    if size > _MAX_FRAME:
        raise Unsupported(f"Block: {size} bytes are more than {_MAX_FRAME}")
    sizes = [size]
    if flags & MASK:
        frames.laced = True
        length = min(size, MAX_HEADER)
        place = at - walk.start
        known = walk.data[place : place + length] if place >= 0 else b""
        if len(known) < length:
            known = yield Extent(at, length)
        before, sizes = laced(known, flags, size)
        at += before
    if not any(sizes):
        walk.others += 1
    for each in sizes:
        if each:  # an empty one is no frame
            frames.time.append(time)
            frames.offset.append(at)
            frames.size.append(each)
            frames.key.append(flags >> 7)
            if frames.heads is not None:
                yield from walk.see(at)
                place = at - walk.start
                frames.heads += walk.data[place : place + HEAD]
            time = UNTIMED
        at += each


def _group(walk: Walk, at: int, end: int, time: int) -> Reads[None]:
    """A BlockGroup (§5.1.3.5)."""
    block: tuple[int, int] | None = None
    flags, told = 0x80, dict[int, int]()
    while at < end:
        identifier, size, width = yield from walk.head(at, "BlockGroup")
        begin, at = at + width, _inside(identifier, at + width, size, end, "BlockGroup")
        if identifier == _BLOCK:
            block = begin, at
        elif identifier == _REFERENCE:
            flags = 0
        elif identifier in _NUMBERS:
            yield from walk.see(begin)
            place = begin - walk.start
            payload = memoryview(walk.data)[place : place + min(at - begin, 9)]
            told[identifier] = signed(payload, name_of(identifier))
    if block is None:
        raise MalformedElement("BlockGroup", "no Block in it")
    yield from walk.see(block[0])
    place = block[0] - walk.start
    number, width, _ = vint(walk.data, place, "Block: its track number")
    frames = walk.frames.get(number)
    if frames is None:
        return
    place += width
    relative = int.from_bytes(walk.data[place : place + 2], "big", signed=True)
    flags |= walk.data[place + 2] & MASK
    at = walk.start + place + 3
    yield from _uncommon(walk, frames, at, block[1] - at, time + relative, flags)
    frames.told = len(frames.time), told.get(_DURATION), told.get(_PADDING, 0)
