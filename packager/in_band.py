"""Video whose parameter sets are in the samples alone: brought into its configuration."""

from dataclasses import replace

from packager.codecs.carried import CarriedVideo
from packager.codecs.in_band import with_sets_of
from packager.isobmff.visual_entries import of_parameter_sets
from packager.plan import Extent, Reads
from packager.samples import Samples
from packager.tracks import Track, VideoFormat

_MOST = 64 << 10
"""Bytes of the first sample that are read: its parameter sets come before its slices."""


def with_parameter_sets(track: Track, samples: Samples) -> Reads[Track]:
    """*track*, whose format has the parameter sets of its first sample where it had none.

    Raises ``Unsupported`` where that sample has none either.
    """
    form = track.format
    if not isinstance(form, VideoFormat) or isinstance(form.config, CarriedVideo):
        return track
    if form.config.complete or not len(samples):
        return track
    start = yield Extent(int(samples.offset[0]), min(int(samples.size[0]), _MOST))
    told = of_parameter_sets(with_sets_of(form.config, bytes(start)), form.width, form.height)
    made = replace(
        form,
        config=told.config,
        width=told.width,
        height=told.height,
        pixel_aspect=told.pixel_aspect if form.pixel_aspect == 1 else form.pixel_aspect,
        colour=form.colour or told.colour,
    )
    return replace(track, format=made)
