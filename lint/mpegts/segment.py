"""MPEG-TS segments: rules T-01 to T-09, and their times."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from lint.findings import Malformed, Say
from lint.mpegts.adts import Adts, read_adts
from lint.mpegts.packets import Packets, check_clock, read_packets
from lint.mpegts.pes import Pes, read_pes
from lint.mpegts.psi import PES_TYPES, Program, read_program
from lint.nal import annex_b, is_picture, kind_of, picture_size, random_access
from lint.timing import FRAME, Stretch

CLOCK = 90_000
ROUNDED = Fraction(2, CLOCK)
WRAP = 1 << 33


@dataclass(slots=True)
class TransportSegment:
    packets: Packets
    program: Program
    stretches: list[Stretch] = field(default_factory=list)


def read_segment(data: bytes, say: Say) -> TransportSegment:
    """Check one segment.  Raises Malformed."""
    packets = read_packets(data, say)
    program = read_program(packets, say)
    found = TransportSegment(packets, program)
    for pid, kind_number in program.streams.items():
        kind = PES_TYPES.get(kind_number, "")
        stream = packets.streams.get(pid)
        if stream is None or not stream.units or kind in ("", "id3"):
            continue
        packets_of = [
            p for unit in stream.units if (p := read_pes(unit, kind, say)) is not None
        ]
        if not packets_of:
            raise Malformed(f"PID {pid:#x}", "no time stamps")
        _monotone(packets_of, say)
        if kind in ("h264", "hevc"):
            found.stretches.append(_video(packets_of, kind, say))
        else:
            found.stretches.append(_audio(packets_of, kind, say))
    if program.clock in packets.streams:
        check_clock(program.clock, packets.streams[program.clock], say)
    elif program.clock in program.streams:
        say("T-03.absent", f"PID {program.clock:#x}", "no packet of the PCR PID")
    if not found.stretches:
        raise Malformed("PMT", "no video and no audio that we know")
    return found


def _monotone(found: list[Pes], say: Say) -> None:
    for one, following in itertools.pairwise(found):
        step = (following.dts - one.dts) % WRAP
        if not step or step > WRAP // 2:
            say("T-04.order", f"byte {following.at}", f"DTS {one.dts}, then {following.dts}")


def _unrolled(found: list[Pes]) -> Iterator[tuple[int, int]]:
    """PTS and DTS without the wrap inside the segment."""
    first = found[0].dts
    for pes in found:
        dts = first + (pes.dts - first + WRAP // 2) % WRAP - WRAP // 2
        yield dts + (pes.pts - pes.dts) % WRAP, dts


def _video(found: list[Pes], kind: str, say: Say) -> Stretch:
    family = "avc1" if kind == "h264" else "hvc1"
    codec, size, independent = family, (0, 0), False
    for number, pes in enumerate(found):
        units = list(annex_b(pes.payload))
        kinds = [kind_of(family, unit) for unit in units]
        _access_unit(pes, kinds, family, say)
        if number == 0:
            pictures = [k for k in kinds if is_picture(family, k)]
            independent = bool(pictures) and all(random_access(family, k) for k in pictures)
            sps = next((u for u, k in zip(units, kinds, strict=True) if k == 7), b"")
            if kind == "h264" and len(sps) > 4:
                codec = f"avc1.{sps[1:4].hex().upper()}"
                size = picture_size(sps)
    times = list(_unrolled(found))
    frame = (
        Fraction(times[-1][1] - times[0][1], len(times) - 1) if len(times) > 1 else Fraction(0)
    )
    return _stretch("video", codec, times, frame, independent, size, len(times), FRAME)


def _access_unit(pes: Pes, kinds: list[int], family: str, say: Say) -> None:
    place = f"byte {pes.at}"
    delimiter, sets = (9, {7, 8}) if family == "avc1" else (35, {32, 33, 34})
    if not kinds or kinds[0] != delimiter:
        say("T-06.aud", place, f"the first NAL unit is of type {kinds[0] if kinds else 'none'}")
    elif kinds.count(delimiter) > 1:
        say("T-06.units", place, f"{kinds.count(delimiter)} access unit delimiters in one PES")
    picture = next((i for i, k in enumerate(kinds) if is_picture(family, k)), None)
    if picture is not None and random_access(family, kinds[picture]):
        if missing := sets - set(kinds[:picture]):
            say("T-06.sets", place, f"no NAL unit of type {sorted(missing)} before the IDR")
        if not pes.random_access:
            say("T-06.indicator", place, "random_access_indicator is 0 at an IDR")


def _audio(found: list[Pes], kind: str, say: Say) -> Stretch:
    codec = {"aac": "mp4a.40.2", "mp3": "mp4a.40.34"}.get(kind, kind)
    last: Adts | None = None
    frames = 0
    if kind == "aac":
        for pes in found:
            last = read_adts(pes.payload, f"byte {pes.at}", say) or last
            frames += last.frames if last else 0
        if last is not None:
            codec = f"mp4a.40.{last.object_type}"
    times = list(_unrolled(found))
    tail = (
        Fraction(times[-1][1] - times[0][1], len(times) - 1) if len(times) > 1 else Fraction(0)
    )
    slack = FRAME
    if last is not None:
        tail, slack = Fraction(1024 * CLOCK * last.frames, last.rate), ROUNDED
    return _stretch("audio", codec, times, tail, True, (0, 0), frames or len(times), slack)


def _stretch(
    kind: str,
    codec: str,
    times: list[tuple[int, int]],
    tail: Fraction,
    independent: bool,
    size: tuple[int, int],
    samples: int,
    slack: Fraction,
) -> Stretch:
    return Stretch(
        kind=kind,
        codec=codec,
        start=Fraction(min(pts for pts, _ in times), CLOCK),
        end=(max(pts for pts, _ in times) + tail) / CLOCK,
        first_decode=Fraction(times[0][1], CLOCK),
        last_decode=(times[-1][1] + tail) / CLOCK,
        samples=samples,
        independent=independent,
        size=size,
        slack=slack,
    )


def check_following(
    one: TransportSegment, following: TransportSegment, place: str, say: Say
) -> None:
    """Counters and tables go on from one segment to the next: T-01, T-02."""
    if one.program.versions != following.program.versions:
        say(
            "T-01.version",
            place,
            f"PAT, PMT {one.program.versions}: {following.program.versions}",
        )
    for pid, stream in following.packets.streams.items():
        before = one.packets.streams.get(pid)
        if before is None or not before.units or not stream.units:
            continue
        if stream.first != (before.last + 1) % 16:
            text = f"{stream.first} follows {before.last} on PID {pid:#x}"
            say("T-02.across", place, text)
