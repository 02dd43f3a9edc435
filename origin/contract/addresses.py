"""Where what a request gets is: at the host of the request, a CDN or an edge.  Pure."""

from dataclasses import replace
from urllib.parse import quote

from metadata.records import ContentRecord
from origin.contract.formats import Output
from origin.contract.play_manifest import PlayManifest
from origin.contract.replies import Chosen
from origin.contract.routes import Route
from origin.contract.serve_flavor import (
    ServeSequence,
    render_serve_flavor,
    render_serve_flavors,
    render_serve_sequence,
)
from origin.filters.wanted import placed, render_query

_NOT_IN_TS = (
    "hvc1", "hev1", "dvh1", "av01", "dav1", "vp09",
    "ac-3", "ec-3", "Opus", "fLaC", "alac", "mp4a.69", "mp4a.6B",
)  # fmt: skip
_SAFE = "/,:@!$&'()*+;=~"
_LEAVES = {Output.DASH: "manifest.mpd", Output.SMOOTH: "manifest", Output.HDS: "manifest.f4m"}


def hls_folders(chosen: Chosen, bases: tuple[str, ...]) -> tuple[str, ...]:
    """Of the playlists, behind each of *bases*."""
    container = "container/fmp4/" if _needs_fmp4(chosen) else ""
    path = f"/{container}{render_serve_flavors(chosen.files)}/"
    return tuple(base + quote(path, safe=_SAFE) for base in bases)


def address(
    content: ContentRecord,
    asked: PlayManifest,
    chosen: Chosen,
    route: Route,
    language: str = "",
) -> str:
    """Encoded, of what a player is sent to: the first of the ways of *route*; a master playlist
    has sound in *language* alone, where one is named."""
    base = route.bases[0]
    if asked.output is Output.HLS and not route.pattern:
        leaf = f"master-l{language}.m3u8" if language else "master.m3u8"
        return hls_folders(chosen, (base,))[0] + _filtered(asked, leaf)
    if asked.format.many:
        path = f"/{render_serve_flavors(chosen.files)}"
        leaf = "" if route.pattern else f"/{_filtered(asked, _LEAVES[asked.output])}"
    else:
        file, leaf = chosen.files[0], ""
        if asked.output is Output.DOWNLOAD:
            file = replace(file, file_name=file_name(content.name))
        path = f"/{render_serve_flavor(file)}"
    path = quote(path, safe=_SAFE) + leaf
    return base + (route.pattern.replace("{url}", path) if route.pattern else path)


def sequence_address(
    asked: PlayManifest, sequence: ServeSequence, chosen: Chosen, route: Route
) -> str:
    """The same of entries one after the other."""
    path = f"/{_container(asked, chosen)}{render_serve_sequence(sequence)}"
    leaf = "master.m3u8" if asked.output is Output.HLS else _LEAVES[asked.output]
    base, path = route.bases[0], quote(path, safe=_SAFE)
    if route.pattern:
        return base + route.pattern.replace("{url}", path)
    return f"{base}{path}/{leaf}"


def _container(asked: PlayManifest, chosen: Chosen) -> str:
    return "container/fmp4/" if asked.output is Output.HLS and _needs_fmp4(chosen) else ""


def _needs_fmp4(chosen: Chosen) -> bool:
    """What MPEG-TS cannot carry."""
    codecs = (codec for one in chosen.flavors for codec in one.codecs.split(","))
    return any(codec.startswith(_NOT_IN_TS) for codec in codecs)


def _filtered(asked: PlayManifest, leaf: str) -> str:
    return placed(asked.wanted, leaf) + render_query(asked.wanted)


def file_name(name: str) -> str:
    """*name* as that of a file that every system takes."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    return f"{kept[:100] or 'video'}.mp4"
