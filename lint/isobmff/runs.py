"""A track fragment: its header, its time, its runs (rules S-02 to S-04)."""

from dataclasses import dataclass

from lint.findings import Malformed, Say
from lint.isobmff.boxes import Box
from lint.isobmff.header import Header, Track

SAMPLES = 1_000_000
"""Samples of one file: a run may list them without an octet for each."""


@dataclass(slots=True)
class Run:
    track: Track
    place: str
    data: memoryview
    """The file."""
    base: int
    """baseMediaDecodeTime."""
    durations: list[int]
    sizes: list[int]
    flags: list[int]
    shifts: list[int]
    """Composition time offsets."""
    offsets: list[int]
    """Of each sample in the file."""


def read_run(traf: Box, moof: Box, header: Header, say: Say) -> Run | None:
    """All runs of *traf* as one; None if its track is unknown.  Raises Malformed."""
    tfhd = traf.need("tfhd")
    f = tfhd.fields()
    _, bits = f.full()
    number = f.uint(4)
    track = next((track for track in header.tracks if track.number == number), None)
    if track is None:
        say("S-03.track", tfhd.place, f"track_ID {number} is not in the header")
        return None
    base_offset = moof.start
    if bits & 1:
        base_offset = f.uint(8)
        say("S-03.offset", tfhd.place, "base-data-offset is present")
    elif not bits & 0x020000:
        say("S-03.base", tfhd.place, "default-base-is-moof is not set")
    f.take(4 if bits & 2 else 0)
    duration, size, flags = track.defaults
    duration = f.uint(4) if bits & 8 else duration
    size = f.uint(4) if bits & 0x10 else size
    flags = f.uint(4) if bits & 0x20 else flags
    run = Run(track, traf.place, traf.data, _time(traf, say), [], [], [], [], [])
    truns = [box for box in traf.children() if box.kind == "trun"]
    if not truns:
        say("S-02.trun", traf.place, "no trun")
    at = base_offset
    for trun in truns:
        at = _append(run, trun, (duration, size, flags), base_offset, at, say)
    return run if run.sizes else None


def _time(traf: Box, say: Say) -> int:
    tfdt = traf.child("tfdt")
    if tfdt is None:
        say("S-04.tfdt", traf.place, "no tfdt")
        return 0
    f = tfdt.fields()
    version, _ = f.full()
    return f.uint(8 if version == 1 else 4)


def _append(
    run: Run, trun: Box, defaults: tuple[int, int, int], base: int, at: int, say: Say
) -> int:
    """The samples of *trun*; where the last one ends."""
    f = trun.fields()
    version, bits = f.full()
    count = f.uint(4)
    if bits & 1:
        at = base + f.signed(4)
    else:
        say("S-03.data", trun.place, "no data-offset")
    first = f.uint(4) if bits & 4 else None
    width = 4 * sum(bool(bits & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    if len(run.sizes) + count > SAMPLES or count * width > f.left:
        raise Malformed(trun.place, f"{count} samples in {f.left} octets")
    if version > 1:
        say("S-03.version", trun.place, f"version {version}")
    if run.track.media_time and run.track.handler == "vide" and version == 1 and bits & 0x800:
        say("I-07.both", trun.place, "negative offsets (version 1) and an edit list")
    for number in range(count):
        run.durations.append(f.uint(4) if bits & 0x100 else defaults[0])
        size = f.uint(4) if bits & 0x200 else defaults[1]
        flags = f.uint(4) if bits & 0x400 else defaults[2]
        run.flags.append(first if first is not None and number == 0 else flags)
        run.shifts.append((f.signed(4) if version else f.uint(4)) if bits & 0x800 else 0)
        run.sizes.append(size)
        run.offsets.append(at)
        at += size
    return at
