"""Requests that go upstream for themselves alone, and what their responses invalidate."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from edge_cache.appraisal import appraise
from edge_cache.config import EdgeConfig
from edge_cache.disk.errors import DiskError
from edge_cache.entry import CacheKey, Entry, updated_fields
from edge_cache.errors import UpstreamError
from edge_cache.forwarding import age_fields, passed_fields, received_fields
from edge_cache.gate import Gate
from edge_cache.http.cache_status import CacheStatus, Forward
from edge_cache.http.fields import Fields, values
from edge_cache.http.targets import same_origin_target
from edge_cache.metrics import Tally, Verdict
from edge_cache.purging.names import Kind, normal
from edge_cache.reply import Reply
from edge_cache.request import Request
from edge_cache.siblings.client import Siblings
from edge_cache.siblings.errors import Declined
from edge_cache.storability import Refusal
from edge_cache.taking import rules_of
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Response

SAFE = (b"GET", b"HEAD", b"OPTIONS")
"""Methods that change nothing (RFC 9110 §9.2.1); of any other it is assumed that they do."""

_NAMES_OF_CHANGED = (b"location", b"content-location")

_CODING = b"content-encoding"

_SAME_BODY = (b"etag", b"last-modified", b"content-length")
"""Fields of a HEAD that must not differ from what is stored (RFC 9111 §4.3.5)."""

_log = logging.getLogger("edge")


class Passing:
    def __init__(
        self,
        config: EdgeConfig,
        upstream: UpstreamClient,
        tier: Tiered,
        gate: Gate,
        tally: Tally,
        overtake: Callable[[bytes], None],
        siblings: Siblings | None = None,
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._tier = tier
        self._gate = gate
        self._tally = tally
        self._rules = rules_of(config)
        self._siblings = siblings
        self._overtake = overtake
        """Called with each target that may have changed: fills of it are of before that."""

    async def send(
        self, request: Request, reply: Reply, forward: Forward, refusal: Refusal | None
    ) -> None:
        """Send *request* upstream, and its response to the client."""
        if request.is_internal:
            raise Declined(refusal)
        request.told = None
        fields = passed_fields(request, self._config)
        body = None if request.body is None else aiter(request.body)
        outgoing = Outgoing(request.method, request.key, fields, body, reply.interim)
        async with self._gate.turn():
            asked, begun = time.monotonic(), self._tier.known
            response = await self._send(outgoing)
            if request.method not in SAFE and response.status < 400:
                await self._invalidate(request, response.fields)
                if self._config.workers > 1:
                    await self._tell_siblings(request, response.fields)
            elif request.method == b"HEAD":
                self._freshen(request, response, asked, begun)
            await self.relay(request, reply, response, forward, refusal)

    async def ask_owner(self, request: Request, reply: Reply, forward: Forward) -> bool:
        """Answer *request* alone with what the owner of its key holds; False if nothing."""
        if self._siblings is None or not self._siblings.has(request):
            return False
        fields = passed_fields(request, self._config)
        try:
            owned = await self._siblings.ask(Outgoing(request.method, request.key, fields))
        except (Declined, UpstreamError):
            return False
        if owned is None:
            return False
        request.told = owned.told
        await self.relay(request, reply, owned.response, forward, None)
        return True

    async def relay(
        self,
        request: Request,
        reply: Reply,
        response: Response,
        forward: Forward,
        refusal: Refusal | None,
    ) -> None:
        """Send a response that belongs to this request alone."""
        request.upstream_status = response.status
        request.server, request.tries = response.server, response.tries
        status = CacheStatus(forward=forward, forward_status=response.status, detail=refusal)
        if request.told is not None:
            request.upstream_status = request.told.upstream
            status = request.told.merged(status)
        fields = received_fields(response.fields, now=time.time())
        fields = (*fields, *age_fields(response.fields))
        try:
            reply.start_passed(response.status, fields, response.length, status)
            if request.told is not None:
                request.verdict = Verdict(request.told.verdict)
            while piece := await response.read(self._config.read_timeout):
                await reply.write(piece)
            reply.finish()
        finally:
            response.close()

    async def _send(self, outgoing: Outgoing) -> Response:
        try:
            return await self._upstream.send(outgoing)
        except UpstreamError as error:
            self._tally.upstream_error(error.failure)
            raise

    async def _invalidate(self, request: Request, fields: Fields) -> None:
        """Forget what an unsafe request may have changed (RFC 9111 §4.4)."""
        for target in _changed(request, fields):
            self._overtake(target)
            await self._tier.invalidate(target)
        self._count_tier()

    async def _tell_siblings(self, request: Request, fields: Fields) -> None:
        """Have every worker forget it, before the client can ask one of them."""
        names = [(Kind.URL, normal(target)) for target in _changed(request, fields)]
        try:
            await self._tier.purges.purge(names, soft=False)
        except DiskError:  # what has been done upstream cannot be undone
            _log.exception("other workers may serve what %r has changed", request.target)

    def _freshen(self, request: Request, response: Response, asked: float, begun: int) -> None:
        """Let a HEAD update what a GET has stored, or drop it (RFC 9111 §4.3.5)."""
        stored = self._tier.find(request.key, request.fields)
        key = self._tier.key(request.key, request.fields)
        if stored is None or response.status != 200 or stored.status != 200:
            return
        if request.is_authorized and not stored.shareable:
            return
        if values(stored.fields, _CODING) != values(response.fields, _CODING):
            return  # another representation, which says nothing of this one
        if begun != self._tier.known:  # purged meanwhile, perhaps: this says nothing of later
            return
        now, wall = time.monotonic(), time.time()
        if _is_changed(stored, response):
            self._tier.remove(key)
        else:
            fields = updated_fields(stored.fields, received_fields(response.fields, now=wall))
            appraisal = appraise(
                200,
                fields,
                age_fields(response.fields),
                self._rules,
                authorized=request.is_authorized,
                now=wall,
                delay=now - asked,
            )
            updated = appraisal.entry(stored.body, now=now, parts=stored.parts)
            updated = replace(updated, begun=begun)
            self._replace(key, stored, updated, is_kept=appraisal.is_kept)
        self._count_tier()

    def _replace(self, key: CacheKey, stored: Entry, updated: Entry, *, is_kept: bool) -> None:
        same_vary = values(stored.fields, b"vary") == values(updated.fields, b"vary")
        names = self._tier.names(key[0])
        if is_kept and same_vary:
            self._tier.put(key, names, updated)
        else:
            self._tier.remove(key)

    def _count_tier(self) -> None:
        self._tally.tier(len(self._tier), self._tier.size, self._tier.evictions)


def _changed(request: Request, fields: Fields) -> set[bytes]:
    """The targets that an unsafe request may have changed."""
    changed = {request.key}
    authority = request.known.get(b"host", b"")
    for name in _NAMES_OF_CHANGED:
        for reference in values(fields, name):
            target = same_origin_target(reference, request.key, authority)
            changed.update(() if target is None else (target,))
    return changed


def _is_changed(stored: Entry, response: Response) -> bool:
    told = {name: values(response.fields, name) for name in _SAME_BODY}
    have = {name: values(stored.fields, name) for name in _SAME_BODY}
    have[b"content-length"] = [str(stored.size)]
    return any(told[name] and told[name] != have[name] for name in _SAME_BODY)
