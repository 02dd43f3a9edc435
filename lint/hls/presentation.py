"""An HLS address: its playlists, then their media, then all of them together."""

from lint.fetching import MANIFEST_LIMIT, Fetcher, Resource, Unreachable, resolve
from lint.findings import Malformed, Report
from lint.hls.across import Loaded, check_across
from lint.hls.grammar import Playlist, read_lines
from lint.hls.media import MediaPlaylist, read_media
from lint.hls.multivariant import Multivariant, Variant, define, read_multivariant
from lint.http_rules import check_manifest
from lint.rendition import PICTURE, Rendition, Walker, Wanted

PLAYLISTS = 200
TYPES = ("application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl")


def examine(resource: Resource, fetcher: Fetcher, report: Report, most: int) -> None:
    """Raises Malformed if the first playlist is none."""
    say = report.of(resource.address)
    check_manifest(resource, TYPES, say)
    playlist = read_lines(resource.body, say)
    define(playlist, resource.address, {}, say)
    walker = Walker(fetcher, report, most, hls=True)
    if not (playlist.tags("EXT-X-STREAM-INF") or playlist.tags("EXT-X-MEDIA")):
        _media(resource.address, playlist, walker, report)
        return
    found = read_multivariant(playlist, say)
    loaded: Loaded = {}
    addresses = _load(found, resource.address, playlist, walker, report, loaded)
    check_across(found, loaded, addresses, say)


def _load(
    found: Multivariant,
    base: str,
    above: Playlist,
    walker: Walker,
    report: Report,
    loaded: Loaded,
) -> dict[str, str]:
    """Every media playlist once; the address of each URI."""
    addresses: dict[str, str] = {}
    for item in (*found.variants, *found.renditions, *found.i_frames, *found.images):
        if not item.uri or item.uri in addresses:
            continue
        try:
            if len(addresses) >= PLAYLISTS:
                raise Unreachable(f"more than {PLAYLISTS} playlists")
            address = resolve(base, item.uri)
            addresses[item.uri] = address
            if address in loaded:
                continue
            got = walker.fetcher.get(address, MANIFEST_LIMIT)
        except Unreachable as error:
            report.of(base)("F-01.playlist", f"line {item.line}", f"{item.uri[:200]}: {error}")
            if len(addresses) >= PLAYLISTS:
                break
            continue
        say = report.of(address)
        check_manifest(got, TYPES, say)
        try:
            playlist = read_lines(got.body, say)
            define(playlist, address, above.variables, say)
            loaded[address] = _media(address, playlist, walker, report, item)
        except Malformed as error:
            say("F-02.playlist", error.place, error.text)
    return addresses


def _media(
    address: str,
    playlist: Playlist,
    walker: Walker,
    report: Report,
    declared: Variant | None = None,
) -> tuple[MediaPlaylist, Rendition]:
    say = report.of(address)
    found = read_media(playlist, say)
    is_text = declared is not None and declared.text("TYPE") == "SUBTITLES"
    name = "playlist" if declared is None else f"line {declared.line}"
    rendition = Rendition(address, name)
    rendition.durations = [entry.duration for entry in found.entries]
    rendition.sizes = {i: e.part.length for i, e in enumerate(found.entries) if e.part}
    walker.walk(rendition, len(found.entries), lambda index: _wanted(address, found, index))
    for index, entry in enumerate(found.entries):
        size, lasts = rendition.sizes.get(index, 0), entry.duration
        if not (entry.bitrate and size and lasts) or entry.part is not None:
            continue
        if not 900 * entry.bitrate <= 8 * size / lasts <= 1100 * entry.bitrate:
            text = f"{entry.bitrate}, it is {float(8 * size / lasts / 1000):.0f} kbit/s"
            say("P-17.bitrate", f"line {entry.line}", text)
    if is_text:
        rendition.header = rendition.header if rendition.form == "mp4" else None
    return found, rendition


def _wanted(address: str, found: MediaPlaylist, index: int) -> Wanted | None:
    entry = found.entries[index]
    if entry.gap:
        return None
    sealed = entry.encrypted if entry.encrypted == "AES-128" else ""
    if found.i_frames or (entry.encrypted == "SAMPLE-AES" and entry.map is None):
        sealed = sealed or "a part of a segment"
    if found.images:
        sealed = PICTURE
    return Wanted(
        base=address,
        uri=entry.uri,
        part=entry.part,
        place=f"line {entry.line}",
        number=index,
        declared=entry.duration,
        discontinuity=entry.discontinuity,
        header=None if entry.map is None else (entry.map.uri, entry.map.part),
        sealed=sealed,
    )
