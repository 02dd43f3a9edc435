"""Some of a file's tracks: ``v1-a1-a2`` (the packager's ``tracks`` in URLs and mappings)."""

import re
from dataclasses import dataclass

from packager.tracks import Kind

_TRACKS = re.compile(r"[va][0-9]{0,3}(?:-[va][0-9]{0,3}){0,63}", re.ASCII)
_MAX_TRACK = 64


@dataclass(frozen=True, slots=True)
class Tracks:
    """Which tracks of a file are taken, by their numbers; None is all of a kind."""

    video: frozenset[int] | None = frozenset({1})
    audio: frozenset[int] | None = frozenset({1})

    def has(self, kind: Kind, number: int) -> bool:
        wanted = self.video if kind is Kind.VIDEO else self.audio
        return wanted is None or number in wanted

    def __str__(self) -> str:
        """One spelling for each choice."""
        both = (("v", self.video), ("a", self.audio))
        return "-".join(
            f"{letter}{number}"
            for letter, wanted in both
            for number in ((0,) if wanted is None else sorted(wanted))
        )


FIRST = Tracks()
"""The first of each kind."""


def parse_tracks(text: str) -> Tracks | None:
    """``v1-a1-a2``; a letter alone, or with 0, is all of its kind.  None for anything else."""
    if not _TRACKS.fullmatch(text):
        return None
    found: dict[str, set[int]] = {"v": set(), "a": set()}
    for one in text.split("-"):
        found[one[0]].add(int(one[1:] or 0))
    if max(found["v"] | found["a"]) > _MAX_TRACK:
        return None
    video, audio = (None if 0 in each else frozenset(each) for each in found.values())
    return Tracks(video, audio)
