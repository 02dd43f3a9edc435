"""Whether a disk is worth asking.

After a failure nothing is written for a while: a disk that is full or broken seldom is well in
the next millisecond, and every attempt costs a body.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import lmdb

from edge_cache.disk.errors import DiskError, Reason, disk_error

REST = 10.0
"""Seconds without writing after a failure."""


class Health:
    def __init__(self) -> None:
        self.failures: Counter[Reason] = Counter()
        self._rest_until = 0.0

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._rest_until

    def check(self) -> None:
        """DiskError if something failed a moment ago."""
        if self.is_resting:
            raise DiskError(Reason.RESTING)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Whatever fails in it comes out as a DiskError, and is counted."""
        try:
            yield
        except (OSError, lmdb.Error) as error:
            failure = disk_error(error)
            self.failed(failure.reason)
            self._rest_until = time.monotonic() + REST
            raise failure from error

    def failed(self, reason: Reason) -> None:
        self.failures[reason] += 1
