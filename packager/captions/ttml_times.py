"""Time expressions of TTML (W3C TTML2 §12.3.1), as exact seconds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from packager.captions.timecode import drop_frame_number

_CLOCK = re.compile(
    r"([0-9]{2,4}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,18})|[:;]([0-9]{2,4})(?:\.([0-9]{1,4}))?)?"
)
_OFFSET = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(h|ms|m|s|f|t)")
_UNITS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
_LONGEST = 10_000 * 3600
"""Seconds; what a cue can be written with."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What frames and ticks are."""

    frame_rate: Fraction = Fraction(30)
    """With its multiplier: frames per second."""

    counted: int = 30
    """Frames that are counted as a second."""

    sub_frames: int = 1
    tick_rate: Fraction = Fraction(1)
    smpte: bool = False
    """Clock times count frames of ``frame_rate``, not seconds."""

    drop: bool = False


def clock_of(said: Mapping[str, str]) -> Clock:
    """Of the attributes of ``tt``.  Raises ``ValueError``."""
    base = said.get("timeBase", "media")
    if base not in ("media", "smpte"):
        raise ValueError(f"times of the base {base[:20]!r} are not of a presentation")
    counted = _count(said, "frameRate", 30)
    sub_frames = _count(said, "subFrameRate", 1)
    parts = re.fullmatch(
        r"([0-9]{1,6})[ :]([0-9]{1,6})", said.get("frameRateMultiplier", "1 1").strip()
    )
    if parts is None or not int(parts[1]) or not int(parts[2]):
        raise ValueError("frameRateMultiplier is not two numbers")
    rate = counted * Fraction(int(parts[1]), int(parts[2]))
    ticks = Fraction(_count(said, "tickRate", 0) or 1)
    if "tickRate" not in said and "frameRate" in said:
        ticks = rate * sub_frames
    drop = said.get("dropMode") == "dropNTSC"
    return Clock(rate, counted, sub_frames, ticks, base == "smpte", drop)


def _count(said: Mapping[str, str], name: str, otherwise: int) -> int:
    value = said.get(name)
    if value is None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,10}", value.strip()) or not int(value):
        raise ValueError(f"{name} is {value[:20]!r} and not a number above 0")
    return int(value)


def parse_time(text: str, clock: Clock) -> Fraction:
    """Seconds.  Raises ``ValueError``.

    >>> parse_time("00:00:01:15", Clock())
    Fraction(3, 2)
    >>> parse_time("15000000t", Clock(tick_rate=Fraction(10_000_000)))
    Fraction(3, 2)
    """
    text = text.strip()
    if offset := _OFFSET.fullmatch(text):
        units = _UNITS | {"f": 1 / clock.frame_rate, "t": 1 / clock.tick_rate}
        found = Fraction(offset[1]) * units[offset[2]]
    elif (parts := _CLOCK.fullmatch(text)) and int(parts[2]) < 60 and int(parts[3]) <= 60:
        found = _clock_time(parts, clock)
    else:
        raise ValueError(f"{text[:40]!r} is not a time")
    if found > _LONGEST:
        raise ValueError(f"{text[:40]!r} is past {_LONGEST // 3600} hours")
    return found


def _clock_time(parts: re.Match[str], clock: Clock) -> Fraction:
    hours, minutes, seconds = (int(one) for one in parts.groups()[:3])
    frames = Fraction(int(parts[5] or 0)) + Fraction(int(parts[6] or 0), clock.sub_frames)
    if frames >= clock.counted:
        raise ValueError(f"{parts[0]!r} has a frame past the {clock.counted} of a second")
    whole = (hours * 60 + minutes) * 60 + seconds
    if not clock.smpte:
        return whole + Fraction(f"0.{parts[4] or 0}") + frames / clock.frame_rate
    number = whole * clock.counted
    if clock.drop:
        number = drop_frame_number(whole, clock.counted)
    return (number + frames) / clock.frame_rate + Fraction(f"0.{parts[4] or 0}")


def whole_milliseconds(time: Fraction) -> int:
    """Rounded half up."""
    return int(time * 1000 + Fraction(1, 2))
