"""The delivery contract's URLs, answered: ``origin.contract`` decides, this asks and opens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from cachetools import LRUCache

from metadata.records import ContentRecord
from origin.caption_assets import CaptionAssets
from origin.catalog import Catalog, Presented
from origin.contents import Contents
from origin.contract.access import decide
from origin.contract.addresses import address, hls_folders, sequence_address
from origin.contract.admission import (
    admitted,
    check_expiry,
    is_playlist,
    life,
    shown,
    steady_until,
)
from origin.contract.caption_assets import is_caption_asset, parse_caption_asset
from origin.contract.formats import Output, Reply
from origin.contract.in_sequence import in_sequence, listed_entries
from origin.contract.masters import LEGACY_TYPE, whole_master
from origin.contract.play_manifest import (
    PlayManifest,
    is_play_manifest,
    parse_play_manifest,
)
from origin.contract.refusals import Number, Refused
from origin.contract.replies import Chosen, as_json, choose
from origin.contract.routes import Route, route
from origin.contract.serve_flavor import (
    ServeFlavor,
    is_serve_flavor,
    parse_serve_flavor,
    render_serve_flavor,
)
from origin.contract.sound import is_spoken
from origin.contract.terms import Terms
from origin.errors import BadUrl, NotFound
from origin.excerpts import Excerpts
from origin.filters.asked import Asked
from origin.flights import Flights
from origin.indexes import Ahead
from origin.listed_sound import Sound
from origin.manifests import HLS_TYPE, contained, multivariant
from origin.parameters import NONE, Parameters
from origin.refused import RefusedBefore
from origin.responses import IMMUTABLE, SHORT, Answer, Body, Text, plain, strong_etag, text
from origin.storage.source import Source
from origin.terms import PartnerTerms
from origin.texts import Texts, facts_of
from origin.urls import parse_target
from packager.hls.closed_captions import with_closed_captions
from packager.plan import Extents, Plan
from packager.source import Container
from packager.tracks import Kind

_KEPT = 8 << 20
"""Bytes of answers."""

Delivered = tuple[Body | Text | Answer, Source | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """An answer of a moment ago, and what it was made of."""

    found: Text | Answer
    asked: PlayManifest
    content: ContentRecord
    terms: Terms
    row: object
    """That its manifest was made from; None where it is not one."""

    until: int
    """Nanoseconds since 1970."""

    @property
    def weight(self) -> int:
        return 1024 + (self.found.size if isinstance(self.found, Text) else 1024)


def is_of_contract(path: str) -> bool:
    """Whether a path, with or without a query, is answered here."""
    return path.startswith(("/p/", "/s/p/")) or is_caption_asset(path)


def takes_post(path: str) -> bool:
    """Whether parameters of *path* may come in a body."""
    return is_play_manifest(path)


class Delivery:
    def __init__(
        self,
        catalog: Catalog,
        contents: Contents,
        terms: PartnerTerms,
        texts: Texts,
        clock: Callable[[], int],
    ) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._catalog = catalog
        self._contents = contents
        self._terms = terms
        self._texts = texts
        self._clock = clock
        self._ready: LRUCache[str, _Ready] = LRUCache(_KEPT, lambda ready: ready.weight)
        # The same for many spellings of a URL, and longer than a row is kept.
        self._masters: LRUCache[tuple[str, ...], Text] = LRUCache(_KEPT, lambda made: made.size)
        self._flights: Flights[tuple[str, ...], Text] = Flights()
        self._excerpts = Excerpts(catalog)
        self._captions = CaptionAssets(catalog, clock)
        self._refused = RefusedBefore(clock)

    def at_hand(self, target: str) -> Delivered | None:
        """What *target*, a path with its query, names, if nothing has to be waited for."""
        ready = self._ready.get(target)
        if ready is None or self._clock() >= ready.until:
            return None
        entry = ready.asked.entry
        if self._contents.at_hand(entry) is not ready.content:
            return None
        if not self._terms.holds(ready.asked.partner, ready.terms):
            return None
        if ready.row is not None and not self._catalog.holds(entry, ready.row):
            return None
        return ready.found, None

    async def find(self, target: str) -> Delivered:
        """The same.  Raises ``BadUrl``, ``Refused`` and what sources raise."""
        path, _, query = target.partition("?")
        if is_play_manifest(path):
            mark = self._contents.mark
            self._refused.check(target, mark)
            try:
                asked = parse_play_manifest(path, query)
                return await self._play_manifest(target, asked), None
            except Refused as refused:
                self._refused.keep(target, refused, mark)
                raise
        if is_serve_flavor(path):
            return await self._serve_flavor(parse_serve_flavor(path, query))
        if is_caption_asset(path):
            return await self._captions.find(parse_caption_asset(path, query))
        raise BadUrl("no such resource: below /p/ are playManifest and serveFlavor")

    # -- playManifest

    async def _play_manifest(self, target: str, asked: PlayManifest) -> Text | Answer:
        now = self._clock()
        check_expiry(asked, now)
        content = await self._contents.find(asked.entry)
        if asked.before or is_playlist(content):
            return await self._sequence(asked, content, now)
        content = admitted(content, asked.partner, now)
        terms = await self._terms.find(asked.partner)
        access = decide(content, asked.delivery.asker, terms)
        chosen = choose(content, asked, terms.storing, self._catalog.data_center)
        way = route(terms, asked, access)
        presented = None
        lasts = 0 if access.personal else life(content, now, asked.expiry)
        cache_control = f"public, max-age={lasts}" if lasts else "no-store"
        reply = _reply(asked, way)
        language = "" if reply is Reply.MASTER else await self._muxed(asked, chosen)
        where = address(content, asked, chosen, way, language)
        extra = {"X-ServerNodeIds": ",".join(map(str, way.nodes))} if way.nodes else {}
        match reply:
            case Reply.MASTER:
                presented, master = await self._master(
                    asked, chosen, way, terms.origins, cache_control, extra
                )
                found: Text | Answer = master
            case Reply.REDIRECT:
                fields = {"Location": where, "Cache-Control": cache_control, **extra}
                found = plain(302, fields, origins=terms.origins)
            case Reply.JSON | Reply.JSONP:
                said = as_json(asked, [content], chosen, where)
                found = text(*said, cache_control, extra, terms.origins)
        until = steady_until(content, now, asked.expiry)
        row = None if presented is None else presented.row
        ready = _Ready(found, asked, content, terms, row, until)
        lists_files = presented is not None and presented.captions
        shared = not (lists_files or access.personal)
        if shared and ready.weight <= self._ready.maxsize:
            self._ready[target] = ready
        return found

    async def _sequence(
        self, asked: PlayManifest, own: ContentRecord | None, now: int
    ) -> Text | Answer:
        """Entries one after the other: the packager's manifest has their segments."""
        if is_playlist(own):
            contents = [
                await self._admitted(one, asked.partner, now)
                for one in listed_entries(shown(own, asked.partner, now))
            ]
            like = contents[0]
        else:
            entries = (*asked.before, asked.entry)
            contents = [await self._admitted(one, asked.partner, now) for one in entries]
            like = contents[-1]
        terms = await self._terms.find(asked.partner)
        access = [decide(one, asked.delivery.asker, terms) for one in contents]
        chosen = choose(like, asked)
        sequence = in_sequence(asked, own or like, chosen)
        way = route(terms, asked, access[-1])
        lasts = min(life(one, now, asked.expiry) for one in contents)
        if any(one.personal for one in access):
            lasts = 0
        cache_control = f"public, max-age={lasts}" if lasts else "no-store"
        where = sequence_address(asked, sequence, chosen, way)
        extra = {"X-ServerNodeIds": ",".join(map(str, way.nodes))} if way.nodes else {}
        if asked.reply in (Reply.JSON, Reply.JSONP):
            said = as_json(asked, contents, chosen, where)
            return text(*said, cache_control, extra, terms.origins)
        fields = {"Location": where, "Cache-Control": cache_control, **extra}
        return plain(302, fields, origins=terms.origins)

    async def _admitted(self, entry: str, partner: int, now: int) -> ContentRecord:
        return admitted(await self._contents.find(entry), partner, now)

    async def _muxed(self, asked: PlayManifest, chosen: Chosen) -> str:
        """The one language that a playlist of another URL shall have, if its files do: without
        a look it might have none."""
        language = asked.delivery.muxed_audio
        if not language or asked.output is not Output.HLS:
            return ""
        target = parse_target(f"{hls_folders(chosen, ('/hls',))[0]}master.m3u8")
        presented = await self._catalog.find(target.source, None, parameters=target.parameters)
        recipe = presented.recipe
        spoken = (
            recipe.said_of(number).language or one.track.language
            for number, index in enumerate(recipe.flavors, 1)
            for one in index.of_kind(Kind.AUDIO)
        )
        return language if is_spoken(language, spoken) else ""

    async def _master(
        self,
        asked: PlayManifest,
        chosen: Chosen,
        way: Route,
        origins: frozenset[str],
        cache_control: str,
        extra: Mapping[str, str],
    ) -> tuple[Presented, Text]:
        folders = hls_folders(chosen, way.bases)
        target = parse_target(f"{hls_folders(chosen, ('/hls',))[0]}master.m3u8")
        presented = await self._catalog.find(target.source, None, Ahead(), target.parameters)
        target = contained(target, presented.recipe)
        legacy = chosen.rows if way.legacy else None
        wanted = Asked(target, asked.wanted)
        listing = await self._catalog.listings.find(wanted, presented.partner, presented.ids)
        sound = Sound(
            rules=listing.rules,
            hook=listing.hook,
            request=listing.request,
            default=asked.delivery.default_audio,
            muxed=asked.delivery.muxed_audio,
        )
        tracks = await self._texts.tracks(presented)
        in_pictures, said = presented.recipe.closed_captions, presented.recipe.said
        facts = repr((legacy, said, sound, facts_of(tracks), in_pictures, sorted(origins)))
        shared = str(chosen.first), presented.token, cache_control, facts
        key = *shared, *extra.values(), *folders
        if (known := self._masters.get(key)) is not None:
            return presented, known

        async def make() -> Text:
            needs = multivariant(presented.recipe, target, sound, text=tracks)
            written = await self._catalog.write(presented, needs)
            playlist = with_closed_captions(written, in_pictures)
            content = whole_master(playlist, folders, chosen.first, legacy)
            kind = LEGACY_TYPE if way.legacy else HLS_TYPE
            made = text(content, kind, cache_control, extra, origins)
            if made.size <= self._masters.maxsize:
                self._masters[key] = made
            return made

        return presented, await self._flights.join(key, make)

    # -- serveFlavor

    async def _serve_flavor(self, asked: ServeFlavor) -> tuple[Body, Source]:
        await self._admitted(asked.entry, asked.partner, self._clock())
        presented = await self._one(asked)
        file = await self._catalog.open(presented, 1)
        flavor, clip = presented.flavors[0], asked.parameters
        whole = _media_of(clip) == NONE
        shown = presented.recipe.flavor(1).of_kind(Kind.VIDEO)
        container = presented.recipe.flavor(1).container if whole else Container.MP4
        kind = f"{Kind.VIDEO if shown else Kind.AUDIO}/{container}"
        etag = strong_etag("file", asked.flavor, presented.token, str(flavor.size), str(clip))
        if whole:
            plan = Plan((Extents((0,), (flavor.size,), flavor.size),))
        else:
            plan = await self._excerpts.find(presented, clip)
        # Under a version the stored bytes are always these; without one, today's.  Those of a
        # part are ours.
        lasts = IMMUTABLE if whole and asked.version is not None else SHORT
        return Body(plan, kind, lasts, etag, _attachment(asked.file_name)), file

    async def _one(self, asked: ServeFlavor) -> Presented:
        target = parse_target(f"/hls/{render_serve_flavor(_unnamed(asked))}/master.m3u8")
        try:
            return await self._catalog.find(target.source, None, parameters=asked.parameters)
        except NotFound:
            raise Refused(Number.FLAVOR_NOT_FOUND) from None


def _media_of(clip: Parameters) -> Parameters:
    """Without what changes manifests alone."""
    return replace(clip, language=None, thumb_sheets=None, captions_as=None, trick_play=False)


def _reply(asked: PlayManifest, way: Route) -> Reply:
    """A profile may say that another server writes the playlist."""
    if asked.reply is Reply.MASTER and way.redirects:
        return Reply.REDIRECT
    return asked.reply


def _unnamed(asked: ServeFlavor) -> ServeFlavor:
    return ServeFlavor(
        partner=asked.partner,
        entry=asked.entry,
        flavor=asked.flavor,
        version=asked.version,
        storages=asked.storages,
    )


def _attachment(file_name: str | None) -> dict[str, str]:
    """RFC 6266: what every client reads, and what most read better."""
    if file_name is None:
        return {}
    simple = "".join(
        letter if letter.isascii() and letter not in '"%;\\' else "_" for letter in file_name
    )
    whole = quote(file_name, safe="")
    return {
        "Content-Disposition": f"attachment; filename=\"{simple}\"; filename*=UTF-8''{whole}"
    }
