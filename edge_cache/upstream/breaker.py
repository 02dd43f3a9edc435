"""Whether a server may be asked, by what came of asking it before.

    up ---failures---> down ---its rest is over---> half-open ---the probe is good---> up
                         ^                              |
                         +-----the probe has failed-----+   (and rests twice as long)

Pure: the caller brings the clock (monotonic seconds) and the jitter.  Whoever is let in gets a
ticket and hands it back with the outcome; what was begun in an earlier state decides nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

FORCED = -1
"""The ticket of a request that was sent although it was not let in, for want of another
server.  Its success is believed; its failure says nothing new."""

_MAX_DOUBLINGS = 16


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    failures: int = 5
    """Failures in a row after which a server is down."""
    share: float = 0.5
    """Of the requests in the window: so many failures, and it is down as well..."""
    volume: int = 20
    """...if there were so many requests at least."""
    window: float = 10.0
    """Seconds, in two halves that are dropped one at a time."""
    rest: float = 1.0
    """Seconds of the first rest; each that follows closely is twice as long."""
    rest_limit: float = 10.0
    """Seconds of the longest, jitter left out."""


class Breaker:
    def __init__(self, policy: BreakerPolicy, now: float) -> None:
        self.state = State.UP
        self.since = now
        """When the state began."""
        self.hangs = False
        """Whether what brought it down was a time-out: asking costs a wait."""
        self._policy = policy
        self._generation = 0
        self._until = 0.0
        self._level = -1
        self._in_a_row = 0
        self._half_ends = now + policy.window / 2
        self._all = self._bad = self._all_before = self._bad_before = 0

    def enter(self, now: float, *, probe: bool = True) -> int | None:
        """A ticket; None if the server must not be asked.

        One at a time is let in while half-open, and only if it may serve as a *probe*.
        """
        if self.state is State.UP:
            return self._generation
        if self.state is State.DOWN and probe and now >= self._until:
            self._become(State.HALF_OPEN, now)
            return self._generation
        return None

    def succeeded(self, ticket: int, now: float) -> None:
        if self.state is State.UP:
            if ticket == self._generation:
                self._in_a_row = 0
                self._count(now, 0)
        elif ticket in (self._generation, FORCED):
            self._become(State.UP, now)

    def failed(
        self,
        ticket: int,
        now: float,
        *,
        jitter: float,
        hangs: bool = False,
        at_least: float = 0.0,
    ) -> None:
        """*jitter* in [0, 1) lengthens a rest by up to half; *at_least* is its least length,
        if it comes to that."""
        if ticket != self._generation:
            return
        if self.state is State.UP:
            self._in_a_row += 1
            self._count(now, 1)
            if self._in_a_row < self._policy.failures and not self._is_mostly_bad:
                return
        self._rest(now, jitter, at_least)
        self.hangs = hangs

    def abandoned(self, ticket: int, now: float) -> None:
        """Nothing is known: the client left, or the request never began."""
        if self.state is State.HALF_OPEN and ticket == self._generation:
            self._become(State.DOWN, now)  # its rest is over: the next request is the probe

    @property
    def _is_mostly_bad(self) -> bool:
        everything = self._all + self._all_before
        bad = self._bad + self._bad_before
        return everything >= self._policy.volume and bad >= self._policy.share * everything

    def _rest(self, now: float, jitter: float, at_least: float) -> None:
        policy = self._policy
        if self.state is State.UP and now - self.since > policy.rest_limit:
            self._level = -1  # it has been well for long enough
        self._level = min(self._level + 1, _MAX_DOUBLINGS)
        seconds = min(policy.rest * 2**self._level, policy.rest_limit)
        self._until = now + max(seconds * (1 + jitter / 2), at_least)
        self._become(State.DOWN, now)

    def _become(self, state: State, now: float) -> None:
        self.state, self.since = state, now
        self._generation += 1
        self._in_a_row = self._all = self._bad = self._all_before = self._bad_before = 0

    def _count(self, now: float, bad: int) -> None:
        if now >= self._half_ends:
            half = self._policy.window / 2
            is_recent = now < self._half_ends + half
            self._all_before, self._bad_before = (self._all, self._bad) if is_recent else (0, 0)
            self._all = self._bad = 0
            self._half_ends = now + half
        self._all += 1
        self._bad += bad
