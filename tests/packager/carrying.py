"""Plans carried out over bytes in memory, and recipes driven to their segments."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

from packager.index import Blocks, FlavorIndex, TrackIndex
from packager.indexing import build_index
from packager.isobmff.init_segment import init_segment
from packager.plan import Extent, Extents, Plan, Reads, Unplanned, run_reads
from packager.presentation import Bitrate, Presentation
from packager.recipe import (
    Choice,
    Muxed,
    Needs,
    Wanted,
    cmaf_segment,
    make_recipe,
    mux,
    muxed_bitrate,
    muxed_segment,
    presentation,
    run_needs,
    track_cuts,
)
from packager.segmenter import DEFAULT_TARGET, Cuts
from packager.tracks import Kind

T = TypeVar("T")


def read_from(data: bytes, reads: Reads[T]) -> T:
    """Carry out *reads* over a source that is *data*."""
    return run_reads(reads, lambda extent: data[extent.offset : extent.offset + extent.length])


def index_of(data: bytes, *, facts: bool = True) -> FlavorIndex:
    return read_from(data, build_index(len(data), facts=facts))


def carry_out(plan: Plan | Unplanned, data: bytes) -> bytes:
    """The bytes that *plan* stands for; every extent must lie inside *data*."""

    def fetch(extents: Sequence[Extent]) -> memoryview:
        for extent in extents:
            assert 0 <= extent.offset <= extent.offset + extent.length <= len(data), extent
        parts = (data[one.offset : one.offset + one.length] for one in extents)
        return memoryview(bytearray(b"".join(parts)))

    if isinstance(plan, Unplanned):
        return carry_out(plan.make(fetch(plan.extents)), b"")  # it reads nothing more
    made = []
    for piece in plan:
        if isinstance(piece, bytes):
            made.append(piece)
        elif isinstance(piece, Extents):
            made.append(bytes(fetch(list(piece))))
        else:
            made.append(bytes(piece.apply(fetch(piece.extents))))
        assert len(made[-1]) == len(piece)
    return b"".join(made)


class Packaged:
    """Flavors in memory, presented together."""

    def __init__(
        self, *sources: bytes, facts: bool = True, target: Fraction = DEFAULT_TARGET
    ) -> None:
        self.sources = sources
        self.flavors = [index_of(source, facts=facts) for source in sources]
        self.recipe = make_recipe(self.flavors, target)

    def load(self, wanted: Wanted) -> Blocks:
        flavor = self.flavors[wanted.flavor - 1]
        blocks = flavor.blocks[flavor.position(wanted.track)]
        return {number: blocks[number] for number in wanted.numbers}

    def run(self, needs: Needs[T]) -> T:
        return run_needs(needs, self.load)

    def choice(self, flavor: int = 1) -> Choice:
        """The first video and the first audio track."""
        index = self.flavors[flavor - 1]
        return Choice(
            flavor, *(1 if index.of_kind(kind) else None for kind in (Kind.VIDEO, Kind.AUDIO))
        )

    def presentation(self) -> Presentation:
        return self.run(presentation(self.recipe))

    def mux(self, choice: Choice) -> Muxed:
        return self.run(mux(self.recipe, choice))

    def muxed_bitrate(self, choice: Choice, target: int) -> Bitrate:
        return self.run(muxed_bitrate(self.recipe, choice, target))

    def ts(self, choice: Choice | None = None) -> list[bytes]:
        """All TS segments."""
        choice = choice or self.choice()
        return [
            carry_out(
                self.run(muxed_segment(self.recipe, choice, number)),
                self.sources[choice.flavor - 1],
            )
            for number in range(1, len(self.mux(choice).rows) + 1)
        ]

    def cuts(self, track: TrackIndex, flavor: int = 1) -> Cuts:
        return self.run(track_cuts(self.recipe, flavor, track))

    def cmaf(self, track: TrackIndex, flavor: int = 1) -> list[bytes]:
        """The init segment and all media segments."""
        choice = choice_of(track, flavor)
        segments = [
            carry_out(
                self.run(cmaf_segment(self.recipe, choice, number)), self.sources[flavor - 1]
            )
            for number in range(1, len(self.cuts(track, flavor).rows) + 1)
        ]
        return [init_segment(track), *segments]


def choice_of(track: TrackIndex, flavor: int = 1) -> Choice:
    """*track* alone."""
    if track.kind is Kind.VIDEO:
        return Choice(flavor, video=track.number)
    return Choice(flavor, audio=track.number)
