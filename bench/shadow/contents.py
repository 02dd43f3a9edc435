"""A body's kind, by its bytes, and what of two bodies is compared."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bench.errors import BenchError
from bench.shadow.asking import NoAnswer
from bench.shadow.comparing import compare_tracks
from bench.shadow.differences import Difference, Tolerance
from bench.shadow.frames import Track, decoded, read_tracks
from bench.shadow.mpds import Presentation, compare_mpds, read_mpd
from bench.shadow.playlists import (
    Media,
    Multivariant,
    compare_media,
    compare_multivariant,
    read_playlist,
)

_TS_PACKET, _SYNC = 188, 0x47
_FRAGMENT = (b"styp", b"moof", b"sidx", b"emsg", b"prft")
"""Boxes that a media segment begins with, which an init segment goes before."""

_STAMP = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)\.(\d{3})")


class Kind(StrEnum):
    PLAYLIST = "playlist"
    MPD = "mpd"
    SEGMENT = "segment"
    INIT = "init"
    CAPTIONS = "captions"
    OTHER = "other"
    """Keys, pictures: equal or not."""


Cue = tuple[float, float, str]
"""When it begins and ends, in seconds, and its text."""

Init = Callable[[], tuple[bytes, bytes]]
"""The init segments of both sides; raises ``NoAnswer``."""


def kind_of(body: bytes) -> Kind:
    start = body[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"#EXTM3U"):
        return Kind.PLAYLIST
    if b"<MPD" in start:
        return Kind.MPD
    if start.startswith(b"WEBVTT"):
        return Kind.CAPTIONS
    if body[:1] == bytes([_SYNC]) and body[_TS_PACKET : _TS_PACKET + 1] in (b"", body[:1]):
        return Kind.SEGMENT
    if body[4:8] in _FRAGMENT:
        return Kind.SEGMENT
    if body[4:8] in (b"ftyp", b"moov"):
        return Kind.SEGMENT if b"mdat" in _boxes(body) else Kind.INIT
    if body[:2] in (b"\xff\xf1", b"\xff\xf9") or body[:3] == b"ID3":
        return Kind.SEGMENT
    return Kind.OTHER


def _boxes(body: bytes) -> list[bytes]:
    """Types at the top, the first of them."""
    found: list[bytes] = []
    place = 0
    while place + 8 <= len(body) and len(found) < 100:
        size = int.from_bytes(body[place : place + 4])
        found.append(body[place + 4 : place + 8])
        if size < 8:  # to the end, or 64 bits long: either way the media itself
            break
        place += size
    return found


@dataclass(frozen=True, slots=True)
class _Segment:
    data: bytes
    """Behind its init segment."""

    tracks: list[Track]


@dataclass(frozen=True, slots=True)
class _Cues:
    cues: list[Cue]


class _Unreadable(Exception):
    def __init__(self, difference: Difference) -> None:
        super().__init__()
        self.difference = difference


def compare_bodies(
    peer: bytes, ours: bytes, tolerance: Tolerance, init: Init
) -> Iterator[Difference]:
    kind, other = kind_of(peer), kind_of(ours)
    if kind is not other:
        yield Difference("kind", kind, other)
        return
    try:
        yield from _compare(_read(kind, peer, init, 0), _read(kind, ours, init, 1), tolerance)
    except _Unreadable as error:
        yield error.difference


def _read(kind: Kind, body: bytes, init: Init, side: int) -> object:
    try:
        match kind:
            case Kind.PLAYLIST:
                return read_playlist(body)
            case Kind.MPD:
                return read_mpd(body)
            case Kind.CAPTIONS:
                return _Cues(read_cues(body))
            case Kind.SEGMENT | Kind.INIT:
                data = init()[side] + body if body[4:8] in _FRAGMENT else body
                return _Segment(data, read_tracks(data))
        return body
    except BenchError as error:
        told = ("", str(error)) if side else (str(error), "")
        raise _Unreadable(Difference("unreadable", *told)) from None
    except NoAnswer as error:
        raise _Unreadable(Difference("answer", "", "", f"init segment: {error}")) from None


def _compare(peer: object, ours: object, tolerance: Tolerance) -> Iterator[Difference]:
    match peer, ours:
        case Multivariant(), Multivariant():
            yield from compare_multivariant(peer, ours, tolerance)
        case Media(), Media():
            yield from compare_media(peer, ours, tolerance)
        case ((Multivariant() | Media()), (Multivariant() | Media())):
            names = [type(one).__name__.lower() for one in (peer, ours)]
            yield Difference("kind", f"{names[0]} playlist", f"{names[1]} playlist")
        case Presentation(), Presentation():
            yield from compare_mpds(peer, ours, tolerance)
        case _Cues(a), _Cues(b):
            yield from _compare_cues(a, b)
        case _Segment(a, x), _Segment(b, y):
            yield from compare_tracks(
                x, y, tolerance, lambda kind: decoded(a, kind) == decoded(b, kind)
            )
        case bytes(), bytes() if peer != ours:
            yield Difference("bytes", f"{len(peer)} bytes", f"{len(ours)} bytes")


def read_cues(body: bytes) -> list[Cue]:
    """Times and texts of WebVTT; ids, settings and styles are left out."""
    cues = []
    for block in re.split(r"\n{2,}", body.decode("utf-8", "replace").replace("\r\n", "\n")):
        lines = block.split("\n")
        for number, line in enumerate(lines):
            if found := _STAMP.match(line):
                cues.append((*_times(found), "\n".join(lines[number + 1 :]).strip()))
                break
    return sorted(cues)


def _times(found: "re.Match[str]") -> tuple[float, float]:
    a, b = (found.groups()[start : start + 4] for start in (0, 4))
    first, last = (
        int(h or 0) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000 for h, m, s, ms in (a, b)
    )
    return first, last


def _compare_cues(peer: list[Cue], ours: list[Cue]) -> Iterator[Difference]:
    if peer == ours:
        return
    pairs = zip(peer, ours, strict=False)
    number = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(peer), len(ours)))
    yield Difference("cues", _told(peer, number), _told(ours, number), f"cue {number + 1}")


def _told(cues: list[Cue], number: int) -> str:
    return f"{len(cues)} cues" + (f", {cues[number]}" if number < len(cues) else "")
