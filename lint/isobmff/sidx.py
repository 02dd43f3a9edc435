"""Segment indexes: rule S-10."""

from fractions import Fraction

from lint.findings import Say
from lint.isobmff.boxes import Box
from lint.isobmff.header import Header
from lint.timing import Stretch


def check_sidx(
    found: list[Box], header: Header, stretches: list[Stretch], sizes: list[int], say: Say
) -> None:
    """Compare with what follows.  Raises Malformed."""
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
    told, real = offset + sum(size & 0x7FFFFFFF for size, _, _ in references), sum(sizes)
    if told != real:
        say("S-10.sizes", box.place, f"{told} octets are indexed, {real} follow")
    elif len(references) == len(sizes) and [s for s, _, _ in references] != sizes:
        say("S-10.sizes", box.place, "the fragments are of other sizes")
    if not scale:
        return
    if stretches:
        start = stretches[0].start + Fraction(track.media_time, track.timescale)
        both = (start, stretches[0].start)
        if all(abs(Fraction(earliest, scale) - s) > Fraction(1, 1000) for s in both):
            text = f"{earliest / scale:.4f} s, the media starts at {float(start):.4f} s"
            say("S-10.earliest", box.place, text)
    if track.handler == "vide" and any(sap >> 28 not in (9, 10) for _, _, sap in references):
        say("S-10.sap", box.place, "a subsegment does not start with SAP 1 or 2")
