"""Times of segments: what each has, and how they follow one another (rules C-, S-08, P-03)."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

from lint.findings import Say

FRAME = Fraction(1, 10)
"""Seconds that the last frame of a segment may last where nothing says how long it does."""
APART = Fraction(1, 5)
"""Seconds by which sound and picture may start apart: priming, and a frame."""
LISTED = Fraction(1, 20)
"""Seconds by which EXTINF may differ: more than a frame of sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One elementary stream of one segment.  Times are seconds."""

    kind: str
    """``video``, ``audio`` or ``text``."""
    codec: str
    start: Fraction
    """Earliest presentation time, after the edit list."""
    end: Fraction
    """Latest presentation time and its duration."""
    first_decode: Fraction
    last_decode: Fraction
    """Decoding time at which the following segment should begin."""
    samples: int
    independent: bool
    """It begins with a picture (or a frame of sound) that needs none before it."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture, turned as it is shown."""
    slack: Fraction = Fraction(0)
    """Seconds by which the ends may be wrong: rounded, or estimated."""
    track: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    address: str
    place: str
    """Line of its playlist, or path of its element."""
    number: int
    """From 0 in its rendition."""
    octets: int
    stretches: tuple[Stretch, ...]
    declared: Fraction
    """Seconds that the manifest says."""
    listed: Fraction | None = None
    """Seconds before which a manifest counts nothing; None if it counts priming too."""
    discontinuity: int = 0

    def of(self, kind: str) -> Stretch | None:
        return next((item for item in self.stretches if item.kind == kind), None)

    @property
    def main(self) -> Stretch | None:
        return self.of("video") or self.of("audio") or self.of("text")


def check_sequence(segments: list[Segment], say: Say, check: str) -> None:
    """Neither gap nor overlap between neighbours: S-08."""
    for one, following in itertools.pairwise(segments):
        if following.number != one.number + 1 or one.discontinuity != following.discontinuity:
            continue
        for item in one.stretches:
            other = following.of(item.kind)
            if other is None or item.kind == "text":
                continue
            step = other.first_decode - item.last_decode
            if abs(step) > item.slack:
                word = "gap" if step > 0 else "overlap"
                text = f"{word} of {float(abs(step)):.4f} s in {item.kind} before this segment"
                say(check, following.place, text)


def check_declared(
    segments: list[Segment], say: Say, check: str, allowed: Fraction = LISTED
) -> None:
    """A segment lasts as long as its manifest says: P-03, D-05."""
    for one, following in itertools.pairwise(segments):
        a, b = one.main, following.main
        if a is None or b is None or following.number != one.number + 1:
            continue
        if one.discontinuity != following.discontinuity or a.kind == "text":
            continue
        start = a.start if one.listed is None else max(a.start, one.listed)
        real, told = b.start - start, one.declared
        if abs(real - told) > allowed:
            text = f"{float(told):.3f} s, the next one starts {float(real):.3f} s later"
            say(check, one.place, text)


def check_drift(segments: list[Segment], say: Say) -> None:
    """The sum of declared durations stays with the media's own times."""
    if len(segments) < 3 or any(s.number != i for i, s in enumerate(segments)):
        return
    first, last = segments[0].main, segments[-1].main
    if first is None or last is None or segments[-1].discontinuity or first.kind == "text":
        return
    told = sum((s.declared for s in segments[:-1]), Fraction(0))
    drift = abs(last.start - first.start - told)
    if drift > Fraction(len(segments) ** 0.5) / 1000:
        text = f"{float(drift):.4f} s after {len(segments) - 1} segments"
        say("P-03.drift", segments[-1].place, text)


def check_starts(segments: list[Segment], say: Say) -> None:
    """Sound and picture of one segment start together: C-05."""
    for segment in segments[:1]:
        video, audio = segment.of("video"), segment.of("audio")
        if video is None or audio is None:
            continue
        apart = audio.start - video.start
        if abs(apart) > APART:
            say(
                "C-05.start",
                segment.place,
                f"sound starts {float(apart):+.3f} s from the picture",
            )


def check_shift(segments: list[Segment], say: Say) -> None:
    """The first picture is shown when the presentation begins: C-06."""
    for segment in segments[:1]:
        video, late = segment.of("video"), Fraction(1, 1000)
        # A second and more is no shift of B-frames: the picture is meant to come later.
        if video is not None and not segment.number and late < video.start < APART:
            say("C-06.shift", segment.place, f"{float(video.start):.4f} s")


def sap_missing(segments: list[Segment]) -> list[Segment]:
    """Those whose picture does not begin with a random access point."""
    return [
        segment
        for segment in segments
        if (video := segment.of("video")) is not None and not video.independent
    ]
