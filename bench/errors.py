"""What ends a benchmark."""


class BenchError(Exception):
    """The measurement failed; the message is one line."""


class BadResponse(BenchError):
    """A server answered something else than what was asked."""


class NotThere(BenchError):
    """A peer or a tool that this machine does not have; the message says how to get it."""
