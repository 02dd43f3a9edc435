"""What can go wrong with a disk.

EdgeError
 +-- DiskError      with a Reason
"""

from enum import StrEnum
from errno import EACCES, EDQUOT, EFBIG, ENOENT, ENOSPC, EPERM, EROFS

import lmdb

from edge_cache.errors import EdgeError


class Reason(StrEnum):
    """As it stands in the log and the metrics."""

    FULL = "disk-full"
    NO_ROOM = "disk-no-room"
    """Larger than may be stored, or all of the capacity is being written."""
    RESTING = "disk-resting"
    """Something failed a moment ago."""
    DENIED = "disk-denied"
    MISSING = "disk-missing"
    DAMAGED = "disk-damaged"
    FORMAT = "disk-format"
    FAILED = "disk-failed"


class DiskError(EdgeError):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


_BY_ERRNO = {
    ENOSPC: Reason.FULL,
    EDQUOT: Reason.FULL,
    EFBIG: Reason.FULL,
    EACCES: Reason.DENIED,
    EPERM: Reason.DENIED,
    EROFS: Reason.DENIED,
    ENOENT: Reason.MISSING,
}

_DAMAGED = (lmdb.CorruptedError, lmdb.InvalidError, lmdb.PageNotFoundError, lmdb.PanicError)
_FULL = (lmdb.MapFullError, lmdb.TxnFullError)


def disk_error(error: OSError | lmdb.Error) -> DiskError:
    """*error* by its reason."""
    if isinstance(error, OSError):
        return DiskError(_BY_ERRNO.get(error.errno or 0, Reason.FAILED), str(error))
    if isinstance(error, _DAMAGED):
        return DiskError(Reason.DAMAGED, str(error))
    if isinstance(error, _FULL):
        return DiskError(Reason.FULL, str(error))
    return DiskError(_BY_ERRNO.get(error.code, Reason.FAILED), str(error))
