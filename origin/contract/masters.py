"""The master playlist of playManifest: the packager's, with whole addresses.  Pure.

It is asked below ``/p/`` and its media is elsewhere.  Of several places the first has the
variants that are to be played; those of the others are redundant ones (RFC 8216 §4.3.4.2):
the same attributes and another address, listed behind, for a player to fail over to.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from metadata.records import AssetRecord
from packager.hls.multivariant import MultivariantPlaylist, Variant
from packager.presentation import Bitrate

LEGACY_TYPE = "application/x-mpegurl"
_FLAVOR = re.compile(r"-f([0-9]+)")
_TS_PACKET, _TS_PAYLOAD = 188, 184


def whole_master(
    playlist: MultivariantPlaylist,
    folders: Sequence[str],
    first: int,
    legacy: Mapping[int, AssetRecord] | None = None,
) -> str:
    """*playlist* at each of *folders*, the variants of flavor *first* before the others; with
    *legacy*, the rows of its flavors by number, as players once were told of bit rates."""
    ordered = sorted(playlist.variants, key=lambda one: _flavor(one.uri) != first)
    if legacy is not None:
        ordered = [_legacy(one, legacy.get(_flavor(one.uri))) for one in ordered]
    placed = [_at(folder, number, ordered, playlist) for number, folder in enumerate(folders)]
    return MultivariantPlaylist(
        tuple(variant for one in placed for variant in one.variants),
        tuple(media for one in placed for media in one.media),
        playlist.closed_captions,
    ).render()


def _at(
    folder: str, number: int, variants: Sequence[Variant], playlist: MultivariantPlaylist
) -> MultivariantPlaylist:
    """Groups are of one place, as their members' addresses are."""
    mark = f"-{number + 1}" if number else ""
    return MultivariantPlaylist(
        tuple(
            replace(
                one,
                uri=folder + one.uri,
                audio=one.audio and one.audio + mark,
                subtitles=one.subtitles and one.subtitles + mark,
            )
            for one in variants
        ),
        tuple(
            replace(one, uri=folder + one.uri, group=one.group + mark) for one in playlist.media
        ),
    )


def _flavor(uri: str) -> int:
    match = _FLAVOR.search(uri)
    return int(match[1]) if match else 0


def _legacy(variant: Variant, row: AssetRecord | None) -> Variant:
    if row is None or not row.bitrate:
        return replace(variant, program_id=1)
    rate = row.frame_rate or variant.frame_rate or 0
    peak = legacy_bandwidth(row.bitrate // 1000, Fraction(rate))
    average = min(variant.bitrate.average, peak)
    return replace(variant, program_id=1, bitrate=Bitrate(peak, average))


def legacy_bandwidth(kbps: int, frame_rate: Fraction) -> int:
    """What a transport stream of so many kilobits (of 1,024) would take, by the packets' and
    the frames' overhead.

    >>> legacy_bandwidth(900, Fraction(25))
    960434
    """
    return int(Fraction(kbps * 1024 * _TS_PACKET, _TS_PAYLOAD) + frame_rate * _TS_PACKET * 4)
