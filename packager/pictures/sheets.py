"""Sheets of small pictures at even distances, for seek previews: how they are laid out.

A tile is the key frame nearest to its start, so a sheet costs at most as many decodes as it has
tiles, and fewer where key frames are farther apart than tiles.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from packager.errors import Unsupported
from packager.pictures.jobs import Job, Tile, decoding_of
from packager.pictures.keys import (
    MAX_BYTES,
    Shot,
    form_of,
    nearest_key,
    pictured,
    shown_size,
    video_track,
)
from packager.recipe import Choice, Needs, Recipe
from packager.tracks import Kind

LAYOUT = 1
"""Raised whenever sheets come out differently: it is in their names."""

COLUMNS = ROWS = 5
TILES = COLUMNS * ROWS
_SHORT_SIDE, _LONG_SIDE = 90, 320
"""Pixels of a tile; the long one at most."""

_INTERVALS = (2, 5, 10)
"""Seconds between tiles: the first with which a film has no more than so many tiles:"""
_FEW = 250
_MANY = 5_000
"""Tiles of any film: beyond, they are farther apart."""


@dataclass(frozen=True)
class Sheets:
    """All sheets of a presentation, or of a clip of it."""

    choice: Choice
    """The track that they are of."""

    tile: tuple[int, int]
    """Pixels."""

    interval: int
    """Seconds from one tile to the next."""

    start: Fraction
    """Seconds of the presentation at which the first tile is."""

    duration: Fraction
    """Seconds."""

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of a sheet; the last one is as large, and black where the film has ended."""
        return self.tile[0] * COLUMNS, self.tile[1] * ROWS

    @property
    def span(self) -> int:
        """Seconds from one sheet to the next."""
        return self.interval * TILES

    @property
    def tiles(self) -> int:
        return max(1, -(-self.duration // self.interval))

    @property
    def count(self) -> int:
        return -(-self.tiles // TILES)

    @property
    def most(self) -> int:
        """Bytes that a sheet has at most: three bits a pixel, or the coarsest JPEG there is."""
        return self.size[0] * self.size[1] * 3 // 8

    @property
    def bandwidth(self) -> int:
        """Bits per second, that no sheet exceeds."""
        return -(-self.most * 8 // min(self.span, max(1, int(self.duration))))

    @cached_property
    def mark(self) -> str:
        """What names them beside the token of the recipe, which does not know of clips."""
        told = f"{LAYOUT} {self.choice} {self.start} {self.duration}"
        return hashlib.sha256(told.encode()).hexdigest()[:8]

    def on(self, number: int) -> range:
        """The tiles of sheet *number*, from 1; tiles count from 0."""
        return range((number - 1) * TILES, min(number * TILES, self.tiles))


def place(tile: int) -> tuple[int, int]:
    """Column and row."""
    return tile % TILES % COLUMNS, tile % TILES // COLUMNS


def sheets_of(recipe: Recipe) -> Sheets | None:
    """Of the clip that *recipe* is of; None where there is no video."""
    tracks = [track for flavor in recipe.flavors for track in flavor.tracks]
    if not any(track.kind is Kind.VIDEO for track in tracks):
        return None
    end = max(Fraction(one.end - one.origin, one.track.timescale) for one in tracks)
    if recipe.clip.stop is not None:
        end = min(end, recipe.clip.stop)
    duration = end - recipe.clip.start
    largest = pictured(recipe, None, None)
    tile = _tile(shown_size(form_of(video_track(recipe, largest))))
    fits = (one for one in _INTERVALS if duration <= one * _FEW)
    interval = next(fits, max(_INTERVALS[-1], int(-(-duration // _MANY))))
    return Sheets(pictured(recipe, *tile), tile, interval, recipe.clip.start, duration)


def _tile(shown: tuple[int, int]) -> tuple[int, int]:
    """Even, so that tiles meet between two samples of chroma."""
    scale = Fraction(_SHORT_SIDE, min(shown))
    width, height = (min(_LONG_SIDE, max(2, round(side * scale / 2) * 2)) for side in shown)
    return width, height


def sheet_job(recipe: Recipe, sheets: Sheets, number: int) -> Needs[tuple[Job, list[Shot]]]:
    """How sheet *number* is drawn, and the samples for it in the order of its tiles.

    Raises ``Unsupported`` where these are too much.
    """
    track = video_track(recipe, sheets.choice)
    width, height = sheets.tile
    shots: dict[int, Shot] = {}
    places: dict[int, list[tuple[int, int]]] = {}
    for tile in sheets.on(number):
        at = sheets.start + tile * sheets.interval
        shot = yield from nearest_key(sheets.choice.flavor, track, at)
        shots[shot.shown] = shot
        column, row = place(tile)
        places.setdefault(shot.shown, []).append((column * width, row * height))
    if sum(sum(shot.sizes) for shot in shots.values()) > MAX_BYTES:
        raise Unsupported(f"the key frames of a sheet are more than {MAX_BYTES} bytes")
    tiles = tuple(
        Tile(shot.sizes, shot.cts, shown, tuple(places[shown])) for shown, shot in shots.items()
    )
    job = Job(
        decoding_of(form_of(track)), width, height, sheets.size, tiles, sheets.most
    )  # fmt: skip
    return job, list(shots.values())
