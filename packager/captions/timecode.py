"""SMPTE time codes (ST 12-1): frames that are counted 30 a second and are 30000/1001."""

import re
from fractions import Fraction

_CODE = re.compile(r"([0-9]{2,4}):([0-5][0-9]):([0-5][0-9])([:;.])([0-9]{2})")
_COUNTED = 30
NTSC = Fraction(30_000, 1001)


def drop_frame_number(seconds: int, counted: int = _COUNTED) -> int:
    """The number of the first frame of a second: the first two numbers of each minute but the
    tenth are dropped, with 60 frames a second the first four.

    >>> drop_frame_number(60), drop_frame_number(600)
    (1798, 17982)
    """
    minutes = seconds // 60
    return seconds * counted - (counted // 15) * (minutes - minutes // 10)


def frame_number(code: str) -> int:
    """The frame that a time *code* names, from 0; ``;`` before the frames is drop frame.
    Raises ``ValueError``.

    >>> frame_number("00:01:00;02"), frame_number("00:01:00:02")
    (1800, 1802)
    """
    found = _CODE.fullmatch(code)
    if found is None or int(found[5]) >= _COUNTED:
        raise ValueError(f"{code[:20]!r} is not a time code")
    seconds = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])
    frames = int(found[5])
    if found[4] == ":":
        return seconds * _COUNTED + frames
    if frames < 2 and seconds % 60 == 0 and seconds // 60 % 10:
        raise ValueError(f"{code!r} is a frame that is dropped")
    return drop_frame_number(seconds) + frames
