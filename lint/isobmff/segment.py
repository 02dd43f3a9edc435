"""Media segments of fragmented MP4: rules S-01 to S-10, and their times."""

import itertools
from dataclasses import dataclass, field
from fractions import Fraction

from lint.findings import Malformed, Say
from lint.isobmff.boxes import Box, boxes
from lint.isobmff.header import Header, Track
from lint.isobmff.runs import SAMPLES, Run, read_run
from lint.isobmff.sidx import check_sidx
from lint.nal import CRA, HEVC, is_picture, kind_of, prefixed, random_access
from lint.timing import Stretch

_MOOF, _TRAF = ("mfhd", "traf", "pssh"), ("tfhd", "tfdt", "trun", "senc")
_KINDS = {"vide": "video", "soun": "audio"}


@dataclass(slots=True)
class Fragments:
    """What the fragments of one file come down to."""

    stretches: list[Stretch] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)
    last: bool = False
    """It has the brand lmsg."""
    sizes: list[int] = field(default_factory=list)
    """Octets of each fragment with what precedes it."""
    samples: int = 0


def read_segment(data: bytes, start: int, header: Header, say: Say) -> Fragments:
    """Check the segment that begins at *start* of *data*.  Raises Malformed."""
    view, found = memoryview(data), Fragments()
    runs: dict[int, list[Run]] = {}
    moof: Box | None = None
    began = start
    sidx: list[Box] = []
    for box in boxes(view, start, len(view)):
        if moof is not None and box.kind != "mdat":
            say("S-02.mdat", box.place, f"{box.kind} between moof and its mdat")
        if box.kind == "styp":
            _type(box, found, say)
            began = box.start
        elif box.kind == "sidx":
            sidx.append(box)
            began = box.end if not found.sizes else began
            if found.sizes:
                say("S-01.order", box.place, "sidx behind the first moof")
        elif box.kind == "emsg" and found.sizes:
            say("S-01.emsg", box.place, "emsg behind the first moof")
        elif box.kind in ("moov", "ftyp"):
            say("S-01.header", box.place, f"{box.kind} in a media segment")
        elif box.kind == "moof":
            moof = box
        elif box.kind == "mdat":
            if moof is None:
                say("S-02.moof", box.place, "mdat without a moof before it")
            else:
                for run in _fragment(moof, box, header, found, say):
                    found.samples += len(run.sizes)
                    runs.setdefault(run.track.number, []).append(run)
                found.sizes.append(box.end - began)
                if found.samples > SAMPLES:
                    raise Malformed(box.place, f"more than {SAMPLES} samples")
            moof, began = None, box.end
        elif box.kind in ("free", "skip"):
            say("I-12.free", box.place, f"{box.size} octets of {box.kind}")
    if moof is not None:
        say("S-02.mdat", moof.place, "no mdat follows")
    if not found.sizes:
        raise Malformed("file", "no moof with an mdat: this is no media segment")
    if any(b <= a for a, b in zip(found.sequence, found.sequence[1:], strict=False)):
        say("S-05.sequence", "moof/mfhd", f"sequence numbers {found.sequence[:8]}")
    for number, of_track in runs.items():
        found.stretches.append(_stretch(of_track, number, say))
    if sidx:
        check_sidx(sidx, header, found.stretches, found.sizes, began, say)
    return found


def _type(box: Box, found: Fragments, say: Say) -> None:
    f = box.fields()
    brands = {f.take(4).decode("latin-1")}
    f.take(4)
    while f.left >= 4:
        brands.add(f.take(4).decode("latin-1"))
    if "msdh" not in brands:
        say("S-01.msdh", box.place, f"brands {' '.join(sorted(brands))}")
    found.last |= "lmsg" in brands


def _order(box: Box, wanted: tuple[str, ...], say: Say) -> None:
    kinds = [child.kind for child in box.children()]
    ranks = [wanted.index(kind) for kind in kinds if kind in wanted]
    if ranks != sorted(ranks):
        say("S-02.order", box.place, f"children {' '.join(kinds)}")


def _fragment(moof: Box, mdat: Box, header: Header, found: Fragments, say: Say) -> list[Run]:
    _order(moof, _MOOF, say)
    f = moof.need("mfhd").fields()
    f.full()
    found.sequence.append(f.uint(4))
    trafs = [box for box in moof.children() if box.kind == "traf"]
    if len(trafs) != 1:
        say("S-02.traf", moof.place, f"{len(trafs)} traf")
    runs: list[Run] = []
    for traf in trafs:
        _order(traf, _TRAF, say)
        if (run := read_run(traf, moof, header, say)) is not None:
            runs.append(run)
            _addressed(run, traf, mdat, say)
            _encryption(traf, run.track, len(run.sizes), say)
    payload = mdat.size - mdat.header
    total = sum(sum(run.sizes) for run in runs)
    if len(runs) == len(trafs) and total != payload:
        say("S-06.sum", mdat.place, f"{payload} octets, the samples have {total}")
    return runs


def _addressed(run: Run, traf: Box, mdat: Box, say: Say) -> None:
    first, last = mdat.start + mdat.header, mdat.end
    for at, size in zip(run.offsets, run.sizes, strict=True):
        if not (first <= at and at + size <= last):
            text = f"a sample of {size} octets at {at}, mdat is {first} to {last}"
            say("S-06.outside", traf.place, text)
            return


def _encryption(traf: Box, track: Track, samples: int, say: Say) -> None:
    if not track.scheme:
        return
    kinds = {box.kind: box for box in traf.children()}
    if "senc" not in kinds:
        if track.scheme == "cenc":
            say("S-11.senc", traf.place, "no senc")
        return
    for kind in ("saiz", "saio"):
        if kind not in kinds:
            say("S-11.aux", traf.place, f"senc without {kind}")
    f = kinds["senc"].fields()
    f.full()
    if (count := f.uint(4)) != samples:
        say("S-11.count", kinds["senc"].place, f"{count} entries, {samples} samples")


def _stretch(runs: list[Run], number: int, say: Say) -> Stretch:
    """Times of one track in one segment; fragments must follow one another."""
    track, scale = runs[0].track, runs[0].track.timescale
    for one, following in itertools.pairwise(runs):
        if one.base + sum(one.durations) != following.base:
            text = (
                f"{following.base}, the samples before end at {one.base + sum(one.durations)}"
            )
            say("S-04.sum", following.place, text)
    shown: list[tuple[int, int]] = []
    for run in runs:
        at = run.base
        for duration, offset in zip(run.durations, run.shifts, strict=True):
            shown.append((at + offset, at + offset + duration))
            at += duration
    if not shown:
        raise Malformed(runs[0].place, f"no samples of track {number}")
    pictures = _pictures(runs[0])
    before = sum(s < shown[0][0] for s, _ in shown)
    if pictures and pictures[0] == CRA and track.config.codec.startswith(HEVC) and before:
        say("S-09.open", runs[0].place, f"{before} pictures are shown before the first, a CRA")
    return Stretch(
        track=number,
        kind=_KINDS.get(track.handler, "text"),
        codec=track.config.codec,
        start=Fraction(min(s for s, _ in shown) - track.media_time, scale),
        end=Fraction(max(e for _, e in shown) - track.media_time, scale),
        first_decode=Fraction(runs[0].base, scale),
        last_decode=Fraction(runs[-1].base + sum(runs[-1].durations), scale),
        samples=len(shown),
        independent=_independent(runs[0], pictures, say),
        size=track.size[::-1] if track.turned else track.size,
    )


def _pictures(run: Run) -> list[int] | None:
    """nal_unit_type of the slices of the first sample; None if they cannot be looked at."""
    track = run.track
    if track.handler != "vide" or track.scheme or not track.config.nal_length:
        return None
    at, size = run.offsets[0], run.sizes[0]
    if at < 0 or at + size > len(run.data):
        return None
    codec = track.config.codec
    units = prefixed(run.data[at : at + size], track.config.nal_length, run.place)
    return [kind for unit in units if is_picture(codec, kind := kind_of(codec, unit))]


def _independent(run: Run, pictures: list[int] | None, say: Say) -> bool:
    """Is the first sample what its flags say?"""
    if run.track.handler != "vide":
        return True
    flags, codec = run.flags[0], run.track.config.codec
    claims = not flags & 0x10000
    if pictures is None:
        return claims
    real = bool(pictures) and all(random_access(codec, kind) for kind in pictures)
    if claims and not real:
        say("S-07.lie", run.place, f"sync by its flags, NAL unit types {pictures}")
    if claims and flags >> 24 & 3 != 2:
        say("S-07.depends", run.place, f"sample_flags {flags:#010x} of a sync sample")
    return real
