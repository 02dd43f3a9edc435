"""What an HLS playlist means, whatever it calls things (RFC 8216)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import m3u8

from bench.errors import BenchError
from bench.shadow.differences import Difference, Tolerance
from bench.shadow.renditions import Rendition, compare_renditions, tag
from bench.shadow.spans import Spans, compare_spans


@dataclass(frozen=True, slots=True)
class Multivariant:
    variants: tuple[Rendition, ...]
    sound: frozenset[str]
    """Languages of sound that has a playlist of its own."""

    text: frozenset[str]
    """Languages of captions, in band and beside."""

    iframes: bool


@dataclass(frozen=True, slots=True)
class Media:
    spans: Spans
    ended: bool
    encryption: tuple[str, ...]
    """Methods, in order of appearance."""

    discontinuities: int


def read_playlist(data: bytes) -> Multivariant | Media:
    try:
        found = m3u8.loads(data.decode())
        return _multivariant(found) if found.is_variant else _media(found)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise BenchError(f"not a playlist: {error}") from None


def _multivariant(found: Any) -> Multivariant:
    variants = [
        Rendition(
            "variant",
            frozenset(code.strip() for code in (info.codecs or "").split(",") if code.strip()),
            f"{info.resolution[0]}x{info.resolution[1]}" if info.resolution else "",
            "",
            int(info.bandwidth or 0),
        )
        for info in (one.stream_info for one in found.playlists)
    ]
    media = [one for one in found.media if one.uri or one.type == "CLOSED-CAPTIONS"]
    return Multivariant(
        tuple(dict.fromkeys(variants)),  # redundant ones have the same attributes
        frozenset(tag(one.language) for one in media if one.type == "AUDIO"),
        frozenset(
            f"{tag(one.language)} {one.instream_id or ''}".rstrip()
            for one in media
            if one.type in ("SUBTITLES", "CLOSED-CAPTIONS")
        ),
        bool(found.iframe_playlists),
    )


def _media(found: Any) -> Media:
    lengths = tuple(float(one.duration) for one in found.segments)
    keys = [one.method for one in found.keys if one is not None and one.method != "NONE"]
    return Media(
        Spans(lengths, sum(lengths)),
        bool(found.is_endlist),
        tuple(dict.fromkeys(keys)),
        sum(bool(one.discontinuity) for one in found.segments[1:]),
    )


def compare_multivariant(
    peer: Multivariant, ours: Multivariant, tolerance: Tolerance
) -> Iterator[Difference]:
    yield from compare_renditions(peer.variants, ours.variants, tolerance)
    yield from compare_languages("sound", peer.sound, ours.sound)
    yield from compare_languages("text", peer.text, ours.text)
    if peer.iframes != ours.iframes:
        yield Difference("iframes", _has(peer.iframes), _has(ours.iframes))


def compare_media(peer: Media, ours: Media, tolerance: Tolerance) -> Iterator[Difference]:
    yield from compare_spans(peer.spans, ours.spans, tolerance.frame / 2)
    if peer.ended != ours.ended:
        yield Difference("ended", _has(peer.ended), _has(ours.ended))
    if peer.encryption != ours.encryption:
        yield Difference("encryption", _listed(peer.encryption), _listed(ours.encryption))
    if peer.discontinuities != ours.discontinuities:
        counts = str(peer.discontinuities), str(ours.discontinuities)
        yield Difference("discontinuities", *counts)


def compare_languages(
    what: str, peer: frozenset[str], ours: frozenset[str]
) -> Iterator[Difference]:
    if peer != ours:
        yield Difference("language", _listed(sorted(peer)), _listed(sorted(ours)), what)


def _has(what: bool) -> str:
    return "yes" if what else "no"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
