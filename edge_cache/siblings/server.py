"""The owner's side: a listener for siblings alone, and what comes on it.

It is a Unix socket in a folder that nobody else may enter.  The connection is a client's in all
but this: every request on it is internal, which means that it is never sent to a sibling again,
and the answer tells what ``told`` says.
"""

import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edge_cache.config import EdgeConfig
from edge_cache.connection import Connection
from edge_cache.decision import Renew, ServeStale
from edge_cache.journal import Journal
from edge_cache.metrics import Tally
from edge_cache.node import Node
from edge_cache.request import Request
from edge_cache.server import Server
from edge_cache.siblings.errors import Declined
from edge_cache.siblings.metrics import SiblingTally
from edge_cache.siblings.reply import SiblingReply
from serving.sockets import BACKLOG

ACKNOWLEDGED = b"HTTP/1.1 102 Processing\r\n\r\n"
"""Sent before every answer: an origin may take its time, a worker may not."""

_log = logging.getLogger("edge")


class SiblingServer(Server):
    """Accepts siblings.  Their connections are bounded by the pools on their side."""

    def __init__(
        self, config: EdgeConfig, node: Node, tally: Tally, siblings: SiblingTally
    ) -> None:
        config = replace(
            config,
            # A sibling takes a body at the pace of its slowest client, and watches that itself.
            min_send_rate=1,
            max_connections=_UNBOUNDED,
            # It adds fields to a client's, which may be at the limit.
            max_headers=2 * config.max_headers,
            max_header_fields=2 * config.max_header_fields,
        )
        super().__init__(config, node, _SiblingJournal(tally, siblings), tally)
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Take the place of a worker that died, if there was one."""
        self._server = await self.loop.create_unix_server(
            lambda: SiblingConnection(self), path=os.fspath(path), backlog=BACKLOG
        )
        self._path = path
        self._tick()

    def stop_accepting(self) -> None:
        super().stop_accepting()
        if self._path is not None:
            with suppress(FileNotFoundError):
                self._path.unlink()

    def _count(self) -> None:
        """They are no clients."""


_UNBOUNDED = 1 << 20


class SiblingConnection(Connection):
    def _serve(self, request: Request, now: float) -> None:
        self._current = request
        request.is_internal = True
        self.write(ACKNOWLEDGED)
        decision = self._node.find(request, now)
        if isinstance(decision, ServeStale | Renew):
            self._node.refresh(request, decision.entry)
        self._task = self._loop.create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        reply = SiblingReply(self, request)
        try:
            await self._node.answer(request, reply)
        except Declined as declined:
            reply.decline(declined.refusal)
        except Exception:
            _log.exception("a sibling's request failed")
            reply.error(500, "internal")
        finally:
            self._task = None
        self._advance()


class _SiblingJournal(Journal):
    """The line of a request is the one of the worker that has the client."""

    def __init__(self, tally: Tally, siblings: SiblingTally) -> None:
        super().__init__(lambda _line: None, tally)
        self._siblings = siblings

    def answered(self, request: Request, now: float) -> None:  # noqa: ARG002 - its own is enough
        self._siblings.served()
