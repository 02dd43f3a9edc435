"""Everything that can be wrong with media, as one tree.

    PackagerError
     +-- MalformedMedia          the bytes break their own rules
     |    +-- MalformedBox       ... inside a named ISO BMFF box
     |    +-- MalformedElement   ... inside a named EBML element
     |    +-- MalformedSample    ... inside a numbered sample
     +-- Unsupported             well formed, but outside what is packaged here
     +-- UnknownSegment          a segment, track or rendition that does not exist

No HTTP here: ``origin.errors`` turns these into statuses.
"""


class PackagerError(Exception):
    """Base of every error that the packager raises on purpose."""


class MalformedMedia(PackagerError):
    """The input contradicts its own format."""


class MalformedBox(MalformedMedia):
    """A box whose content cannot be right; the message starts with its four-character code."""

    def __init__(self, fourcc: bytes, reason: str) -> None:
        self.fourcc = fourcc.decode("ascii", "backslashreplace")
        self.reason = reason
        super().__init__(f"{self.fourcc}: {reason}")


class MalformedElement(MalformedMedia):
    """An EBML element whose content cannot be right; the message starts with its name."""

    def __init__(self, element: str, reason: str) -> None:
        self.element = element
        self.reason = reason
        super().__init__(f"{element}: {reason}")


class MalformedSample(MalformedMedia):
    """A sample whose payload cannot be right; *number* is 1-based, as stsz counts."""

    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        self.reason = reason
        super().__init__(f"sample {number}: {reason}")


class Unsupported(PackagerError):
    """Well-formed input that this packager does not handle; the message names what and why."""


class UnknownSegment(PackagerError):
    """A segment number, track or rendition that the presentation does not have."""
