"""Playlists and media of one presentation against one another: P-02, P-04, P-05, P-08, P-09."""

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from lint.findings import Say
from lint.hls.media import MediaPlaylist
from lint.hls.multivariant import Multivariant, Variant, declared
from lint.rates import average, peak
from lint.rendition import Rendition, independent

Loaded = dict[str, tuple[MediaPlaylist, Rendition]]
"""Media playlists by their address."""

COMBINATIONS = 256

_SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")


def check_across(
    found: Multivariant, loaded: Loaded, addresses: dict[str, str], say: Say
) -> None:
    """*addresses* are those of the playlist's URIs."""
    subtitles = {
        addresses.get(r.uri) for r in found.renditions if r.text("TYPE") == "SUBTITLES"
    }
    apart = {addresses.get(v.uri) for v in (*found.i_frames, *found.images)}
    _agree(loaded, subtitles | apart, say)
    played = {a: pair for a, pair in loaded.items() if a not in subtitles | apart}
    _starts(played, say)
    _independent(found, played, say)
    for variant in found.variants:
        _variant(variant, found, loaded, addresses, say)


def _agree(loaded: Loaded, free: set[str | None], say: Say) -> None:
    targets = {a: p.target for a, (p, _) in loaded.items() if a not in free or not p.ended}
    if len(set(targets.values())) > 1:
        say("P-02.differ", "media playlists", f"TARGETDURATION {sorted(set(targets.values()))}")
    kinds = {p.kind for p, _ in loaded.values()}
    if len(kinds) > 1:
        say("P-04.differ", "media playlists", f"PLAYLIST-TYPE {sorted(kinds)}")
    gaps = {
        tuple(i for i, e in enumerate(p.entries) if e.gap)
        for a, (p, _) in loaded.items()
        if a not in free
    }
    if len(gaps) > 1:
        say("P-17.gap", "media playlists", "other segments are gaps in another playlist")
    marks = {
        tuple(sorted({e.discontinuity for e in p.entries}))
        for a, (p, _) in loaded.items()
        if a not in free
    }
    if len(marks) > 1:
        say("P-05.differ", "media playlists", "discontinuity sequence numbers differ")


def _starts(loaded: Loaded, say: Say) -> None:
    """First segments of all start at the same time: P-04; lengths differ by a target: P-04."""
    starts = {
        a: r.segments[0].main.start
        for a, (p, r) in loaded.items()
        if p.ended and r.segments and r.segments[0].number == 0 and r.segments[0].main
    }
    forms = {r.form for _, r in loaded.values() if r.form}
    if starts and len(forms) == 1:
        apart = max(starts.values()) - min(starts.values())
        if apart > Fraction(1, 5):
            latest = max(starts, key=lambda a: starts[a])
            target = max(p.target for p, _ in loaded.values())
            text = f"its first segment starts {float(apart):.3f} s after another"
            say("P-04.starts" if apart > target else "P-04.late", latest, text)
    lengths = {a: r.duration for a, (p, r) in loaded.items() if p.ended}
    if lengths:
        apart = max(lengths.values()) - min(lengths.values())
        target = max(p.target for p, _ in loaded.values())
        if apart > target:
            short = min(lengths, key=lambda a: lengths[a])
            say("P-04.lengths", short, f"{float(apart):.3f} s shorter than another")


def _independent(found: Multivariant, loaded: Loaded, say: Say) -> None:
    for rendition, segment in independent(r for _, r in loaded.values()):
        playlist = loaded[rendition.address][0]
        if found.independent or playlist.independent:
            text = f"{segment.address} does not start with an IDR picture"
            say("P-12.lie", segment.place, text)


def _variant(
    variant: Variant,
    found: Multivariant,
    loaded: Loaded,
    addresses: dict[str, str],
    say: Say,
) -> None:
    own = loaded.get(addresses.get(variant.uri, ""))
    if own is None:
        return
    place = f"line {variant.line}"
    groups: list[list[tuple[MediaPlaylist, Rendition]]] = []
    whole = True
    for kind in ("AUDIO", "VIDEO", "SUBTITLES"):
        if not (name := variant.text(kind)):
            continue
        members = [r for r in found.renditions if r.text("TYPE") == kind
                   and r.text("GROUP-ID") == name and r.uri]  # fmt: skip
        group = [loaded[a] for m in members if (a := addresses.get(m.uri, "")) in loaded]
        whole &= len(group) == len(members)
        if group:
            groups.append(group)
    _codecs(variant, own[1], groups, place, say)
    _picture(variant, own[1], place, say)
    if not whole:
        return
    # A variant of sound alone is itself a member of its group: another takes its place.
    combinations = [[own]] if not any(own in group for group in groups) else [[]]
    for group in groups:
        combinations = [[*c, m] for c, m in product(combinations, group)][:COMBINATIONS]
    _rates(variant, combinations, place, say)


def _codecs(
    variant: Variant,
    own: Rendition,
    groups: list[list[tuple[MediaPlaylist, Rendition]]],
    place: str,
    say: Say,
) -> None:
    real = set(own.codecs)
    for group in groups:
        for _, rendition in group:
            real |= rendition.codecs
    told = set(variant.codecs)
    if not told or not real:
        return
    missing = {c for c in real if not any(_same(c, t) for t in told)}
    if missing:
        say(
            "P-08.unlisted",
            place,
            f"{' '.join(sorted(missing))} is not in {','.join(sorted(told))}",
        )
    extra = {t for t in told if not any(_same(c, t) for c in real)}
    if extra and not missing and not any(t.startswith(("wvtt", "stpp")) for t in extra):
        say("P-08.absent", place, f"{' '.join(sorted(extra))} is in no rendition")


def _same(real: str, told: str) -> bool:
    """Does *told* name *real*?  HE-AAC in ADTS shows as LC; av01 may have its tail."""
    if real.lower() == told.lower():
        return True
    if real.startswith("mp4a.40.") and told in ("mp4a.40.5", "mp4a.40.29"):
        return real == "mp4a.40.2"
    if real.startswith("stpp"):
        return told.startswith("stpp")
    return (
        told.lower().startswith(real.lower() + ".")
        if real.startswith(("av01", "vp09", "vvc1"))
        else False
    )


def _picture(variant: Variant, own: Rendition, place: str, say: Say) -> None:
    video = next((s for seg in own.segments if (s := seg.of("video")) is not None), None)
    if video is None:
        return
    told = variant.text("RESOLUTION") or ""
    if all(video.size) and (size := _SIZE.fullmatch(told)):
        width, height = int(size[1]), int(size[2])
        # The display size may be wider than the coded one (SAR); then one side agrees.
        if width != video.size[0] and height != video.size[1]:
            say(
                "P-08.size",
                place,
                f"RESOLUTION {told}, the media has {video.size[0]}x{video.size[1]}",
            )
    rate = declared(variant, "FRAME-RATE")
    stretches = [s for seg in own.segments if (s := seg.of("video")) is not None]
    lasts = sum(((s.last_decode - s.first_decode) for s in stretches), Fraction(0))
    if rate and lasts > 1:
        real = sum(s.samples for s in stretches) / lasts
        if real > rate * Fraction(102, 100) + Fraction(1, 10):
            say(
                "P-08.rate",
                place,
                f"FRAME-RATE {float(rate):g}, the media has {float(real):.3f}",
            )


def _rates(
    variant: Variant,
    combinations: list[list[tuple[MediaPlaylist, Rendition]]],
    place: str,
    say: Say,
) -> None:
    """P-09.  A sum of what was not fetched would be a guess, so only whole lists count."""
    known = {r.address: _rate(p, r) for c in combinations for p, r in c}
    sums = [[known[r.address] for _, r in c] for c in combinations]
    whole = all(rate.whole for rate in known.values())
    told, real = declared(variant, "BANDWIDTH"), max(sum(r.peak for r in c) for c in sums)
    if told and real > told * 1.1:
        say("P-09.low", place, f"BANDWIDTH {int(told)}, the peak is {int(real)}")
    if told and whole and real and told > real * 1.1:
        say("P-09.high", place, f"BANDWIDTH {int(told)}, the peak is {int(real)}")
    told, real = (
        declared(variant, "AVERAGE-BANDWIDTH"),
        max(sum(r.mean for r in c) for c in sums),
    )
    if told and whole and real and not real * 0.9 <= told <= real * 1.1:
        say("P-09.average", place, f"AVERAGE-BANDWIDTH {int(told)}, it is {int(real)}")


@dataclass(frozen=True, slots=True)
class _Rate:
    peak: float
    mean: float
    whole: bool
    """All its segments are known."""


def _rate(playlist: MediaPlaylist, rendition: Rendition) -> _Rate:
    known = [n for i, n in enumerate(sorted(rendition.sizes)) if n == i]
    sizes, durations = [rendition.sizes[n] for n in known], rendition.durations[: len(known)]
    return _Rate(
        peak(sizes, durations, Fraction(playlist.target)),
        average(sizes, durations),
        len(known) == rendition.count,
    )
