"""The asker's side: the owner of a key is asked before any upstream is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_cache.config import EdgeConfig
from edge_cache.errors import Failure, UpstreamError
from edge_cache.http.fields import Fields, without
from edge_cache.request import Request
from edge_cache.siblings.errors import Declined
from edge_cache.siblings.metrics import Outcome, SiblingTally
from edge_cache.siblings.owner import owner_of
from edge_cache.siblings.told import NAME, Told
from edge_cache.storability import Refusal
from edge_cache.upstream.connection import UpstreamConnection
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.response import Interim, Response

REST = 5.0
"""Seconds in which an owner that is stuck is not asked again: to find out takes a while."""

_VIA = (b"Via", b"1.1 headrace")
_TOLD = frozenset((NAME.lower(),))


def socket_path(folder: Path, worker: int) -> Path:
    """Where *worker* listens to its siblings."""
    return folder / f"worker-{worker}"


@dataclass(frozen=True, slots=True)
class Owned:
    """An owner's answer."""

    response: Response
    told: Told


class Siblings:
    """The other workers of the node, as this one sees them."""

    def __init__(
        self, config: EdgeConfig, folder: Path, worker: int, tally: SiblingTally
    ) -> None:
        self._config = config
        self._tally = tally
        self._worker = worker
        self._resting_until = [0.0] * config.workers
        self._now = asyncio.get_running_loop().time
        self._pools = [
            Pool(
                f"unix://{socket_path(folder, number)}",
                connect_timeout=config.sibling_patience,
                idle_timeout=config.pool_idle,
                limit=config.max_upstream,
            )
            for number in range(config.workers)
        ]

    def close(self) -> None:
        for pool in self._pools:
            pool.close()

    def has(self, request: Request) -> bool:
        """Whether another worker fills what *request* is for."""
        if request.is_internal:
            return False
        return owner_of(request.key, len(self._pools)) != self._worker

    async def ask(self, outgoing: Outgoing) -> Owned | None:
        """The answer of the owner of the target, once its head is there.

        None if it has none to give: this worker goes upstream itself.  Declined if it must do
        so, UpstreamError for what the owner has met with upstream.
        """
        response = await self._response(outgoing)
        if response is None:
            self._tally.asked(Outcome.ABSENT)
            return None
        told = Told.find(response.fields)
        if told is None or told.failure is not None or told.declines:
            response.close()
            self._refused(told)
            return None
        self._tally.asked(Outcome.ANSWERED)
        response.fields = _as_received(response.fields)
        response.server, response.tries = told.server or "", told.tries
        return Owned(response, told)

    async def _response(self, outgoing: Outgoing) -> Response | None:
        owner = owner_of(outgoing.target, len(self._pools))
        if self._now() < self._resting_until[owner]:
            return None
        try:
            return await self._send(self._pools[owner], outgoing)
        except UpstreamError as error:
            if error.failure in _STUCK:
                self._resting_until[owner] = self._now() + REST
            return None

    def _refused(self, told: Told | None) -> None:
        """Raise what has been *told* in place of an answer, if it is final."""
        if told is not None and told.declines:
            self._tally.asked(Outcome.DECLINED)
            raise Declined(None if told.refusal is None else Refusal(told.refusal))
        if told is not None and told.failure in _FAILURES:
            self._tally.asked(Outcome.FAILED)
            error = UpstreamError(Failure(told.failure))
            error.tries, error.is_counted = told.tries, True
            raise error
        self._tally.asked(Outcome.ABSENT)

    async def _send(self, pool: Pool, outgoing: Outgoing) -> Response:
        """The response; UpstreamError if there is none, or no sign of life in time."""
        used = pool.take_idle()
        if used is not None:
            try:
                return await self._on(used, pool, outgoing)
            except UpstreamError as error:
                if error.failure is not Failure.CLOSED:
                    raise
        return await self._on(await pool.connect(), pool, outgoing)

    async def _on(
        self, connection: UpstreamConnection, pool: Pool, outgoing: Outgoing
    ) -> Response:
        watch = _Watch(self._config, outgoing.interim)

        def give_up() -> None:
            late = Failure.READ_TIMEOUT if watch.is_alive else Failure.FIRST_BYTE_TIMEOUT
            response.cut(UpstreamError(late))

        response = connection.start(
            outgoing.head(pool.authority),
            None,
            bodiless=outgoing.method == b"HEAD",
            interim=watch.interim,
        )
        watch.start(give_up)
        try:
            await response.head
        except BaseException:
            response.close()
            raise
        finally:
            watch.stop()
        connection.has_served = True
        return response


class _Watch:
    """How long an owner may take: little until it shows that it is alive, then as long as an
    upstream may.  Its first 1xx is that sign; those after it are for the client."""

    def __init__(self, config: EdgeConfig, interim: Interim | None) -> None:
        self._config = config
        self._interim = interim
        self.is_alive = False
        self._give_up: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self._wait(self._config.sibling_patience)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def interim(self, status: int, fields: Fields) -> None:
        if self.is_alive:
            if self._interim is not None:
                self._interim(status, fields)
            return
        self.is_alive = True
        self.stop()
        self._wait(self._config.upstream_patience + self._config.upstream_deadline)

    def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._give_up)


_FAILURES = frozenset(Failure) - {Failure.BUSY}
"""What another worker would meet as well."""


_STUCK = (Failure.CONNECT_TIMEOUT, Failure.FIRST_BYTE_TIMEOUT)
"""It has shown no sign of life."""


def _as_received(fields: Fields) -> Fields:
    """*fields* as the owner has them from upstream: what it has added is added again here."""
    kept = without(fields, _TOLD)
    last = max((at for at, field in enumerate(kept) if field == _VIA), default=None)
    return kept if last is None else (*kept[:last], *kept[last + 1 :])
