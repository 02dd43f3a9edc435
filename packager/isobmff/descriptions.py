"""Which sample description a track's samples use, and where it says that their data is.

Several are taken where they come down to the same (ISO/IEC 14496-12 §8.5.2, §8.7.2, §8.7.4).
"""

import struct
from collections.abc import Set

from packager.errors import Unsupported
from packager.isobmff.box import children, iter_boxes, unpack, version_and_flags
from packager.isobmff.sample_entries import nth_entry, parse_sample_entry
from packager.tracks import AudioFormat, VideoFormat

MAX_DESCRIPTIONS = 32
"""That the samples of a track may use."""

_COUNT = struct.Struct(">I")
_ENTRY = struct.Struct(">6xH")
_SELF_CONTAINED = 1


def parse_description(
    stsd: memoryview, used: Set[int], dinf: memoryview | None
) -> VideoFormat | AudioFormat:
    """What all the entries of *stsd* that are *used*, 1-based, say.

    Raises ``Unsupported`` where they differ, there is none of that number, or the data is in
    another file.
    """
    if len(used) > MAX_DESCRIPTIONS:
        raise Unsupported(f"stsd: {len(used)} sample descriptions are used")
    forms = []
    for number in sorted(used or {1}):
        forms.append(parse_sample_entry(stsd, number))
        _, fourcc, entry = nth_entry(stsd, number)
        _check_reference(dinf, *unpack(fourcc, _ENTRY, entry))
    if any(form != forms[0] for form in forms):
        names = ", ".join(dict.fromkeys(form.codec for form in forms))
        raise Unsupported(
            f"stsd: samples use {len(forms)} sample descriptions that differ ({names})"
        )
    return forms[0]


def _check_reference(dinf: memoryview | None, number: int) -> None:
    """An entry without the flag that names no place is a writer's mistake."""
    boxes = {} if dinf is None else children(dinf)
    if b"dref" not in boxes:
        return
    body = version_and_flags(b"dref", boxes[b"dref"])[2]
    unpack(b"dref", _COUNT, body)
    for at, (fourcc, payload) in enumerate(iter_boxes(body[4:]), 1):
        if at == number:
            _, flags, place = version_and_flags(fourcc, payload)
            if not flags & _SELF_CONTAINED and any(place):
                name = fourcc.decode("ascii", "backslashreplace")
                raise Unsupported(f"dref: the media data is in another file ({name!r})")
