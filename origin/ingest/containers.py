"""Which files are remuxed when they are ingested, told by their first bytes.  Pure.

The names of demuxers are FFmpeg's and all that it is ever asked for: nothing here opens another
file, an address or a device (no playlists, no concat, no image sequences).
"""

from dataclasses import dataclass

HEAD = 1 << 18
"""Bytes that are looked at."""

_SYNC = 0x47
_STRIDES = ((188, 0), (192, 4), (204, 0))
"""Bytes of a packet with what some put around it, and where its sync byte is
(ISO/IEC 13818-1 §2.4.3.2; the 4 bytes before are BDAV's, the 16 behind Reed-Solomon's)."""

_ROW = 8
"""Sync bytes in a row that chance does not make."""

_MOST_GARBAGE = 1 << 16
"""Bytes before the first packet."""

_ISOBMFF = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"uuid", b"sidx")
)


@dataclass(frozen=True, slots=True)
class Packets:
    """How the packets of a transport stream lie in its file."""

    start: int
    """Offset of the first sync byte."""

    stride: int


@dataclass(frozen=True, slots=True)
class Container:
    title: str
    demuxer: str
    packets: Packets | None = None


_MAGIC = (
    (b"FLV\x01", 0, "FLV", "flv"),
    (b"AVI ", 8, "AVI", "avi"),
    (b"\x00\x00\x01\xba", 0, "MPEG program stream", "mpeg"),
    (b"fLaC", 0, "FLAC", "flac"),
    (b"OggS", 0, "Ogg", "ogg"),
    (b"\xff\xf1", 0, "ADTS", "aac"),
    (b"\xff\xf9", 0, "ADTS", "aac"),
    (b"ID3", 0, "MP3", "mp3"),
    (b"\xff\xfb", 0, "MP3", "mp3"),
    (b"\xff\xfa", 0, "MP3", "mp3"),
)


def sniff(head: bytes) -> Container | None:
    """The container to remux that begins with *head*; None for all others.

    >>> sniff(b"fLaC" + bytes(40)).title
    'FLAC'
    >>> sniff(b"\\0\\0\\0\\x18ftypisom")
    """
    if head[4:8] in _ISOBMFF or head[:4] == b"\x1a\x45\xdf\xa3":
        return None
    for magic, at, title, demuxer in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return Container(title, demuxer)
    packets = find_packets(head)
    return None if packets is None else Container("MPEG-TS", "mpegts", packets)


def find_packets(head: bytes) -> Packets | None:
    """Where the transport packets of *head* are, if it holds any in a row."""
    at = head.find(_SYNC, 0, _MOST_GARBAGE)
    while at >= 0:
        for stride, before in _STRIDES:
            seen = head[at : at + _ROW * stride : stride]
            enough = len(seen) >= min(_ROW, (len(head) - at) // stride) >= 2
            if enough and at >= before and seen.count(_SYNC) == len(seen):
                return Packets(at, stride)
        at = head.find(_SYNC, at + 1, _MOST_GARBAGE)
    return None
