"""Which samples an edit needs (rule C-01), decoder pre-roll included."""

import numpy as np

from packager.errors import Unsupported
from packager.samples import Samples
from packager.tracks import AudioFormat, Kind, Track


def needed(track: Track, samples: Samples) -> tuple[int, int]:
    """Rows ``[start, stop)`` of *samples* that presenting *track*'s edit takes.

    Video starts at the last sync sample that is presented at or before the edit's start.
    Audio starts up to a second early: enough for any AAC decoder to settle, and what
    FFmpeg keeps.  Both end with the last sample that is presented before the edit's end.
    """
    start = (_first_video if track.kind is Kind.VIDEO else _first_audio)(track, samples)
    stop = len(samples)
    if track.edit.end is not None:
        shown = np.flatnonzero(samples.cts < track.edit.end)
        stop = int(shown[-1]) + 1 if len(shown) else 0
    presented = samples.cts + samples.duration > track.edit.origin
    if not presented[start:stop].any():
        raise Unsupported(f"elst: the edit of track {track.id} presents no sample")
    return start, stop


def _first_video(track: Track, samples: Samples) -> int:
    entry = np.flatnonzero(samples.sync & (samples.cts <= max(track.edit.origin, 0)))
    return int(entry[-1]) if len(entry) else 0


def _first_audio(track: Track, samples: Samples) -> int:
    start = int(np.searchsorted(samples.dts, track.edit.origin - track.timescale, "left"))
    if isinstance(track.format, AudioFormat) and track.format.cut_at_sync:
        entry = np.flatnonzero(samples.sync[: start + 1])
        return int(entry[-1]) if len(entry) else 0
    return start
