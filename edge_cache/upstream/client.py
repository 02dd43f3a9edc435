"""Send a request to the first upstream that answers it well.

Shields come first, in the order that the key gives them, then the origins as configured.  The
next one is asked only while nothing of a response has come, only if the request did not reach
the one before or does no harm when repeated (RFC 9110 §9.2.2), and only within a budget; what
never reached anybody costs none of it.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.budget import RetryBudget
from edge_cache.upstream.health import HealthCheck, follow, watch
from edge_cache.upstream.member import Limits, Member
from edge_cache.upstream.metrics import RetryTally
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Response
from edge_cache.upstream.ring import Ring
from edge_cache.upstream.routing import route_key
from serving.counters import Row

LOOP_DETECTED = 508
"""A shield has seen the request before (RFC 8586 §2): it may be this very node."""

MAX_SHIELDS = 2
"""Shields that one request is sent to before it goes to an origin."""

_FAILS_OVER = (b"GET", b"HEAD")


@dataclass(frozen=True, slots=True)
class Routing:
    ignored: Collection[bytes]
    """Query parameters that do not choose a shield, in lower case."""
    allowed: Collection[bytes] | None
    """Those that alone do; None for all others."""
    next_on: Collection[int]
    """Statuses to a GET or HEAD after which the next upstream is asked."""


class UpstreamClient:
    def __init__(
        self,
        origins: Sequence[Member],
        shields: Sequence[Member],
        limits: Limits,
        routing: Routing,
        budget: RetryBudget,
        tally: RetryTally,
    ) -> None:
        self.members = (*shields, *origins)
        self._origins = tuple(origins)
        self._shields = tuple(shields)
        self._ring = Ring([member.pool.address for member in shields])
        self._limits = limits
        self._routing = routing
        self._budget = budget
        self._tally = tally
        self._now = asyncio.get_running_loop().time
        self._tasks: list[asyncio.Task[None]] = []

    async def send(self, outgoing: Outgoing) -> Response:
        """The response, once its head is there.  Close it or read it to the end.

        An error status is passed on if nobody has a better answer; of several, the last.
        UpstreamError, of the last that was asked, if nobody has answered.
        """
        self._budget.deposit()
        deadline = self._now() + self._limits.deadline
        attempts = _Attempts(self, outgoing, deadline)
        try:
            await attempts.ask(self._admitted(outgoing))
            if not attempts.tries:
                await attempts.ask(self._anybody(outgoing))
        except BaseException:
            attempts.drop_answer()
            raise
        return attempts.result()

    def check_health(self, check: HealthCheck) -> None:
        """Check all upstreams from now on, until ``close``."""
        loop = asyncio.get_running_loop()
        self._tasks += [loop.create_task(watch(member, check)) for member in self.members]

    def follow_health(self, checker: Row) -> None:
        """Hold of all upstreams what the worker of the row *checker* finds, until ``close``."""
        loop = asyncio.get_running_loop()
        self._tasks += [loop.create_task(follow(member, checker)) for member in self.members]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for member in self.members:
            member.pool.close()

    # Who is asked.

    def _admitted(self, outgoing: Outgoing) -> Iterator[tuple[Member, int]]:
        """Those that may be asked and their tickets, each made out when its turn has come."""
        probe = outgoing.is_repeatable
        asked = 0
        for member in self._shields_for(outgoing):
            if asked < MAX_SHIELDS and (ticket := member.enter(probe=probe)) is not None:
                asked += 1
                yield member, ticket
        for member in self._origins:
            if (ticket := member.enter(probe=probe)) is not None:
                yield member, ticket

    def _anybody(self, outgoing: Outgoing) -> Iterator[tuple[Member, int]]:
        """All are down: those where it costs little to see whether that is still so."""
        for member in (*self._shields_for(outgoing)[:MAX_SHIELDS], *self._origins):
            if (ticket := member.enter_anyway()) is not None:
                yield member, ticket

    def _shields_for(self, outgoing: Outgoing) -> Sequence[Member]:
        """The shields, the one that has the key first."""
        if not self._shields:
            return ()
        key = outgoing.route_key
        if key is None:
            key = route_key(outgoing.target, self._routing.ignored, self._routing.allowed)
        return [self._shields[place] for place in self._ring.order(key)]

    # What an answer means.

    def is_final(self, member: Member, response: Response, outgoing: Outgoing) -> bool:
        """Whether nobody else is asked after this *response*."""
        status = response.status
        if status == LOOP_DETECTED and member in self._shields:
            return outgoing.body is not None
        return status not in self._routing.next_on or outgoing.method not in _FAILS_OVER

    def may_retry(self, *, reached: bool) -> bool:
        """Whether one more request may be sent; counted.  *reached*: the one before it has
        cost a server something."""
        if reached and not self._budget.withdraw():
            self._tally.refused()
            return False
        self._tally.retried()
        return True


class _Attempts:
    """The tries of one request."""

    def __init__(self, client: UpstreamClient, outgoing: Outgoing, deadline: float) -> None:
        self.tries = 0
        self.answer: Response | None = None
        self._client = client
        self._outgoing = outgoing
        self._deadline = deadline
        self._failure = UpstreamError(Failure.DOWN, sent=False)
        self._reached = False

    async def ask(self, candidates: Iterator[tuple[Member, int]]) -> None:
        """One after the other, until one answers well or no more may be asked."""
        for member, ticket in candidates:
            if self.tries and not self._may_retry():
                member.leave(ticket)
                return
            self.tries += 1
            if await self._is_settled_by(member, ticket):
                return

    def result(self) -> Response:
        if self.answer is None:
            self._failure.tries = self.tries
            raise self._failure
        self.answer.tries = self.tries
        return self.answer

    def drop_answer(self) -> None:
        if self.answer is not None:
            self.answer.close()
            self.answer = None

    async def _is_settled_by(self, member: Member, ticket: int) -> bool:
        client, outgoing = self._client, self._outgoing
        try:
            response = await member.send(ticket, outgoing, self._deadline)
        except UpstreamError as error:
            self._failure = error
            self._reached = error.sent
            return error.sent and not outgoing.is_repeatable
        self.drop_answer()
        self.answer = response
        self._reached = response.status != LOOP_DETECTED
        return client.is_final(member, response, outgoing)

    def _may_retry(self) -> bool:
        in_time = asyncio.get_running_loop().time() < self._deadline
        return in_time and self._client.may_retry(reached=self._reached)
