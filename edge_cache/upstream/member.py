"""One upstream among others: its connections, what is known of its health, its counters."""

import asyncio
import random
import time
from collections.abc import Collection
from dataclasses import dataclass

from edge_cache.errors import TIMEOUTS, Failure, UpstreamError
from edge_cache.http.dates import parse_date
from edge_cache.http.fields import combined
from edge_cache.upstream.breaker import FORCED, Breaker, BreakerPolicy, State
from edge_cache.upstream.exchange import exchange
from edge_cache.upstream.metrics import MemberTally
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.response import Response

MAX_RETRY_AFTER = 30.0
"""Seconds that a server may rest by its own wish: it must not take itself away for a day."""


@dataclass(frozen=True, slots=True)
class Limits:
    first_byte_timeout: float
    """Seconds from a request to the head of its response."""
    deadline: float
    """Seconds for all tries of a request together."""
    bad: Collection[int]
    """Statuses that speak against the health of who sends them."""

    @property
    def fair_time(self) -> float:
        """Seconds that a server must have been given for a time-out to be its fault."""
        return min(self.first_byte_timeout, 0.9 * self.deadline)


class Member:
    def __init__(
        self, pool: Pool, limits: Limits, policy: BreakerPolicy, tally: MemberTally
    ) -> None:
        self.pool = pool
        self.name = pool.address.name
        self.breaker = Breaker(policy, asyncio.get_running_loop().time())
        self.passes_checks = True
        """What the active health checks say; True if there are none."""
        self.failures = 0
        self.last_failure: Failure | None = None
        self.tally = tally
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._told, self._since = State.UP, self._now()
        self.tally.is_in(State.UP)

    @property
    def state(self) -> State:
        return self.breaker.state if self.passes_checks else State.DOWN

    def enter(self, *, probe: bool) -> int | None:
        """A ticket for one request; None if it should go elsewhere."""
        if not self.passes_checks:
            return None
        ticket = self.breaker.enter(self._now(), probe=probe)
        if self.breaker.state is not State.UP:
            self.tell_state()
        return ticket

    def enter_anyway(self) -> int | None:
        """A ticket when there is nobody else; None if all that comes of it is a wait."""
        ticket = self.breaker.enter(self._now())
        if ticket is None and not self.breaker.hangs:
            return FORCED
        self.tell_state()
        return ticket

    async def send(self, ticket: int, outgoing: Outgoing, deadline: float) -> Response:
        """The response to *outgoing*, once its head is there; UpstreamError."""
        self.tally.cells[self.tally.requests] += 1
        limits = self._limits
        began = self._now()
        try:
            response = await exchange(
                self.pool,
                outgoing,
                first_byte_timeout=limits.first_byte_timeout,
                deadline=deadline,
            )
        except UpstreamError as error:
            if error.failure in TIMEOUTS and deadline - began < limits.fair_time:
                self.tally.failed(error.failure)
                self.leave(ticket)  # those before it have used up its time
            else:
                self._failed(ticket, error.failure)
            raise
        except BaseException:  # the client left, or its body was cut
            self.leave(ticket)
            raise
        response.server = self.name
        if response.status in limits.bad:
            self._failed(ticket, Failure.BAD_STATUS, retry_after(response, time.time()))
        else:
            self._succeeded(ticket)
            response.watch(self._cut)
        return response

    def leave(self, ticket: int) -> None:
        """Nothing came of *ticket*, by no fault of the server."""
        self.breaker.abandoned(ticket, self._now())
        self.tell_state()

    @property
    def seconds_in_state(self) -> float:
        return self._now() - self._since

    def tell_state(self) -> None:
        """Something has come about that may have changed the state."""
        if self.state is not self._told:
            self._told, self._since = self.state, self._now()
            self.tally.is_in(self._told)

    def _succeeded(self, ticket: int) -> None:
        breaker = self.breaker
        was = breaker.state
        breaker.succeeded(ticket, self._now())
        if was is not breaker.state:
            self.tell_state()

    def _failed(self, ticket: int, failure: Failure, rest: float = 0.0) -> None:
        self.tally.failed(failure)
        self.failures += 1
        self.last_failure = failure
        if failure is Failure.BUSY:  # it is we who allow it no more
            self.leave(ticket)
            return
        self.breaker.failed(
            ticket,
            self._now(),
            jitter=random.random(),
            hangs=failure in TIMEOUTS,
            at_least=rest,
        )
        self.tell_state()

    def _cut(self, failure: Failure) -> None:
        """A body that began well has not come to its end."""
        ticket = self.breaker.enter(self._now(), probe=False)
        self._failed(FORCED if ticket is None else ticket, failure)


def retry_after(response: Response, now: float) -> float:
    """Seconds that Retry-After asks for, within bounds (RFC 9110 §10.2.3); *now* since 1970."""
    value = combined(response.fields, b"retry-after")
    if response.status != 503 or value is None:
        return 0.0
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), MAX_RETRY_AFTER))
    date = parse_date(value)
    return 0.0 if date is None else min(max(0.0, date - now), MAX_RETRY_AFTER)
