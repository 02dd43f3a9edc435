"""From what a URL wants to the listing of its manifest, and where a hook may run."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from origin.errors import HookFailed
from origin.filters.asked import Asked
from origin.filters.hook import ManifestRequest, NamedHook
from origin.filters.listing import EVERYTHING, Listing
from origin.filters.rules import Rules, render_rules
from origin.filters.sets import FilterSets
from origin.filters.wanted import Wanted
from origin.urls import OF_TRACKS, FileKind, Target

PATIENCE = 10.0
"""Seconds for a manifest that a hook has a part in."""

_THREADS = 4
"""For those manifests: a hook that never returns takes one of them, and nothing else waits."""

T = TypeVar("T")


class Listings:
    def __init__(self, sets: FilterSets, hook: NamedHook | None) -> None:
        self._sets = sets
        self._hook = hook
        self._threads: Executor | None = None
        if hook is not None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="manifest-hook")

    async def carry_out(self, work: Callable[[Executor | None], Awaitable[T]]) -> T:
        """Let *work* make a manifest, in threads of its own where a hook has a part in it.

        Raises ``HookFailed`` when that takes too long.
        """
        if self._hook is None:
            return await work(None)
        try:
            async with asyncio.timeout(PATIENCE):
                return await work(self._threads)
        except TimeoutError:
            late = f"the manifest hook {self._hook.name} gave no answer in {PATIENCE:g} s"
            raise HookFailed(late) from None

    async def find(
        self, asked: Asked, partner: int | None, ids: tuple[str | None, ...]
    ) -> Listing:
        """For a presentation of *partner*'s whose flavors have these *ids*.

        Raises ``BadUrl`` for a filter set that there is not.
        """
        wanted = asked.wanted
        if self._hook is None and wanted == Wanted():
            return EVERYTHING
        if asked.target.file.kind in OF_TRACKS:
            return EVERYTHING
        rules = await self._rules(wanted, partner)
        return Listing(
            wanted.picks,
            ids if wanted.picks is not None else (),
            rules,
            wanted.folder,
            self._hook,
            None if self._hook is None else _request(asked.target, wanted, rules),
        )

    async def _rules(self, wanted: Wanted, partner: int | None) -> tuple[Rules, ...]:
        named: Rules = ()
        if wanted.named is not None:
            named = await self._sets.find(wanted.named, partner)
        return tuple(rules for rules in (named, wanted.rules, wanted.query) if rules)


def _request(target: Target, wanted: Wanted, rules: tuple[Rules, ...]) -> ManifestRequest:
    source = target.source
    return ManifestRequest(
        protocol=target.protocol,
        manifest="master.m3u8" if target.file.kind is FileKind.MASTER else "manifest.mpd",
        source=str(source),
        entry=getattr(source, "entry", None),
        filter=";".join(map(render_rules, rules)),
        filter_set=wanted.named,
    )
