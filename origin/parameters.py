"""Path parameters of a source: ``/clipFrom/1000/clipTo/9000`` (contract §2.2).

They stand in pairs, in any order, each once, behind the source; below ``serveFlavor`` anywhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from origin.errors import BadUrl

NAMES = frozenset({"clipFrom", "clipTo"})
"""Those that are built."""

_MILLISECONDS = re.compile(r"0|[1-9][0-9]{0,12}")
_CLIP = re.compile(r"/clip(?:From|To)/[0-9]+(?=/|,|$)")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is presented of a source."""

    clip_from: int | None = None
    """Milliseconds of the presentation, as below."""

    clip_to: int | None = None
    text: str = ""
    """As they stand behind the source."""

    def __post_init__(self) -> None:
        """Raises ``BadUrl`` for a clip that has no length."""
        if self.clip_to is not None and self.clip_to <= (self.clip_from or 0):
            raise BadUrl("clipTo is not after clipFrom")


NONE = Parameters()


def parse_parameters(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Of names and values.  Raises ``BadUrl`` for one that is doubled or no number."""
    found: dict[str, int] = {}
    for name, value in pairs:
        if name in found:
            raise BadUrl(f"{name} is doubled")
        if not _MILLISECONDS.fullmatch(value):
            raise BadUrl(f"{name}: not a whole number of milliseconds")
        found[name] = int(value)
    return Parameters(found.get("clipFrom"), found.get("clipTo"))


def split_parameters(parts: Sequence[str]) -> tuple[list[str], Parameters]:
    """A source, and the parameters that stand behind it."""
    end = len(parts)
    while end >= 4 and parts[end - 2] in NAMES:  # a source has two parts at least
        end -= 2
    behind = parts[end:]
    given = parse_parameters(zip(behind[::2], behind[1::2], strict=True))
    return list(parts[:end]), replace(given, text="/".join(behind))


def without_clip(source: str) -> str:
    """The text of a source without the part that is presented of it."""
    return _CLIP.sub("", source)
