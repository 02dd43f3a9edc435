"""Active health checks: ask each upstream for a path every few seconds."""

import asyncio
import random
from dataclasses import dataclass

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.member import Member
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.pool import Pool
from serving.counters import Row

MAX_BODY = 64 * 1024
"""Bytes of a check's body that are read; a check that has more is a poor one, and fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    path: str
    interval: float
    """Seconds between two checks; each is put off by up to a fifth, so that workers and nodes
    do not ask in step."""
    timeout: float
    """Seconds for all of one."""
    status: int
    """What a healthy upstream answers."""
    down: int
    """Checks in a row that fail before it is down."""
    up: int
    """Checks in a row that pass before it is up again."""


FOLLOW_INTERVAL = 1.0
"""Seconds after which a worker that does not check itself looks at what has been found."""


class Streak:
    """From the results of checks to a verdict.  Pure; an upstream begins as healthy."""

    def __init__(self, check: HealthCheck) -> None:
        self.is_healthy = True
        self._check = check
        self._against = 0
        """Results in a row that speak against the verdict."""

    def add(self, passed: bool) -> bool:
        """Take a result; the verdict after it."""
        self._against = 0 if passed is self.is_healthy else self._against + 1
        if self._against >= (self._check.down if self.is_healthy else self._check.up):
            self.is_healthy = passed
            self._against = 0
        return self.is_healthy


async def watch(member: Member, check: HealthCheck) -> None:
    """Check *member* until cancelled."""
    streak = Streak(check)
    while True:
        passed = await passes(member.pool, check)
        member.passes_checks = streak.add(passed)
        member.tally.checked(passed=passed, is_healthy=member.passes_checks)
        member.tell_state()
        await asyncio.sleep(check.interval * (1 + random.random() / 5))


async def follow(member: Member, checker: Row) -> None:
    """Take over what the worker of the row *checker* finds of *member*, until cancelled."""
    while True:
        member.passes_checks = member.tally.is_healthy_in(checker)
        member.tell_state()
        await asyncio.sleep(FOLLOW_INTERVAL)


async def passes(pool: Pool, check: HealthCheck) -> bool:
    """One check, on a connection of its own: an old one would not tell that none is taken."""
    fields = ((b"User-Agent", b"headrace-health"), (b"Connection", b"close"))
    outgoing = Outgoing(b"GET", check.path.encode(), fields)
    try:
        async with asyncio.timeout(check.timeout):
            connection = await pool.connect()
            response = connection.start(
                outgoing.head(pool.authority), None, bodiless=False, interim=None
            )
            try:
                await response.head
                left = MAX_BODY
                while piece := await response.read(check.timeout):
                    left -= len(piece)
                    if left < 0:
                        return False
                return response.status == check.status
            finally:
                response.close()
                connection.abort()
    except TimeoutError:
        return False
    except UpstreamError as error:
        return error.failure is Failure.BUSY  # it has all the connections we allow: it works
