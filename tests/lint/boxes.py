"""MP4 files as trees, to be changed and written again with sizes that fit."""

from collections.abc import Callable
from dataclasses import dataclass, field

_PLAIN = "moov trak mdia minf stbl dinf mvex edts moof traf udta sinf schi"
_PARENTS = dict.fromkeys(_PLAIN.split(), 0)
_PARENTS |= {"dref": 8, "stsd": 8, "avc1": 78, "encv": 78, "mp4a": 28, "enca": 28}


@dataclass
class Node:
    kind: str
    body: bytearray
    """Of a parent, what stands before its children."""
    children: list["Node"] = field(default_factory=list)

    def encode(self) -> bytes:
        body = bytes(self.body) + b"".join(child.encode() for child in self.children)
        return (8 + len(body)).to_bytes(4, "big") + self.kind.encode("latin-1") + body


def parse(data: bytes) -> list[Node]:
    found, at = [], 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8].decode()
        skip, payload = _PARENTS.get(kind), data[at + 8 : at + size]
        if skip is None:
            found.append(Node(kind, bytearray(payload)))
        else:
            found.append(Node(kind, bytearray(payload[:skip]), parse(payload[skip:])))
        at += size
    return found


def nodes(tree: list[Node], path: str) -> list[tuple[list[Node], int]]:
    """Every node of *path* as its list and its position there."""
    kind, _, rest = path.partition("/")
    found: list[tuple[list[Node], int]] = []
    for position, node in enumerate(tree):
        if node.kind == kind:
            found += nodes(node.children, rest) if rest else [(tree, position)]
    return found


Edit = Callable[[bytes], bytes]


def edited(path: str, change: Callable[[list[Node], int], None]) -> Edit:
    """The first node of *path* is changed."""

    def edit(data: bytes) -> bytes:
        tree = parse(data)
        where = nodes(tree, path)
        assert where, path
        change(*where[0])
        return b"".join(node.encode() for node in tree)

    return edit


def poke(path: str, at: int, value: bytes) -> Edit:
    """Octets of a box's body at *at* are *value*."""

    def change(siblings: list[Node], position: int) -> None:
        body = siblings[position].body
        assert len(body) >= at + len(value)
        body[at : at + len(value)] = value

    return edited(path, change)


def drop(path: str) -> Edit:
    return edited(path, lambda siblings, position: _pop(siblings, position))


def _pop(siblings: list[Node], position: int) -> None:
    siblings.pop(position)


def twice(path: str) -> Edit:
    return edited(path, lambda s, p: s.insert(p, s[p]))


def last(path: str) -> Edit:
    """Moved behind its siblings."""
    return edited(path, lambda siblings, position: siblings.append(siblings.pop(position)))


def behind(path: str, kind: str, body: bytes = b"") -> Edit:
    """A box more."""
    return edited(path, lambda s, p: s.insert(p + 1, Node(kind, bytearray(body))))


def before(path: str, kind: str, body: bytes = b"") -> Edit:
    return edited(path, lambda s, p: s.insert(p, Node(kind, bytearray(body))))


def inside(path: str, kind: str, body: bytes) -> Edit:
    """A box more at the end of another."""
    return edited(path, lambda s, p: s[p].children.append(Node(kind, bytearray(body))))


def renamed(path: str, kind: str) -> Edit:
    def change(siblings: list[Node], position: int) -> None:
        siblings[position].kind = kind

    return edited(path, change)


def rewritten(path: str, change: Callable[[bytes], bytes]) -> Edit:
    def rewrite(siblings: list[Node], position: int) -> None:
        siblings[position].body = bytearray(change(bytes(siblings[position].body)))

    return edited(path, rewrite)


def all_of(*edits: Edit) -> Edit:
    def edit(data: bytes) -> bytes:
        for one in edits:
            data = one(data)
        return data

    return edit
