"""Whether an entry may be shown at all, before any rule looks at who asks: a pure function.

The numbers are those of the delivery contract's errors (§2.1), which ``X-Kaltura: error-N``
tells a player.
"""

from enum import IntEnum

from metadata.enums import SHOWN, EntryStatus, ModerationStatus, PartnerStatus
from metadata.records import ContentRecord


class Refused(IntEnum):
    NOT_FOUND = 1
    NOT_SCHEDULED = 2
    ACCESS_CONTROL = 3
    DELETED = 9
    MODERATION = 13
    PARTNER_INACTIVE = 15


def refusal(entry: ContentRecord, now: int) -> Refused | None:
    """Why nobody may see *entry* at *now* (ns since 1970); None if everyone may.

    Until something evaluates access rules, an entry that has any is refused to everybody.
    """
    if entry.partner_status != PartnerStatus.ACTIVE:
        return Refused.PARTNER_INACTIVE
    if (
        entry.status == EntryStatus.DELETED
        or entry.moderation_status == ModerationStatus.REJECTED
    ):
        return Refused.DELETED
    if entry.moderation_status not in SHOWN or entry.status in (
        EntryStatus.MODERATE,
        EntryStatus.BLOCKED,
    ):
        return Refused.MODERATION
    if entry.status != EntryStatus.READY:
        return Refused.NOT_FOUND
    if entry.start_at is not None and now < entry.start_at:
        return Refused.NOT_SCHEDULED
    if entry.end_at is not None and entry.end_at <= now:
        return Refused.NOT_SCHEDULED
    return Refused.ACCESS_CONTROL if entry.has_rules else None
