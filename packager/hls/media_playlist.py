"""HLS media playlists of stored media (RFC 8216 §4.3.3, rules P-02 to P-06).

All times are whole microseconds of the presentation, each rounded once from its exact value;
an EXTINF is the difference of two of them, so that no sum of EXTINFs ever drifts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from packager.hls.attributes import quoted, tag
from packager.presentation import Timeline

_SECOND = 10**6

FLOATING_EXTINF = 3
I_FRAMES = 4
MAP_WITH_I_FRAMES = 5
MAP_WITH_SEGMENTS = 6
"""EXT-X-VERSION by what a list needs (RFC 8216 §7); 5 has EXT-X-MAP in I-frame lists only."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Segments of one rendition that go on without a break."""

    timeline: Timeline
    uri: Callable[[int], str]
    """Names a segment, relative to the list, by its number."""

    map_uri: str | None = None
    """Names the init segment of fMP4."""


def media_playlist(
    timeline: Timeline, uri: Callable[[int], str], *, target: int, map_uri: str | None = None
) -> str:
    """The list of one rendition, complete (VOD).

    A segment's number in its URI is its media sequence number too: they agree wherever one of
    them is meant (the implicit IV of AES-128, §5.2).  *target* is ``target_duration`` of the
    whole presentation.
    """
    return _written([Stretch(timeline, uri, map_uri)], target, timeline.first)


def iframe_playlist(
    timeline: Timeline, uri: Callable[[int], str], *, map_uri: str | None = None
) -> str:
    """The list of key frames, each in a segment of its own (EXT-X-I-FRAMES-ONLY, §4.3.3.6).

    Its target duration is its own (§6.2.4).
    """
    head = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{MAP_WITH_I_FRAMES if map_uri else I_FRAMES}",
        f"#EXT-X-TARGETDURATION:{target_duration([timeline])}",
        f"#EXT-X-MEDIA-SEQUENCE:{timeline.first}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY",
    ]
    return "\n".join([*head, *_lines(Stretch(timeline, uri, map_uri)), "#EXT-X-ENDLIST\n"])


def joined_playlist(stretches: Sequence[Stretch], *, target: int) -> str:
    """The list of *stretches*, played one after the other (EXT-X-DISCONTINUITY, §4.3.2.3)."""
    return _written(stretches, target, 1)


def _written(stretches: Sequence[Stretch], target: int, first: int) -> str:
    mapped = any(one.map_uri for one in stretches)
    head = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{MAP_WITH_SEGMENTS if mapped else FLOATING_EXTINF}",
        f"#EXT-X-TARGETDURATION:{target}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    bodies = [line for one in stretches for line in ("#EXT-X-DISCONTINUITY", *_lines(one))][1:]
    return "\n".join([*head, *bodies, "#EXT-X-ENDLIST\n"])


def _lines(one: Stretch) -> list[str]:
    durations = _durations(one.timeline)
    # Few durations are different ones, and formatting them is what would take the time.
    extinf = {d: f"#EXTINF:{d // _SECOND}.{d % _SECOND:06d}," for d in set(durations)}
    head = [tag("EXT-X-MAP", {"URI": quoted(one.map_uri)})] if one.map_uri else []
    numbered = enumerate(durations, one.timeline.first)
    return [*head, *(f"{extinf[d]}\n{one.uri(n)}" for n, d in numbered)]


def target_duration(timelines: Iterable[Timeline]) -> int:
    """EXT-X-TARGETDURATION in seconds, one for all lists of a presentation (P-02).

    No EXTINF, as printed, rounds to more.  At least 1: zero would make a player that
    multiplies it poll or buffer nothing.
    """
    longest = max(max(_durations(timeline)) for timeline in timelines)
    return max(1, (longest + _SECOND // 2) // _SECOND)


def _durations(timeline: Timeline) -> list[int]:
    """Microseconds by which consecutive boundaries differ (P-03)."""
    ticks, half = timeline.timescale, timeline.timescale // 2
    times = [(t * _SECOND + half) // ticks for t in (*timeline.starts, timeline.end)]
    return [stop - start for start, stop in pairwise(times)]
