"""Access units from what FFmpeg reads to what it writes: which, in what form, and when."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError

from origin.ingest.joining import Joiner, Unit

_MOST_FAULTS = 10_000
"""Units that cannot be carried before the file is given up."""

_TELL_EVERY = 1000
"""Packets."""


class NoCommonClock(Exception):
    """The time bases of the streams do not go together."""


def clock_of(streams: Sequence[Any]) -> int:
    """Ticks a second in which every time of these streams is a whole number."""
    clock = lcm(*(stream.time_base.denominator for stream in streams))
    if clock >= 1 << 32:
        raise NoCommonClock("the time bases of its streams have no common clock")
    return clock


def carry(read: Any, carrier: "Carrier", tell: Callable[[], None]) -> None:
    for number, packet in enumerate(_packets(read, carrier)):
        carrier.take(packet)
        if number % _TELL_EVERY == 0:
            tell()
    carrier.finish()
    tell()


def _packets(read: Any, carrier: "Carrier") -> Iterator[Any]:
    """Those with bytes.  Where FFmpeg can read no more, what came before counts."""
    packets = read.demux(carrier.streams)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError as error:
            carrier.fault(f"reading ended early: {error.strerror}")
            return
        if packet.size:
            yield packet


class _Track:
    """A stream on its way."""

    def __init__(self, stream: Any, out: Any, clock: int) -> None:
        base = stream.time_base
        self.index, self.out, self.clock = stream.index, out, clock
        self.scale = base.numerator * clock // base.denominator
        self.filter = None
        if stream.codec_context.name == "aac" and not stream.codec_context.extradata:
            self.filter = BitStreamFilterContext("aac_adtstoasc", stream)

    def unit(self, packet: Any) -> Unit:
        return Unit(
            track=self.index,
            dts=packet.dts * self.scale,
            pts=packet.pts * self.scale,
            duration=(packet.duration or 0) * self.scale,
            size=packet.size,
            content=packet,
        )

    def write(self, written: Any, unit: Unit) -> None:
        packet = unit.content
        packet.stream = self.out
        self.stamp(packet, unit)
        for one in [packet] if self.filter is None else self.filter.filter(packet):
            one.stream = self.out
            written.mux_one(one)

    def is_wanted(self, packet: Any) -> bool:  # noqa: ARG002 - of a picture it depends
        return True

    def stamp(self, packet: Any, unit: Unit) -> None:
        raise NotImplementedError


class _Video(_Track):
    def __init__(self, stream: Any, out: Any, clock: int) -> None:
        super().__init__(stream, out, clock)
        self._base = Fraction(1, clock)
        self._entry: int | None = None
        self._is_first_group = True

    def is_wanted(self, packet: Any) -> bool:
        """Not what comes before the first picture that decoding can begin at, in the file or,
        as its reference is not there, on the screen."""
        if self._entry is None:
            if not packet.is_keyframe:
                return False
            self._entry = packet.pts
        elif packet.is_keyframe:
            self._is_first_group = False
        return not self._is_first_group or bool(packet.pts >= self._entry)

    def stamp(self, packet: Any, unit: Unit) -> None:
        packet.time_base = self._base
        packet.dts, packet.pts, packet.duration = unit.dts, unit.pts, unit.duration


class _Audio(_Track):
    """Times in samples: those that a container rounded are as they were before."""

    def __init__(self, stream: Any, out: Any, clock: int) -> None:
        super().__init__(stream, out, clock)
        codec = stream.codec_context
        self._rate, self._frame = codec.sample_rate, codec.frame_size
        self._base = Fraction(1, self._rate)
        self._slack = 2 * self.scale * self._rate // clock + 1
        self._next: int | None = None
        self._last = -(1 << 62)

    def stamp(self, packet: Any, unit: Unit) -> None:
        said = self._samples(unit.dts)
        follows = self._next is not None and abs(said - self._next) <= self._slack
        at = max(self._next if follows and self._next is not None else said, self._last + 1)
        length = self._samples(unit.duration)
        if self._frame and abs(length - self._frame) <= self._slack:
            length = self._frame
        self._next, self._last = at + length, at
        packet.time_base = self._base
        packet.dts = packet.pts = at
        packet.duration = length

    def _samples(self, ticks: int) -> int:
        nearest: int = (2 * ticks * self._rate + self.clock) // (2 * self.clock)
        return nearest


class Carrier:
    """Takes packets of *streams* and writes them into an open MP4."""

    def __init__(self, written: Any, streams: Sequence[Any]) -> None:
        clock = clock_of(streams)
        self.streams = tuple(streams)
        self._written, self._clock = written, clock
        self._tracks: dict[int, _Video | _Audio] = {}
        for stream in streams:
            out = written.add_stream_from_template(stream)
            if stream.language:
                out.metadata["language"] = stream.language
            kind = _Video if stream.type == "video" else _Audio
            self._tracks[stream.index] = kind(stream, out, clock)
        self._joiner = Joiner(tuple(self._tracks), clock)
        self._faults: Counter[str] = Counter()

    def take(self, packet: Any) -> None:
        track = self._tracks[packet.stream.index]
        if packet.is_corrupt:
            self.fault("packets were lost or are damaged")
        if packet.pts is None or packet.dts is None:
            self.fault("without a time stamp, left out")
        elif track.is_wanted(packet):
            self._write(self._joiner.take(track.unit(packet)))
        else:
            self.fault("before the first picture that decoding can begin at, left out")

    def finish(self) -> None:
        self._write(self._joiner.release())

    def fault(self, what: str) -> None:
        self._faults[what] += 1

    def _write(self, units: Sequence[Unit]) -> None:
        for unit in units:
            try:
                self._tracks[unit.track].write(self._written, unit)
            except ValueError as error:  # of FFmpeg: invalid data or argument
                self.fault(f"refused by FFmpeg: {_reason(error)}")

    def notes(self) -> list[str]:
        """What a person would want to know, a line each."""
        lines = [f"{times} units {what}" for what, times in self._faults.items()]
        joints = ", ".join(f"{at / self._clock:.3f}" for at in self._joiner.joints[:8])
        if joints:
            count = len(self._joiner.joints)
            lines.append(f"{count} breaks of the clock were joined, at {joints} s")
        if self._joiner.overlaps:
            lines.append(f"{self._joiner.overlaps} units overlap the one before")
        return lines


def _reason(error: ValueError) -> str:
    return str(error.strerror if isinstance(error, FFmpegError) else error)
