"""Whether a request may have an entry now, and for how long that answer holds."""

from metadata.enums import EntryType
from metadata.records import ContentRecord
from metadata.standing import refusal
from origin.contract.play_manifest import PlayManifest
from origin.contract.refusals import Number, Refused

MANIFEST_LIFE = 60
"""Seconds that an answer may be kept, unless something ends before."""

_SECOND = 1_000_000_000
_NEVER = 2**63 - 1


def admitted(content: ContentRecord | None, partner: int, now: int) -> ContentRecord:
    """*content*, if a URL of *partner* may have it at *now* (ns since 1970).

    Who asks is not looked at: an entry with rules of access is refused.  Raises ``Refused``.
    """
    content = shown(content, partner, now)
    if content.type != EntryType.CLIP:
        raise Refused(Number.WRONG_ENTRY_TYPE)
    return content


def shown(content: ContentRecord | None, partner: int, now: int) -> ContentRecord:
    """The same of any type of entry."""
    if content is None or content.partner_id != partner:
        raise Refused(Number.ENTRY_NOT_FOUND)
    why = refusal(content, now)
    if why is not None:
        raise Refused(Number(int(why)), life=life(content, now))
    return content


def is_playlist(content: ContentRecord | None) -> bool:
    return content is not None and content.type == EntryType.PLAYLIST


def check_expiry(asked: PlayManifest, now: int) -> None:
    """Raises ``Refused`` for a URL that is past its time."""
    if asked.expiry is not None and asked.expiry * _SECOND <= now:
        raise Refused(Number.EXPIRED_TOKEN)


def life(content: ContentRecord, now: int, expiry: int | None = None) -> int:
    """Seconds for which an answer about *content* stays true, at most ``MANIFEST_LIFE``."""
    left = [(end - now) // _SECOND for end in _ends(content, now, expiry)]
    return min([MANIFEST_LIFE, *left])


def steady_until(content: ContentRecord, now: int, expiry: int | None = None) -> int:
    """When ``life`` will be less than at *now* (ns since 1970)."""
    whole = life(content, now, expiry) * _SECOND
    return min((end - whole + 1 for end in _ends(content, now, expiry)), default=_NEVER)


def _ends(content: ContentRecord, now: int, expiry: int | None) -> list[int]:
    ends = [content.start_at, content.end_at, None if expiry is None else expiry * _SECOND]
    return [end for end in ends if end is not None and end > now]
