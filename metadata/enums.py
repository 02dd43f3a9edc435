"""The numbers of the delivery contract (§2.1-§2.6, §2.8), by name.

Only those that something here stores or asks for; a number that is not listed is refused by the
database.
"""

from enum import IntEnum


class PartnerStatus(IntEnum):
    DELETED = 0
    ACTIVE = 1
    BLOCKED = 2
    FULLY_BLOCKED = 3


class EntryType(IntEnum):
    CLIP = 1
    PLAYLIST = 5
    LIVE_STREAM = 7
    LIVE_CHANNEL = 8


class MediaType(IntEnum):
    VIDEO = 1
    IMAGE = 2
    AUDIO = 5
    LIVE_FLASH = 201
    LIVE_WINDOWS = 202
    LIVE_REAL = 203
    LIVE_QUICKTIME = 204


class EntryStatus(IntEnum):
    IMPORT_ERROR = -2
    CONVERT_ERROR = -1
    IMPORT = 0
    PRECONVERT = 1
    READY = 2
    DELETED = 3
    PENDING = 4
    MODERATE = 5
    BLOCKED = 6
    NO_CONTENT = 7


class ModerationStatus(IntEnum):
    PENDING = 1
    APPROVED = 2
    REJECTED = 3
    FLAGGED = 5
    AUTO_APPROVED = 6


SHOWN = (
    ModerationStatus.APPROVED,
    ModerationStatus.AUTO_APPROVED,
    ModerationStatus.FLAGGED,
)
"""By moderation; a flagged entry stays until someone has looked at it."""


class AssetStatus(IntEnum):
    """Of flavors, captions and thumbnails."""

    ERROR = -1
    QUEUED = 0
    CONVERTING = 1
    READY = 2
    DELETED = 3
    NOT_APPLICABLE = 4
    TEMPORARY = 5
    WAITING = 6
    IMPORTING = 7
    VALIDATING = 8
    EXPORTING = 9


class CaptionFormat(IntEnum):
    SRT = 1
    DFXP = 2
    WEBVTT = 3
    CAP = 4
    SCC = 5
    ASS = 6
    MP4 = 7
    """A track of text in a file of MP4: ``channel`` is its number."""

    IN_PICTURES = 8
    """CEA-608 or CEA-708 in the video: ``channel`` is ``CC1`` to ``CC4``, ``SERVICE1`` to
    ``SERVICE63``."""


class CaptionPurpose(IntEnum):
    SUBTITLES = 1
    """What is said."""

    CAPTIONS = 2
    """What is heard, for those who cannot hear it (SDH)."""

    FORCED = 3
    """What must be read whatever a viewer chose: signs, and speech in another language."""


class StorageProtocol(IntEnum):
    DATA_CENTRE = 0
    FTP = 1
    SCP = 2
    SFTP = 3
    S3 = 6
    LOCAL = 7


class StorageStatus(IntEnum):
    DISABLED = 1
    AUTOMATIC = 2
    MANUAL = 3


class SyncObject(IntEnum):
    """What a file belongs to; captions and thumbnails are assets as well as flavors."""

    ENTRY = 1
    UI_CONF = 2
    ASSET = 4


class FileStatus(IntEnum):
    ERROR = -1
    PENDING = 1
    READY = 2
    DELETED = 3
    PURGED = 4


class FileType(IntEnum):
    FILE = 1
    LINK = 2
    URL = 3
    CACHE = 4


class DeliveryStatus(IntEnum):
    ACTIVE = 0
    DELETED = 1
    STAGING_IN = 2
    STAGING_OUT = 3


class FlavorOrigin(IntEnum):
    """Where the file of a recipe comes from."""

    CONVERT = 0
    INGEST = 1
    CONVERT_WHEN_MISSING = 2


class ReadyBehavior(IntEnum):
    """What a recipe means for whether an entry is ready."""

    NO_IMPACT = 0
    REQUIRED = 1
    OPTIONAL = 2


class NodeStatus(IntEnum):
    ACTIVE = 1
    DISABLED = 2


class ChangeKind(IntEnum):
    """What a row of the journal says has changed."""

    SILENCE = 0
    """Nothing: an import is under way.  No reader ever sees it."""

    ENTRY = 1
    NEW = 2
    """Entries were added, too many to name."""

    PARTNER = 3
    ACCESS_CONTROL = 4
    ALL = 5


TAGS_OF_VIDEO = "mobile,web,mbr,iphone,iphonenew,ipad,ipadnew,dash"
"""Typical ones: every format of playManifest finds a flavor that has them."""

TAGS_OF_AUDIO = "alt_audio"
"""Of a file without video, beside others that have it."""
