"""What the owner of a key tells a sibling beside the response.  Pure.

Header fields alone would not do: a soft purge or a 304 has moved the times of what the owner
holds, and Cache-Status has one member for the node, which is the owner's.
"""

from dataclasses import replace
from typing import Self

import msgspec

from edge_cache.appraisal import Appraisal, Times
from edge_cache.entry import Entry
from edge_cache.http.cache_status import CacheStatus
from edge_cache.http.fields import Fields, values
from edge_cache.storability import ASKS_FIRST, Refusal

NAME = b"X-Headrace-Told"
"""The field it travels in.  The last line counts: those before may be an origin's own."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    verdict: str = ""
    """What became of the request, as the log says it."""

    status: CacheStatus | None = None
    times: Times | None = None
    """Of the entry that answered; the clock is the machine's, the same for all its workers."""

    upstream: int | None = None
    """The status from upstream, if it was asked,..."""
    server: str | None = None
    """...and who gave it,..."""
    tries: int = 0
    """...after how many were asked."""

    failure: str | None = None
    """Why there is no response."""

    declines: bool = False
    """The sibling should go upstream itself: what it would get is for it alone."""
    refusal: str | None = None
    """Why, if that will be so for a while."""

    def line(self) -> bytes:
        """The header line."""
        return b"%b: %b\r\n" % (NAME, msgspec.json.encode(self))

    @classmethod
    def find(cls, fields: Fields) -> Self | None:
        """What stands in *fields*; None if nothing does that can be read."""
        lines = values(fields, NAME.lower())
        try:
            return msgspec.json.decode(lines[-1], type=cls) if lines else None
        except msgspec.MsgspecError:
            return None

    def is_fresher_than(self, stored: Entry | None) -> bool:
        """Whether what the owner holds is newer than what is *stored*."""
        if stored is None or self.times is None:
            return True
        return self.times.fresh_until > stored.fresh_until

    def adopted(self, appraisal: Appraisal) -> Appraisal:
        """*appraisal* of the owner's answer, with what the owner knows better.

        That it is stale is no reason to keep it from others if the owner serves it so.
        """
        if self.times is None or self.status is None:
            return appraisal
        refusal = appraisal.refusal
        if refusal is Refusal.EXPIRED and self.status.detail not in ASKS_FIRST:
            refusal = None
        return replace(appraisal, times=self.times, refusal=refusal)

    def merged(self, status: CacheStatus) -> CacheStatus:
        """The one member of Cache-Status: the owner's, and whether we waited with others."""
        if self.status is None:
            return status
        waited = status.collapsed and self.status.forward is not None
        return replace(self.status, collapsed=self.status.collapsed or waited)
