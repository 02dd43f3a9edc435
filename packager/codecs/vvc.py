"""VVC: the decoder configuration record (ISO/IEC 14496-15 §11.2.4.2)."""

import base64

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.carried import CarriedVideo
from packager.errors import MalformedBox, Unsupported

_MAX_RECORD = 16 << 10


def parse_vvcc(entry: bytes, record: bytes) -> CarriedVideo:
    """The payload of vvcC, a full box, in a sample entry ``vvc1`` or ``vvi1``."""
    if len(record) < 6 or record[0] != 0:
        raise MalformedBox(b"vvcC", "not a version 0 record")
    if len(record) > _MAX_RECORD:
        raise Unsupported(f"vvcC: {len(record)} bytes are more than {_MAX_RECORD}")
    try:
        codec = _codec(Bits(record[4:]))
    except BitsExhausted:
        raise MalformedBox(b"vvcC", "cut short in its profile, tier and level") from None
    return CarriedVideo(entry, b"vvcC", record, f"{entry.decode()}.{codec}")


def _codec(bits: Bits) -> str:
    """§E.6: profile, tier and level, and what the stream is constrained to, in base 32."""
    bits.read(5)
    if bits.read(2) == 2:
        raise MalformedBox(b"vvcC", "NAL lengths of 3 bytes are not allowed")
    if not bits.flag():  # ptl_present_flag
        raise Unsupported("vvcC: no profile, tier and level")
    bits.read(9 + 3 + 2 + 2)  # output layer set, sublayers, frame rate, chroma format
    bits.read(3 + 5)  # bit depth
    bits.read(2)
    constraint_bytes = bits.read(6)
    profile, tier, level = bits.read(7), "LH"[bits.read(1)], bits.read(8)
    constraints = bits.read(8 * constraint_bytes).to_bytes(constraint_bytes, "big")
    text = base64.b32encode(constraints.rstrip(b"\0")).decode().rstrip("=")
    return f"{profile}.{tier}{level}{f'.C{text}' if text else ''}"
