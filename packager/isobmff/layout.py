"""The boxes of the top level: where moov is, and the movie fragments (ISO/IEC 14496-12 §4.2).

Nothing of mdat is read on purpose.  Of a progressive file only headers are read, also behind
moov: one without mvex may be followed by fragments all the same.  Once there are any, a window
is read from each of them on, which grows while they are small: then one read finds many.  sidx
and mfra say nothing that a walk over the boxes does not, and are left.
"""

from dataclasses import dataclass

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import LARGE_HEADER_SIZE, children, parse_header
from packager.isobmff.fragments import Fragments
from packager.plan import Extent, Reads

MAX_MOOV_SIZE = 128 << 20
MAX_MOOF_SIZE = 32 << 20
MAX_TOP_LEVEL_BOXES = 1 << 19
_MAX_BEFORE_MOOV = 1024
"""Boxes until moov or a fragment is seen."""

_WINDOW, _MAX_WINDOW = 64 << 10, 512 << 10
"""Bytes read from a fragment on."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    moov: memoryview
    """Its payload."""

    fragments: Fragments


def read_layout(file_size: int) -> Reads[Layout]:
    """Find moov, and the fragments of a file that has any."""
    walk = _Walk(file_size)
    position, moov = 0, None
    seen: list[bytes] = []
    for count in range(MAX_TOP_LEVEL_BOXES + 1):
        if file_size - position < 8 or (count == _MAX_BEFORE_MOOV and not walk.fragmented):
            break
        if count == MAX_TOP_LEVEL_BOXES:
            raise Unsupported(f"moof: more than {count} boxes in the file")
        header = yield from walk.read(position, LARGE_HEADER_SIZE)
        if len(header) < 8:
            break
        try:
            fourcc, start, size = parse_header(header, file_size - position)
        except MalformedBox:
            if moov is None or walk.fragmented:
                raise
            break  # behind a whole movie anything may lie
        if len(seen) < 8:
            seen.append(fourcc)
        if count == 0 and not fourcc.isalnum():
            raise MalformedBox(b"ftyp", "missing: this is not an ISO base media file")
        if fourcc == b"moov" and (moov is None or walk.fragmented):
            payload = yield from walk.payload(fourcc, position, start, size, MAX_MOOV_SIZE)
            if moov is None:
                moov = payload
            elif moov != payload:
                raise Unsupported("moov: another movie follows the first")
            walk.fragmented |= b"mvex" in children(moov)
        elif fourcc == b"moof":
            walk.fragmented = True
            payload = yield from walk.payload(fourcc, position, start, size, MAX_MOOF_SIZE)
            walk.fragments.add(payload, position)
        position += size  # an mdat may claim more than the file has: then moov came before
    if moov is None:
        raise _without_moov(file_size, seen, walk.fragments.count)
    return Layout(moov, walk.fragments)


def _without_moov(file_size: int, seen: list[bytes], fragments: int) -> Exception:
    if not file_size:
        return MalformedBox(b"moov", "missing: the file is empty")
    if fragments:
        return Unsupported("moof: a media segment without its moov")
    names = b" ".join(seen).decode("ascii", "backslashreplace")
    return MalformedBox(b"moov", f"missing; found {names or 'no box'}")


class _Walk:
    """Reads through a window, so that what lies close together is read together."""

    def __init__(self, file_size: int) -> None:
        self.fragments = Fragments(file_size)
        self.fragmented = False
        self._file_size = file_size
        self._window, self._at, self._hits = b"", 0, 0
        self._wish = _WINDOW

    def read(self, position: int, length: int) -> Reads[memoryview]:
        """*length* bytes at *position*, fewer only where the file ends."""
        length = min(length, self._file_size - position)
        skip = position - self._at
        if not 0 <= skip <= len(self._window) - length:
            ahead = self._next_window() if self.fragmented else length
            ahead = min(max(length, ahead), self._file_size - position)
            self._window, self._at, skip = (yield Extent(position, ahead)), position, 0
        return memoryview(self._window)[skip : skip + length]

    def _next_window(self) -> int:
        """Twice the last one where that held several fragments."""
        held, self._hits = self.fragments.count - self._hits, self.fragments.count
        self._wish = min(2 * self._wish, _MAX_WINDOW) if held > 1 else _WINDOW
        return self._wish

    def payload(
        self, fourcc: bytes, position: int, start: int, size: int, limit: int
    ) -> Reads[memoryview]:
        available = self._file_size - position
        if size > available:
            raise MalformedBox(fourcc, f"size {size} exceeds the {available} bytes left")
        if size > limit:
            raise Unsupported(f"{fourcc.decode()}: {size} bytes are more than {limit}")
        payload = yield from self.read(position + start, size - start)
        if len(payload) != size - start:
            raise MalformedBox(fourcc, "the file ends inside it")
        return payload
