"""One client connection: requests in, answers out in the same order (RFC 9112 §9.3).

    waiting --first byte--> head --complete--> answering --done--> waiting
                              |                    |
                              +--refused-----------+--cut, slow, or "close"--> closing

On the hit path there is no task and no await: the parser's callback finds the entry and hands
head and body to the transport.  Anything else gets one task per request.
"""

import asyncio
import logging
import time
from collections import deque
from functools import partial
from typing import Protocol, assert_never, cast

from edge_cache.config import EdgeConfig
from edge_cache.decision import Fetch, Renew, Revalidate, Serve, ServeStale
from edge_cache.direct_sending import LARGE, DirectSender, Done, Piece
from edge_cache.disk.errors import DiskError
from edge_cache.entry import Entry
from edge_cache.errors import Refused
from edge_cache.file_part import FilePart
from edge_cache.http.cache_status import CacheStatus
from edge_cache.journal import Journal
from edge_cache.metrics import Verdict
from edge_cache.node import Node
from edge_cache.pacing import Pacing
from edge_cache.parsing import RequestStream
from edge_cache.replies import (
    cache_line,
    entry_head,
    hit_tail,
    refusal_answer,
    status_of,
    tail,
)
from edge_cache.reply import Reply, selected
from edge_cache.request import Request
from edge_cache.selection import FULL, select
from edge_cache.sockets import reset_on_close

LINGER = 2.0
"""Seconds in which what a refused client still sends is thrown away: closing at once would
reset the connection, and with it the answer (RFC 9112 §9.6)."""

_log = logging.getLogger("edge")


def _failure_of(error: Exception) -> str:
    return "disk-damaged" if isinstance(error, DiskError) else "client-left"


class Host(Protocol):
    """What a connection needs of its server."""

    config: EdgeConfig
    node: Node
    journal: Journal
    loop: asyncio.AbstractEventLoop
    draining: bool

    def admit(self, connection: "Connection") -> bool | None: ...

    def forget(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """Knows the order of answers, the transport's back-pressure, and when to let go."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._node = server.node
        self._journal = server.journal
        self._config = server.config
        self._tells_key = server.config.cache_status_key
        self._loop = server.loop
        self.now = time.monotonic  # the loop's own clock has milliseconds only
        self._queue: deque[Request] = deque()  # pipelined
        self._current: Request | None = None  # being answered
        self._task: asyncio.Task[None] | None = None
        self._piece: tuple[bytes, Piece, Done] | None = None  # that the transport precedes
        self._whole_from: int | None = None  # what was sent below it before a whole answer
        self._drained: asyncio.Future[None] | None = None  # set while writing is paused
        self._reading = True
        self._deaf = False  # to what the client still sends
        self._closing = False
        self._advancing = False
        self._since = 0.0  # when anything last moved
        self._written = 0

    # For the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class
        self._since = self.now()
        self._transport.set_write_buffer_limits(high=self._config.write_high_water)
        self._direct = DirectSender(self._loop, self._transport)
        self._pacing = Pacing(self._config.min_send_rate, self._config.send_rate_window)
        peer = transport.get_extra_info("peername")
        self._client: bytes = peer[0].encode() if peer else b""
        self._stream = RequestStream(self, self._config, self._client)
        admitted = self._server.admit(self)
        if admitted is None:
            self.abort()
        elif not admitted:
            self._refuse(Refused(503, "connections"))

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.forget(self)
        self._direct.close()
        self._closing = True
        self._queue.clear()
        self._stream.cut(Refused(400, "client-left"))
        if self._task is not None:
            self._task.cancel()
        if self._current is not None:
            self._current.failure = self._current.failure or "client-left"
            self._note_sent(self._current)
            self._journal.answered(self._current, self.now())
            self._current = None

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._since = self.now()
        try:
            self._stream.feed(data, self._since)
        except Refused as refused:
            self._refuse(refused)

    def eof_received(self) -> bool:
        """The client sends no more: whether the connection stays open all the same.

        It may read on, or have left.  What is stored is sent to the end, which tells.  Who
        waits for an upstream is taken to have left; a reset says that nothing was whole.
        """
        if self._current is None and not self._queue:
            return False
        if self._task is None:
            self._end_after_last()
            return True
        self._fail_current("client-left")
        self.abort()
        return False

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        if self._piece is not None:
            waiting, self._piece = self._piece, None
            self._transport.set_write_buffer_limits(high=self._config.write_high_water)
            self._send_piece(*waiting)
        self._advance()

    # For the stream of requests.

    def on_request(self, request: Request, *, keep_alive: bool) -> None:
        if self._closing:
            return
        request.id = request.given_id() or self._journal.new_id()
        request.keep_alive = keep_alive and not self._server.draining
        if request.body is not None:
            request.body.resume = self._resume_reading
        if self._current is None and self._drained is None and not self._queue:
            self._serve(request, self._since)
        else:
            self._queue.append(request)
            self._pause_reading()

    def on_body_full(self) -> None:
        self._pause_reading()

    # Answers.

    def _advance(self) -> None:
        """Serve what waits, as far as it can be served now."""
        if self._advancing:  # a file is sent at once: whoever called us goes on, on its stack
            return
        self._advancing = True
        try:
            while self._queue and self._current is None and self._drained is None:
                if self._closing:
                    return
                self._serve(self._queue.popleft(), self.now())
        finally:
            self._advancing = False
        if not self._queue:
            self._resume_reading()

    def _serve(self, request: Request, now: float) -> None:
        self._current = request
        decision = self._node.find(request, now)
        match decision:
            case Serve(entry, age):
                self._send_stored(request, entry, age, now)
            case Renew(entry, age):
                self._node.renew(request, entry)
                self._send_stored(request, entry, age, now)
            case ServeStale(entry, age):
                request.verdict = Verdict.STALE
                self._node.refresh(request, entry)
                self._send_stored(request, entry, age, now)
            case Revalidate() | Fetch():
                self._task = self._loop.create_task(self._answer(request))
            case never:
                assert_never(never)

    def _send_stored(self, request: Request, entry: Entry, age: int, now: float) -> None:
        selection = select(request, entry, entry.size)
        ending = hit_tail(request, age, entry.ttl(now))
        if self._tells_key:
            told = cache_line(request, CacheStatus(ttl=entry.ttl(now)), tells_key=True)
            ending = tail(request, b"Age: %d\r\n" % age, told)
        request.first_byte = now
        if selection is FULL:
            request.status = entry.status
            self.send(request, entry.head + ending, selected(FULL, entry.body))
        else:
            request.status = status_of(selection, entry)
            head = entry_head(selection, entry, entry.size)
            self.send(request, head + ending, selected(selection, entry.body))

    async def _answer(self, request: Request) -> None:
        reply = Reply(self, request, tells_key=self._tells_key)
        try:
            await self._node.answer(request, reply)
        except Exception:
            _log.exception("a request failed")
            reply.error(500, "internal")
        finally:
            self._task = None
        self._advance()

    # For replies.

    def write(self, *pieces: bytes | memoryview) -> None:
        self._written += sum(map(len, pieces))
        if len(pieces) == 1:
            self._transport.write(pieces[0])
        else:
            self._transport.writelines(pieces)

    async def drained(self) -> None:
        """Wait until the transport's buffer is low enough for more."""
        if self._drained is not None:
            await asyncio.shield(self._drained)

    async def write_piece(self, piece: Piece) -> None:
        """A large piece of a body; returns when the client has taken it.

        Raises what the disk has kept from being sent.  If the client has left, it is cancelled
        with the connection.
        """
        if not isinstance(piece, FilePart) and not self._direct.can_send():
            self.write(piece)
            return
        sent = self._loop.create_future()

        def done(error: Exception | None) -> None:
            if error is not None and not isinstance(error, DiskError):
                self._fail_current(_failure_of(error))
                self.abort()
            elif not sent.done():
                sent.set_exception(error) if error else sent.set_result(None)

        self._start_piece(b"", piece, done)
        await sent

    def send(self, request: Request, head: bytes, body: bytes | memoryview | FilePart) -> None:
        """A whole answer; ``done`` follows, now or when the client has taken enough."""
        size = len(body)
        if request.method == b"HEAD" or not size:
            self.write(head)
            self.done(request)
        elif isinstance(body, FilePart):
            self._send_whole(request, head, body)
        elif size > LARGE and self._direct.can_send():
            self._send_whole(request, head, memoryview(body))
        else:
            self._written += len(head) + size
            self._transport.writelines((head, body))
            request.sent = size
            self.done(request)

    def _send_whole(self, request: Request, head: bytes, piece: Piece) -> None:
        self._whole_from = self._direct.sent
        self._start_piece(head, piece, partial(self._whole_sent, request))

    def _start_piece(self, head: bytes, piece: Piece, done: Done) -> None:
        if not self._transport.get_write_buffer_size():
            self._send_piece(head, piece, done)
            return
        self._piece = head, piece, done
        # Pauses us until the transport has sent all that it holds.
        self._transport.set_write_buffer_limits(high=0)

    def _send_piece(self, head: bytes, piece: Piece, done: Done) -> None:
        self._written += len(head)
        self._direct.start(head, piece, done)

    def _whole_sent(self, request: Request, error: Exception | None) -> None:
        if error is not None:
            request.failure = request.failure or _failure_of(error)
            self.abort()
            return
        self._note_sent(request)
        self.done(request)
        self._advance()

    def _note_sent(self, request: Request) -> None:
        """What has gone out of an answer that went below the transport."""
        if self._whole_from is not None:
            request.sent = self._direct.sent - self._whole_from
            self._whole_from = None

    def done(self, request: Request) -> None:
        """The answer to *request* is with the transport."""
        self._current = None
        self._since = self.now()
        self._journal.answered(request, self._since)
        if not request.keep_alive:
            self._deaf = self._deaf or self._stream.incoming is not None
            self._close()

    def _close(self) -> None:
        """End the connection once everything is sent.

        A deaf one lingers: bytes that nobody reads would make the close a reset, which can
        overtake the answer (RFC 9112 §9.6).
        """
        self._closing = True
        self._since = self.now()
        if self._deaf and self._transport.can_write_eof():
            self._resume_reading()
            self._transport.write_eof()
        else:
            self._deaf = True
            self._transport.close()

    def abort(self) -> None:
        """Cut the answer so that the client can tell: by a reset, not by an end."""
        self._piece = None
        self._direct.stop()
        reset_on_close(self._transport)
        self._deaf = self._closing = True
        self._transport.abort()

    # Time-outs and the end.

    def check(self, now: float) -> None:
        """Called every second: let go of what takes too long."""
        buffered = self._transport.get_write_buffer_size()
        taken = self._written - buffered + self._direct.sent
        waits = bool(buffered) or self._direct.is_busy
        if self._pacing.is_too_slow(now, taken, waits):
            self._fail_current("client-too-slow")
            self.abort()
        elif not waits:
            self._check_waiting(now)

    def drain(self) -> None:
        """Finish what is there, and take no more."""
        if self._is_idle:
            self._close()
        else:
            self._end_after_last()

    @property
    def _is_idle(self) -> bool:
        return self._current is None and not self._queue and self._stream.is_idle

    def _check_waiting(self, now: float) -> None:
        """For more of a request, or for the next one."""
        config, idle, stream = self._config, now - self._since, self._stream
        if self._closing:
            if idle > LINGER:
                self._transport.abort()
        elif self._is_idle:
            if idle > config.idle_timeout:
                self._close()
        elif not self._reading:
            return  # it is we who keep it waiting
        elif stream.head_since is not None:
            if now - stream.head_since > config.header_timeout:
                self._refuse(Refused(408, "headers"))
        elif stream.incoming is not None and idle > config.body_timeout:
            self._refuse(Refused(408, "body"))

    def _end_after_last(self) -> None:
        last = self._queue[-1] if self._queue else self._current
        if last is not None:
            last.keep_alive = False

    def _fail_current(self, reason: str) -> None:
        if self._current is not None:
            self._current.failure = reason

    def _refuse(self, refused: Refused) -> None:
        """Answer, after what is being answered already, by a status of ours; then close."""
        if self._deaf:
            return
        self._journal.refused(refused.status, refused.reason, self._client)
        self._stream.cut(refused)
        self._deaf = True
        if self._current is not None or self._queue:  # what came before is answered first
            self._end_after_last()
            return
        self._transport.write(refusal_answer(refused.status, refused.reason))
        self._close()

    def _pause_reading(self) -> None:
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and not self._queue and not self._transport.is_closing():
            self._reading = True
            self._since = self.now()
            if self._stream.head_since is not None:
                self._stream.head_since = self._since
            self._transport.resume_reading()
