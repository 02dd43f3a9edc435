"""Values out of the ``settings`` of a row: JSON that people write.

``None`` or nothing where a name is not there; ``BadSetting`` where its value cannot be.
"""

import re
from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}")
_DIGITS = re.compile(r"[0-9]{1,18}")
MOST = 1_000
"""Values of one list."""


class BadSetting(ValueError):
    """Names the setting."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"settings.{name} is not {wanted}")


def flag(settings: Settings, name: str) -> bool | None:
    value = settings.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadSetting(name, "true or false")
    return value


def number(settings: Settings, name: str) -> int | None:
    value = settings.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise BadSetting(name, "a whole number")
    return value


def word(settings: Settings, name: str) -> str:
    value = settings.get(name, "")
    if not isinstance(value, str) or not value.isprintable():
        raise BadSetting(name, "printable text")
    return value


def ids(settings: Settings, name: str) -> tuple[int, ...] | None:
    """A list of numbers, or text with commas between them."""
    value = settings.get(name)
    return None if value is None else _ids(name, value)


def _ids(name: str, value: object) -> tuple[int, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) > MOST:
        raise BadSetting(name, "a list of ids")
    texts = [str(part).strip() for part in parts]
    if not all(_DIGITS.fullmatch(text) for text in texts if text):
        raise BadSetting(name, "a list of ids")
    return tuple(int(text) for text in texts if text)


def ids_by_name(settings: Settings, name: str) -> dict[str, tuple[int, ...]]:
    value = settings.get(name, {})
    if not isinstance(value, dict):
        raise BadSetting(name, "an object of lists of ids")
    return {key: _ids(name, each) for key, each in value.items()}


def weights(settings: Settings, name: str) -> dict[int, int]:
    """Numbers by id."""
    value = settings.get(name, {})
    if not isinstance(value, dict) or not all(_DIGITS.fullmatch(key) for key in value):
        raise BadSetting(name, "an object of weights by id")
    return {int(key): number({name: each}, name) or 0 for key, each in value.items()}


def origins(settings: Settings, name: str) -> frozenset[str]:
    value = settings.get(name, [])
    if not isinstance(value, list) or not all(
        isinstance(one, str) and _ORIGIN.fullmatch(one) for one in value
    ):
        raise BadSetting(name, "a list of origins, https://host")
    return frozenset(value)
