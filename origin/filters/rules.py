"""The grammar of manifest filters, that of AWS Elemental MediaPackage v2.

    video_height:240-720;audio_language:en,fr;video_codec:h264

Rules between semicolons hold together, values between commas are alternatives, ranges include
both ends.  Letters' case means nothing.  A name that is not known or comes twice, a value out
of its bounds and a range that runs backwards are refused.

https://docs.aws.amazon.com/mediapackage/latest/userguide/manifest-filter-query-parameters.html
"""

import re
from dataclasses import dataclass

from origin.errors import BadUrl
from packager.languages import bcp47

MAX_LENGTH = 1024
"""Characters of all rules together, decoded."""

UNDETERMINED = "und"
"""The language of a rendition that tells none."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Numbers from *low* to *high*, both included, in the unit of their rule."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    name: str
    values: tuple[Span, ...] | tuple[str, ...]
    """In order, each once."""


Rules = tuple[Rule, ...]
"""By name, each once; empty for no filter."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    low: int
    high: int
    decimals: int = 0
    """Digits behind the point, and with them the unit: with 3 it is a thousandth."""


_MOST = 2**31 - 1
_NUMBERS = {
    "audio_bitrate": _Numbers(0, _MOST),
    "audio_channels": _Numbers(1, 32767),
    "audio_sample_rate": _Numbers(0, _MOST),
    "trickplay_height": _Numbers(1, _MOST),
    "video_bitrate": _Numbers(0, _MOST),
    "video_framerate": _Numbers(1000, 999_999, decimals=3),
    "video_height": _Numbers(1, 32767),
}
_WORDS = {
    "audio_codec": ("aacl", "aach", "ac-3", "ec-3"),
    "trickplay_type": ("iframe", "image", "none"),
    "video_codec": ("h264", "h265", "av1"),
    "video_dynamic_range": ("dv", "hdr10", "hlg", "sdr"),
}
_LANGUAGES = ("audio_language", "subtitle_language")
NAMES = frozenset((*_NUMBERS, *_WORDS, *_LANGUAGES))

_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,6}")
_DECIMAL = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,3}))?")


def parse_rules(text: str) -> Rules:
    """Raises ``BadUrl``."""
    if len(text) > MAX_LENGTH:
        raise BadUrl(f"filter: longer than {MAX_LENGTH} characters")
    rules: dict[str, Rule] = {}
    for part in text.lower().split(";"):
        name, colon, values = part.partition(":")
        name = name.strip()
        if name not in NAMES:
            raise BadUrl(f"filter: {name[:40]!r} is not the name of a rule")
        if not colon:
            raise BadUrl(f"filter: {name} has no value")
        if name in rules:
            raise BadUrl(f"filter: {name} is doubled")
        rules[name] = Rule(name, _values(name, [one.strip() for one in values.split(",")]))
    return tuple(rules[name] for name in sorted(rules))


def _values(name: str, values: list[str]) -> tuple[Span, ...] | tuple[str, ...]:
    if name in _NUMBERS:
        return tuple(sorted({_span(name, one, _NUMBERS[name]) for one in values}))
    if name in _LANGUAGES:
        return tuple(sorted({language(one, f"filter: {name}") for one in values}))
    for one in values:
        if one not in _WORDS[name]:
            allowed = ", ".join(_WORDS[name])
            raise BadUrl(f"filter: {name} {one[:40]!r} is none of {allowed}")
    return tuple(sorted(set(values)))


def _span(name: str, text: str, numbers: _Numbers) -> Span:
    low, dash, high = text.partition("-")
    span = Span(_number(name, low, numbers), _number(name, high if dash else low, numbers))
    if span.low > span.high:
        raise BadUrl(f"filter: {name} {text[:40]} runs backwards")
    return span


def _number(name: str, text: str, numbers: _Numbers) -> int:
    found = _DECIMAL.fullmatch(text) if text.isascii() else None
    if found is None or (found[2] and not numbers.decimals):
        raise BadUrl(f"filter: {name} {text[:40]!r} is not a number")
    value = int(found[1] + (found[2] or "").ljust(numbers.decimals, "0"))
    if not numbers.low <= value <= numbers.high:
        bounds = f"{_shown(numbers.low, numbers)} to {_shown(numbers.high, numbers)}"
        raise BadUrl(f"filter: {name} {text} is not in {bounds}")
    return value


def language(text: str, where: str) -> str:
    """*text* as BCP 47 in lower case, by the shortest code.  Raises ``BadUrl``."""
    lower = text.lower()
    if not _LANGUAGE.fullmatch(lower):
        raise BadUrl(f"{where}: {text[:40]!r} is not a language")
    return bcp47(lower) or UNDETERMINED


def render_rules(rules: Rules) -> str:
    """The inverse of ``parse_rules``, in one spelling."""
    return ";".join(
        f"{rule.name}:{','.join(_render(rule.name, value) for value in rule.values)}"
        for rule in rules
    )


def _render(name: str, value: Span | str) -> str:
    if isinstance(value, str):
        return value
    numbers = _NUMBERS[name]
    low, high = _shown(value.low, numbers), _shown(value.high, numbers)
    return low if low == high else f"{low}-{high}"


def _shown(value: int, numbers: _Numbers) -> str:
    if not numbers.decimals:
        return str(value)
    whole, part = divmod(value, 10**numbers.decimals)
    return f"{whole}.{part:0{numbers.decimals}d}".rstrip("0").rstrip(".")
