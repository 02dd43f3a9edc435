"""How much a run of the benchmarks does."""

from dataclasses import dataclass
from pathlib import Path

from bench.media import HIGH, LOW
from bench.samples.flavors import Flavor


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    runs: int = 9
    """How often each case is measured, alternating with its peer."""

    seconds: float = 0.7
    """Of one run."""

    latency_seconds: float = 4.0
    """Of the run with many connections."""

    connections: int = 16

    edge_connections: int = 64
    """At which the times of the edge are taken."""

    edge_workers: int = 4
    edge_objects: int = 256
    """Of a megabyte each: what several workers are asked for while their memory is watched."""

    short: int = 600
    """Seconds of the shorter file."""

    long: int = 7200
    """Seconds of the longer file."""

    high: Flavor = HIGH
    low: Flavor = LOW

    cold_runs: int = 5
    evicted_runs: int = 31
    """How often a fresh process is started for each case of ``cold``..."""

    cold_lengths: tuple[int, ...] = (600, 7200)
    """...and for files of how many seconds."""

    herd: int = 200
    """Requests at once."""

    segments: int = 8
    """Segments of the file that are asked for in turn."""


QUICK = Scale(
    runs=3,
    seconds=0.15,
    latency_seconds=0.4,
    short=120,
    long=600,
    cold_runs=1,
    evicted_runs=3,
    cold_lengths=(600,),
    herd=50,
    segments=4,
)
"""All programs in about a minute: to see that they work, and a first idea."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    out: Path = Path("bench-results")
    """Folder of the results."""

    media: Path | None = None
    """Folder of the media files, which later runs use again; in ``out`` by default."""

    scale: Scale = Scale()

    @property
    def media_folder(self) -> Path:
        return (self.out / "media" if self.media is None else self.media).absolute()
