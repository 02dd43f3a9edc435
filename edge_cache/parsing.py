"""Bytes of a client to requests: httptools' callbacks, and the bounds that it does not have.

It finds the requests in a stream and feeds their bodies; it knows neither answers nor clocks.
"""

from typing import Protocol

import httptools

from edge_cache.config import EdgeConfig
from edge_cache.errors import Refused
from edge_cache.request import Request


class Consumer(Protocol):
    """Who gets the requests: a connection."""

    def on_request(self, request: Request, *, keep_alive: bool) -> None:
        """A request whose head is complete, and whose body, if any, may still arrive."""

    def on_body_full(self) -> None:
        """Enough of a body waits; more is taken all the same."""


class RequestStream:
    def __init__(self, consumer: Consumer, config: EdgeConfig, client: bytes) -> None:
        self.incoming: Request | None = None
        """The request whose head or body is arriving."""
        self.head_since: float | None = None
        """When a head began to arrive; None while none does."""
        self._consumer = consumer
        self._config = config
        self._client = client
        self._parser = httptools.HttpRequestParser(self)
        self._head_done = False
        self._unparsed = 0  # bytes since the head began in an earlier read
        self._now = 0.0

    @property
    def is_idle(self) -> bool:
        return self.incoming is None and self.head_since is None

    def feed(self, data: bytes, now: float) -> None:
        """What came at *now* (monotonic seconds).  Refused ends the stream."""
        self._now = now
        if self.head_since is None and not self._head_done:
            self.head_since = now
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, Refused):  # raised by a callback below
                raise error.__context__ from None
            raise _refusal(error) from None
        if self.incoming is not None and not self._head_done:
            self._bound_head(self.incoming, len(data))

    def cut(self, refused: Refused) -> None:
        """No more will come."""
        incoming, self.incoming = self.incoming, None
        if incoming is not None and incoming.body is not None:
            incoming.body.cut(refused)

    # For httptools.

    def on_url(self, fragment: bytes) -> None:
        request = self.incoming
        if request is None:
            request = self.incoming = Request(fragment, self._client, self._now)
        else:
            request.target += fragment
        if len(request.target) > self._config.max_request_line:
            raise Refused(414, "target")

    def on_header(self, name: bytes, value: bytes) -> None:
        request = self.incoming
        if request is None:
            return
        if not self._head_done:
            request.fields.append((name, value))  # counted when the head is complete
            return
        request.size += len(name) + len(value) + 4
        if request.size > self._config.max_headers:  # trailer fields are counted, and dropped
            raise Refused(431, "headers")

    def on_headers_complete(self) -> None:
        request, parser = self.incoming, self._parser
        if request is None:
            return
        request.complete(parser.get_method(), parser.get_http_version(), self._config)
        self._head_done = True
        self.head_since = None
        if request.body is not None:
            if parser.should_upgrade():  # the parser would take the body for the next request
                raise Refused(400, "upgrade")
            self._consumer.on_request(request, keep_alive=parser.should_keep_alive())

    def on_body(self, data: bytes) -> None:
        request = self.incoming
        if request is not None and request.body is not None:
            request.body.feed(data)
            if request.body.is_full:
                self._consumer.on_body_full()

    def on_message_complete(self) -> None:
        request, self.incoming = self.incoming, None
        self._head_done = False
        self._unparsed = 0
        if request is None:
            return
        if request.body is not None:
            request.body.feed_end()
        else:
            keep_alive = self._parser.should_keep_alive()
            self._consumer.on_request(request, keep_alive=keep_alive)

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # Not taken up (RFC 9110 §7.8); the bytes behind it are the next request.
                data = data[upgrade.args[0] :]
            else:
                return

    def _bound_head(self, request: Request, size: int) -> None:
        """Bound what the parser holds back, a line that never ends, and the time for it."""
        if self.head_since is None:  # it began behind another request, in the same bytes
            self.head_since = self._now
            return
        request.check_size(self._config)
        self._unparsed += size
        if self._unparsed > self._config.max_headers + self._config.max_request_line:
            raise Refused(431, "headers")


def _refusal(error: httptools.HttpParserError) -> Refused:
    """The status of what the parser refused."""
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return Refused(501, "method")
    if "HTTP version" in str(error) or "PRI" in str(error):  # PRI is how HTTP/2 begins
        return Refused(505, "version")
    return Refused(400, "syntax")
