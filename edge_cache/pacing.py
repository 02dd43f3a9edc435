"""Is a client taking what we have for it fast enough?  Pure.

A rate, not only an idle time-out: one byte a minute never idles and holds a body for ever.
"""


class Pacing:
    """Measures over windows in which there was something to take all the time."""

    __slots__ = ("_rate", "_since", "_taken", "_window")

    def __init__(self, rate: int, window: float) -> None:
        self._rate = rate
        self._window = window
        self._since: float | None = None
        self._taken = 0

    def is_too_slow(self, now: float, taken: int, waiting: bool) -> bool:
        """Whether over a whole window fewer bytes left than the rate asks.

        *taken* is the total so far; *waiting* whether there is something to take.
        """
        if not waiting:
            self._since = None
            return False
        if self._since is None:
            self._since, self._taken = now, taken
            return False
        passed = now - self._since
        if passed < self._window:
            return False
        too_slow = taken - self._taken < self._rate * passed
        self._since, self._taken = now, taken
        return too_slow
