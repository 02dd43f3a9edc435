"""Scenarist closed captions: the byte pairs of line 21 with the time codes of their lines.

    Scenarist_SCC V1.0

    00:00:01;12<TAB>9420 9420 94ae 94ae 9470 9470 c8e5 ecec ef80 942f 942f

One pair is sent with each frame, 30000/1001 a second; ``;`` before the frames is drop frame.
Channel 1 is read.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from packager.captions.cea608 import cues
from packager.captions.cues import Captions, MalformedCaptions
from packager.captions.encodings import decode
from packager.captions.timecode import NTSC, frame_number

SIGNATURE = "Scenarist_SCC"
_PAIR = re.compile(r"[0-9A-Fa-f]{4}")


def parse(data: bytes) -> Captions:
    """Raises ``MalformedCaptions``."""
    text, encoding = decode(data)
    lines = text.split("\n")
    if not re.match(rf"{SIGNATURE} V1\.0[ \t]*$", lines[0]):
        raise MalformedCaptions(1, f"it does not begin with {SIGNATURE} V1.0")
    found = sorted(cues(_pairs(lines)), key=lambda cue: cue.start)
    return Captions(tuple(found), (), encoding)


def _pairs(lines: list[str]) -> Iterator[tuple[Fraction, int, int]]:
    sent = 0
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        code, *words = line.split()
        try:
            frame = max(frame_number(code), sent)
        except ValueError as error:
            raise MalformedCaptions(number, str(error)) from None
        for word in words:
            if not _PAIR.fullmatch(word):
                raise MalformedCaptions(number, f"{word[:20]!r} is not a pair of bytes")
            first, second = bytes.fromhex(word)
            yield frame / NTSC, first, second
            frame += 1
        sent = frame
