"""Which URLs there are: manifests read as a player reads them, so that any server's will do.

Nothing is taken from the shape of a name.  What a presentation names is sorted by what it is
for, so that the same question can be put to two servers that call it differently.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import m3u8

from bench.errors import BenchError

Read = Callable[[str], bytes]
"""Takes a path, gives the body."""

_MPD = "{urn:mpeg:dash:schema:mpd:2011}"
_NAMED = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)(?:%0([0-9]+)d)?\$")
MAX_SEGMENTS = 100_000


@dataclass(slots=True)
class Track:
    """One playlist or Representation."""

    kind: str
    """``video``, ``audio`` or ``muxed``."""

    bandwidth: int = 0
    playlist: str | None = None
    init: str | None = None
    segments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """A presentation, by paths."""

    manifest: str
    protocol: str
    """``hls`` or ``dash``."""

    tracks: list[Track]

    def best(self, kind: str) -> Track | None:
        """The track of the highest rate."""
        fitting = [track for track in self.tracks if track.kind == kind and track.segments]
        return max(fitting, key=lambda track: track.bandwidth, default=None)


def discover(manifest: str, read: Read) -> Found:
    """Read *manifest*, a path, and what it names."""
    data = read(manifest)
    if data.lstrip().startswith(b"#EXTM3U"):
        return _hls(manifest, data, read)
    if b"<MPD" in data[:4096]:
        return _dash(manifest, data)
    raise BenchError(f"{manifest}: neither a playlist nor an MPD")


def _path(base: str, uri: str) -> str:
    parts = urlsplit(urljoin(f"http://here{base}", uri))
    return parts.path + (f"?{parts.query}" if parts.query else "")


# -- HLS


def _hls(manifest: str, data: bytes, read: Read) -> Found:
    text = data.decode()
    playlist = m3u8.loads(text)
    if not playlist.is_variant:
        return Found(manifest, "hls", [_media_playlist(manifest, text, "muxed", 0)])
    tracks = []
    apart = {media.group_id for media in playlist.media if media.type == "AUDIO" and media.uri}
    for variant in playlist.playlists:
        kind = "video" if variant.stream_info.audio in apart else "muxed"
        path = _path(manifest, variant.uri)
        rate = int(variant.stream_info.bandwidth or 0)
        tracks.append(_media_playlist(path, read(path).decode(), kind, rate))
    for media in playlist.media:
        if media.type == "AUDIO" and media.uri:
            path = _path(manifest, media.uri)
            tracks.append(_media_playlist(path, read(path).decode(), "audio", 0))
    return Found(manifest, "hls", tracks)


def _media_playlist(path: str, text: str, kind: str, bandwidth: int) -> Track:
    playlist = m3u8.loads(text)
    init = next((one.uri for one in playlist.segment_map if one and one.uri), None)
    segments = [_path(path, segment.uri) for segment in playlist.segments]
    return Track(kind, bandwidth, path, init and _path(path, init), segments)


# -- DASH


def _dash(manifest: str, data: bytes) -> Found:
    root = ElementTree.fromstring(data)
    tracks = []
    for period in root.iter(f"{_MPD}Period"):
        for group in period.iter(f"{_MPD}AdaptationSet"):
            for representation in group.iter(f"{_MPD}Representation"):
                chain = (representation, group, period, root)
                track = _representation(manifest, chain)
                if track is not None:
                    tracks.append(track)
    return Found(manifest, "dash", tracks)


def _representation(manifest: str, chain: tuple[ElementTree.Element, ...]) -> Track | None:
    """What a SegmentTemplate names; its attributes are inherited (ISO/IEC 23009-1 §5.3.9.1)."""
    own = [one.find(f"{_MPD}SegmentTemplate") for one in chain]
    templates = [template for template in own if template is not None]
    kind = _kind(chain)
    if not templates or kind not in ("video", "audio"):
        return None
    base = manifest
    for one in reversed(chain):
        found = one.find(f"{_MPD}BaseURL")
        base = _path(base, found.text) if found is not None and found.text else base
    attributes: dict[str, str] = {}
    for template in reversed(templates):
        attributes |= template.attrib
    timelines = [one.find(f"{_MPD}SegmentTimeline") for one in templates]
    timeline = next((one for one in timelines if one is not None), None)
    facts = {
        "RepresentationID": chain[0].get("id", ""),
        "Bandwidth": chain[0].get("bandwidth", "0"),
    }

    def name(template: str, **more: int) -> str:
        values = {**facts, **{key: str(value) for key, value in more.items()}}
        return _path(
            base, _NAMED.sub(lambda m: _filled(m, values), template).replace("$$", "$")
        )

    number = int(attributes.get("startNumber", "1"))
    segments = [
        name(attributes["media"], Number=number + position, Time=start)
        for position, start in enumerate(_starts(timeline, attributes, chain))
    ]
    init = attributes.get("initialization")
    rate = int(facts["Bandwidth"])
    return Track(kind, rate, None, name(init) if init else None, segments)


def _filled(match: "re.Match[str]", values: dict[str, str]) -> str:
    return values[match[1]].zfill(int(match[2] or 0))


def _kind(chain: tuple[ElementTree.Element, ...]) -> str:
    """``video``, ``audio`` or another word of the type."""
    for one in chain[:2]:
        kind = one.get("mimeType") or one.get("contentType")
        if kind:
            return kind.partition("/")[0]
    return ""


def _starts(
    timeline: ElementTree.Element | None,
    attributes: dict[str, str],
    chain: tuple[ElementTree.Element, ...],
) -> Iterator[int]:
    """The start of each segment, in the template's timescale."""
    if timeline is None:
        each = int(attributes["duration"])
        *_, period, root = chain
        lasts = period.get("duration") or root.get("mediaPresentationDuration") or ""
        ticks = round(seconds_of(lasts) * int(attributes.get("timescale", "1")))
        yield from range(0, min(ticks, each * MAX_SEGMENTS), each)
        return
    time = count = 0
    for row in timeline.iter(f"{_MPD}S"):
        time = int(row.get("t", time))
        for _ in range(int(row.get("r", "0")) + 1):
            if (count := count + 1) > MAX_SEGMENTS:
                return
            yield time
            time += int(row.get("d", "0"))


_DURATION = re.compile(r"P(?:([0-9]+)D)?T?(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?")


def seconds_of(duration: str) -> float:
    """
    >>> seconds_of("PT1H2M3.5S")
    3723.5
    """
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise BenchError(f"{duration!r} is not a duration")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def spread(segments: list[str], count: int) -> list[str]:
    """*count* of *segments*, evenly, without the first and the last, which may be odd.

    >>> spread(list("abcdefgh"), 3)
    ['b', 'd', 'f']
    """
    inner = segments[1:-1] or segments
    count = min(count, len(inner))
    return [inner[number * len(inner) // count] for number in range(count)]
