"""Sample entries (ISO/IEC 14496-12 §8.5.2).  Contained in: stsd.

``parse_sample_entry`` and ``encode_sample_entry`` are near inverses: what is written is
made anew from the format, so that nothing of the source but what a decoder needs gets out.
"""

import struct

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.audio_entries import AUDIO_ENTRIES, encode_audio_entry, parse_audio_entry
from packager.isobmff.box import iter_boxes, unpack, version_and_flags
from packager.isobmff.visual_entries import (
    VISUAL_ENTRIES,
    encode_visual_entry,
    parse_visual_entry,
)
from packager.tracks import AudioFormat, VideoFormat

_COUNT = struct.Struct(">I")


def parse_sample_entry(stsd: memoryview, number: int = 1) -> VideoFormat | AudioFormat:
    """Entry *number* of *stsd*, from 1; ``Unsupported`` names a codec that is not handled."""
    version, fourcc, entry = nth_entry(stsd, number)
    if fourcc in VISUAL_ENTRIES:
        return parse_visual_entry(fourcc, entry)
    if fourcc in AUDIO_ENTRIES:
        return parse_audio_entry(fourcc, entry, quick_time=version == 0)
    if fourcc in (b"encv", b"enca"):
        raise Unsupported(f"{fourcc.decode()}: the samples are encrypted")
    raise Unsupported(f"stsd: codec {fourcc.decode('ascii', 'backslashreplace')!r}")


def nth_entry(stsd: memoryview, number: int) -> tuple[int, bytes, memoryview]:
    """Version of *stsd*, and type and payload of its entry *number*, from 1."""
    version, _, body = version_and_flags(b"stsd", stsd)
    unpack(b"stsd", _COUNT, body)
    entries = list(iter_boxes(body[4:]))
    if not entries:
        raise MalformedBox(b"stsd", "no sample entry")
    if not 1 <= number <= len(entries):
        raise Unsupported(f"stsd: sample description {number} of {len(entries)} is used")
    return version, *entries[number - 1]


def encode_sample_entry(form: VideoFormat | AudioFormat) -> bytes:
    if isinstance(form, VideoFormat):
        return encode_visual_entry(form)
    return encode_audio_entry(form)
