"""Which flavors a request gets, and in which order: the contract's algorithm, step by step.

Pure, over values of its own.  Bit rates are in kilobits per second.

    ready → by id or recipe, else by tags → bit rates → storages → redundant ones out → order
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from origin.contract.formats import Groups
from origin.contract.refusals import Number, Refused

LOCAL = -1
"""Our own storage, among the ids of storages."""

_ALT_AUDIO, _AUDIO_ONLY, _WATERMARK = "alt_audio", "audio_only", "watermark"
_NEAR = 105
"""Per cent: of two flavors whose bit rates differ by less, one is enough."""

DOLBY = {"ec-3": 0, "ac-3": 1}
LEAST_DOLBY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A flavor, as much of it as the choice depends on."""

    id: str
    ready: bool = True
    tags: frozenset[str] = frozenset()
    width: int = 0
    height: int = 0
    bitrate: int = 0
    """0 where it is not known."""

    codec: str = ""
    """The first one, RFC 6381."""

    is_audio: bool = False
    """It has sound and no picture."""

    is_caption: bool = False
    is_default: bool = False
    params: int | None = None
    """The recipe that it was made by."""

    storages: frozenset[int] = frozenset({LOCAL})
    """Where its file is: ids of those that are in use."""

    @property
    def frame(self) -> int:
        return self.width * self.height


Candidates = list[Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a request says of flavors."""

    ids: tuple[str, ...] = ()
    params: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    """Each a group of its own; without any the groups are those of the format."""

    groups: Groups
    """Of the format."""

    alternative_audio: bool = False
    """Flavors with other sound are added to those with a picture."""

    many: bool = True
    preferred_bitrate: int | None = None
    max_bitrate: int | None = None
    min_bitrate: int | None = None


class Priority(IntEnum):
    """Of a partner's storages."""

    OWN_ONLY = 1
    OWN_FIRST = 2
    REMOTE_FIRST = 3
    REMOTE_ONLY = 4

    def ordered(self, numbers: Iterable[int]) -> list[int]:
        """Those of *numbers* that may be used, ``LOCAL`` in its place."""
        remote = [one for one in numbers if one != LOCAL]
        match self:
            case Priority.OWN_ONLY:
                return [LOCAL]
            case Priority.OWN_FIRST:
                return [LOCAL, *remote]
            case Priority.REMOTE_FIRST:
                return [*remote, LOCAL]
            case Priority.REMOTE_ONLY:
                return remote


@dataclass(frozen=True, slots=True)
class Storages:
    """From where flavors may be taken."""

    priority: Priority = Priority.OWN_FIRST
    only: int | None = None
    """The one to take them from, whatever the priority."""


def select(
    flavors: Iterable[Candidate],
    wishes: Wishes,
    storages: Storages = Storages(),
    allowed: Callable[[Candidate], bool] = lambda _: True,
) -> tuple[Candidate, ...]:
    """The flavors of an answer, in its order; *allowed* is what access rules leave.

    Raises ``Refused`` (6) where none is left.
    """
    found = [one for one in flavors if one.ready and allowed(one)]
    found = _named(found, wishes) or _tagged(found, wishes)
    found = _within(found, wishes)
    found = _placed(found, storages)
    if not found:
        raise Refused(Number.FLAVOR_NOT_FOUND)
    if not wishes.many:
        return (_single(found, wishes.preferred_bitrate),)
    return tuple(_ordered(_without_redundant(found), wishes.preferred_bitrate))


def _named(found: Candidates, wishes: Wishes) -> Candidates:
    """By id, else by recipe.  Nothing where none matches: that is no error."""
    if wishes.ids:
        return [one for one in found if one.id in wishes.ids]
    return [one for one in found if one.params in wishes.params]


def _tagged(found: Candidates, wishes: Wishes) -> Candidates:
    groups = tuple((tag,) for tag in wishes.tags) or wishes.groups
    for group in groups:
        if chosen := [one for one in found if not one.tags.isdisjoint(group)]:
            break
    else:
        return []
    if not wishes.alternative_audio:
        return chosen
    return [one for one in found if one in chosen or _ALT_AUDIO in one.tags]


def _within(found: Candidates, wishes: Wishes) -> Candidates:
    low, high = wishes.min_bitrate or 0, wishes.max_bitrate
    kept = [
        one
        for one in found
        if not one.tags.isdisjoint((_ALT_AUDIO, _AUDIO_ONLY))
        or (low <= one.bitrate and (high is None or one.bitrate <= high))
    ]
    return kept or found


def _placed(found: Candidates, storages: Storages) -> Candidates:
    """Those that are here and those that are not are taken together: one origin reads both, so
    that a ladder is whole.  Of remote storages one is taken, which holds the most."""
    if storages.only is not None:
        return [one for one in found if storages.only in one.storages]
    own_first = storages.priority is Priority.OWN_FIRST
    lacking = [one for one in found if not own_first or LOCAL not in one.storages]
    best = fullest(one.storages for one in lacking)
    numbers = set(storages.priority.ordered([*best, LOCAL]))
    return [one for one in found if not numbers.isdisjoint(one.storages)]


def fullest(held: Iterable[Iterable[int]]) -> list[int]:
    """The remote storage that most of these sets of storages have, if they have any."""
    counts = Counter(number for one in held for number in set(one) if number != LOCAL)
    return sorted(counts, key=lambda number: (-counts[number], number))[:1]


def _without_redundant(found: Candidates) -> Candidates:
    """Without those that another one is as good as: of a frame as large, and of a bit rate that
    is as high and hardly higher.

    Only of the same codec, since a player may be able to play just this one; and never where
    the bit rate is not known.
    """
    kept: Candidates = []
    for one in sorted(found, key=lambda each: (-each.frame, -each.bitrate, each.id)):
        exempt = one.is_audio or one.is_caption or _WATERMARK in one.tags or not one.bitrate
        if exempt or not any(_is_as_good(other, one) for other in kept):
            kept.append(one)
    return kept


def _is_as_good(other: Candidate, one: Candidate) -> bool:
    return (
        not other.is_audio
        and other.codec.partition(".")[0] == one.codec.partition(".")[0]
        and other.frame >= one.frame
        and one.bitrate * 100 <= other.bitrate * 100 <= one.bitrate * _NEAR
    )


def _ordered(found: Candidates, preferred: int | None) -> Candidates:
    captions = [one for one in found if one.is_caption]
    audio = sorted((one for one in found if one.is_audio), key=_place_of_audio)
    video = sorted(
        (one for one in found if not (one.is_audio or one.is_caption)),
        key=lambda one: (one.bitrate, one.frame, one.id),
    )
    if video and preferred is not None:
        first = _closest(video, preferred)
        video.remove(first)
        video.insert(0, first)
    heard_first = len(audio) > 1
    return [*audio, *video, *captions] if heard_first else [*video, *audio, *captions]


def _place_of_audio(one: Candidate) -> tuple[bool, int, int, str]:
    return not one.is_default, DOLBY.get(one.codec, LEAST_DOLBY), one.bitrate, one.id


def _single(found: Candidates, preferred: int | None) -> Candidate:
    """The one for a download: with a picture if there is one, closest to what is preferred,
    else the best."""
    seen = [one for one in found if not (one.is_audio or one.is_caption)] or found
    if preferred is not None:
        return _closest(seen, preferred)
    return max(seen, key=lambda one: (one.bitrate, one.frame, one.id))


def _closest(found: Candidates, bitrate: int) -> Candidate:
    return min(found, key=lambda one: (abs(one.bitrate - bitrate), one.bitrate, one.id))
