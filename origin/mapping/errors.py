"""What can be wrong with a mapping; all of it is 503 (vod-module: BAD_MAPPING).

SourceUnavailable
 +-- BadMapping    says what is refused, or is not built
 +-- Fault         could not be had: its last good version stands in for it
      +-- Garbage  is no JSON
"""

from origin.errors import SourceUnavailable


class BadMapping(SourceUnavailable):
    """The message names the field and its place."""


class Fault(SourceUnavailable):
    """The mapping could not be had."""


class Garbage(Fault):
    """What came is no mapping at all."""
