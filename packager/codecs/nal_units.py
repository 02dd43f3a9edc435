"""NAL units of many samples at once: the k-th unit of every sample in one step.

Samples hold units as (length, unit) pairs (ISO/IEC 14496-15 §4.3.3); a frame has few units
and a segment many frames, so the loop runs over k and NumPy over the frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packager.errors import MalformedSample
from packager.samples import Bytes, Column, overlapping

MAX_UNITS = 10_000
"""Of one sample.  A 4K picture in slices of one network packet has some 1,500."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One NAL unit of each sample that still has one."""

    sample: Column
    """Rows into the samples that were given."""

    position: Column
    """Of the length field, in the buffer."""

    length: Column
    """Of the unit, without its length field."""

    type: npt.NDArray[np.uint8]
    """The first byte of the unit."""


def steps(
    data: Bytes, starts: Column, sizes: Column, length_size: int, first: int = 0
) -> Iterator[Step]:
    """Walk the NAL units of the samples at *starts* in *data*.

    *first* is the 0-based number of the first sample in its track, for the error.  Raises
    ``MalformedSample`` where lengths do not fill a sample exactly.
    """
    sample = np.flatnonzero(sizes > 0)
    position = starts[sample]
    stops = (starts + sizes)[sample]
    for _ in range(MAX_UNITS):
        if not len(sample):
            return
        _refuse(position + length_size >= stops, sample, first, "cut short inside a NAL length")
        length = overlapping(data, f">u{length_size}")[position].astype(np.int64)
        after = position + length_size + length
        _refuse(length == 0, sample, first, "a NAL unit of length 0")
        _refuse(after > stops, sample, first, "a NAL unit runs past its end")
        yield Step(sample, position, length, data[position + length_size])
        going = after < stops
        sample, position, stops = sample[going], after[going], stops[going]
    _refuse(stops > position, sample, first, f"more than {MAX_UNITS} NAL units")


def _refuse(bad: npt.NDArray[np.bool_], sample: Column, first: int, reason: str) -> None:
    if bad.any():
        raise MalformedSample(first + int(sample[bad][0]) + 1, reason)
