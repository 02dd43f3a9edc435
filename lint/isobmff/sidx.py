"""Segment indexes: rule S-10."""

from fractions import Fraction

from lint.findings import Say
from lint.isobmff.boxes import Box
from lint.isobmff.header import Header
from lint.timing import Stretch


def check_sidx(
    found: list[Box],
    header: Header,
    stretches: list[Stretch],
    sizes: list[int],
    end: int,
    say: Say,
) -> None:
    """Compare with the fragments of *sizes*, the last of which ends at *end*.

    Of several, the first.  Raises Malformed.
    """
    if len(found) > 1:
        say("S-10.count", found[1].place, f"{len(found)} sidx")
    box = found[0]
    f = box.fields()
    version, _ = f.full()
    number, scale = f.uint(4), f.uint(4)
    wide = 8 if version else 4
    earliest, offset = f.uint(wide), f.uint(wide)
    f.take(2)
    count = f.uint(2)
    references = [(f.uint(4), f.uint(4), f.uint(4)) for _ in range(count)]
    track = next((t for t in header.tracks if t.number == number), None)
    if track is None:
        say("S-10.track", box.place, f"reference_ID {number} is not in the header")
        return
    if scale != track.timescale:
        say("S-10.timescale", box.place, f"{scale}, mdhd has {track.timescale}")
    if any(size >> 31 for size, _, _ in references):
        say("S-10.type", box.place, "references to other indexes")
        return
    told, real = offset + sum(size for size, _, _ in references), end - box.end
    if told != real:
        say("S-10.sizes", box.place, f"{told} octets are indexed, {real} follow")
    elif len(references) == len(sizes) and [s for s, _, _ in references][1:] != sizes[1:]:
        say("S-10.sizes", box.place, "the fragments are of other sizes")
    if not scale:
        return
    if stretches:
        of_track = next((s for s in stretches if s.track == number), stretches[0])
        start = of_track.start + Fraction(track.media_time, track.timescale)
        # Before the edit list or after it: packagers disagree, and so do players.
        both = (start, of_track.start)
        if all(abs(Fraction(earliest, scale) - s) >= Fraction(1, scale) for s in both):
            text = f"{earliest / scale:.4f} s, the media starts at {float(start):.4f} s"
            say("S-10.earliest", box.place, text)
    if track.handler == "vide" and any(sap >> 28 not in (9, 10) for _, _, sap in references):
        say("S-10.sap", box.place, "a reference says neither SAP 1 nor SAP 2")
