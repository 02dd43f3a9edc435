"""Mapped and remote mode as the operator set them up: everything that the catalog needs."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from origin.config import OriginConfig
from origin.errors import NotFound
from origin.mapping.dressing import Masks
from origin.mapping.errors import BadMapping, Fault
from origin.mapping.fetching import Fetcher, Folder, Upstream
from origin.mapping.grammar import parse_mapping, path_mapping
from origin.mapping.keeping import Kept
from origin.mapping.mappings import Mappings
from origin.mapping.media_set import MediaSet
from origin.mapping.places import Places
from origin.storage.http import HttpServers
from origin.storage.sources import Access, is_remote
from origin.urls import MappedSource, no_source
from packager.segmenter import DEFAULT_TARGET


@dataclass(frozen=True, slots=True)
class Mapped:
    mappings: Mappings | None = None
    """None where there are none here."""

    places: Places = field(default_factory=lambda: Places((), None))
    bare: bool = False
    """A path that begins like no other source is a mapping."""

    masks: Masks = field(default_factory=Masks)

    @classmethod
    def of(cls, config: OriginConfig, clock: Callable[[], int]) -> "Mapped":
        """*clock* tells nanoseconds since 1970."""
        folders = [Path(one) for one in config.source_allow if not is_remote(one)]
        if config.local_root is not None:
            folders.append(config.local_root)
        mappings, fetcher = None, _fetcher(config)
        if fetcher is not None:
            mappings = Mappings(
                fetcher,
                partial(_parse, config.mapping_path_prefix, config.mapping_path_postfix),
                ttl=config.mapping_ttl,
                capacity=config.mapping_cache,
                clock=clock,
                kept=Kept(config.data / "mappings" if isinstance(config.data, Path) else None),
            )
        return cls(mappings, Places(folders, config.remote_upstream), config.mapped_default)

    async def find(
        self, source: MappedSource, token: str | None, now: int
    ) -> AsyncGenerator[MediaSet, None]:
        """What *source* says; for a URL with a *token* then what it says when it is asked
        anew, unless it was since *now*, and what it said within the last day.

        Raises ``BadUrl``, ``NotFound``, ``BadMapping`` and ``Fault``.
        """
        if source.bare and not self.bare:
            raise no_source()
        if self.mappings is None:
            raise NotFound("there are no mappings here")
        if token is None:
            yield await self.mappings.find(source.names)
            return
        problem: BadMapping | Fault | None = None
        seen: list[MediaSet] = []
        mappings, names = self.mappings, source.names
        for look in (partial(mappings.find, names), partial(mappings.look, names, now)):
            try:
                found = await look()
            except (BadMapping, Fault) as error:
                problem = error
                continue
            if found not in seen:
                seen.append(found)
                yield found
        for found in mappings.earlier(names):
            if found not in seen:
                seen.append(found)
                yield found
        for found in await mappings.elsewhere(names):
            if found not in seen:
                yield found
        if problem is not None:
            raise problem

    async def renew(self, source: MappedSource, now: int) -> None:
        """Ask anew what *source* says, unless it was since *now*."""
        if self.mappings is not None:
            await self.mappings.look(source.names, now)

    async def close(self) -> None:
        if self.mappings is not None:
            await self.mappings.close()


def _fetcher(config: OriginConfig) -> Fetcher | None:
    if config.mapping_root is not None:
        return Folder(config.mapping_root)
    if config.mapping_upstream is None:
        return None
    access = Access.of(config)
    parts = urlsplit(config.mapping_upstream)
    servers = HttpServers(
        access.remote_hosts,
        private=access.remote_private,
        upstreams=(f"{parts.scheme}://{parts.netloc}/",),
    )
    return Upstream(config.mapping_upstream, servers)


def _parse(prefix: str | None, postfix: str | None, data: bytes) -> MediaSet:
    if prefix is not None or postfix is not None:
        found = path_mapping(data, prefix or "", postfix or "")
        if found is not None:
            return found
    return parse_mapping(data)


def target_of(media_set: MediaSet) -> Fraction:
    """Length of a segment in seconds."""
    if media_set.segment_duration is None:
        return DEFAULT_TARGET
    return Fraction(media_set.segment_duration, 1000)
