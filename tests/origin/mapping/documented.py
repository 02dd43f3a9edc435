"""The mappings that nginx-vod-module documents (README.md, "Mapping response format"): the
same fields and values, by the heading that each stands under."""

from typing import Any


def _source(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "source", "path": f"/path/to/{name}.mp4", **fields}


def _set(*sequences: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {**fields, "sequences": [{"clips": clips} for clips in sequences]}


_TWO = [_source("video1"), _source("video2")]
_MIXED = {
    "type": "mixFilter",
    "sources": [
        {"type": "rateFilter", "rate": 1.5, "source": _source("video1")},
        {"type": "gainFilter", "gain": 0.5, "source": _source("video2", tracks="a1")},
    ],
}
TAKEN = {
    "Simple mapping": _set([_source("video")]),
    "Adaptive set": _set([_source("bitrate1")], [_source("bitrate2")]),
}
REFUSED = {
    "Playlist": (_set(_TWO, durations=[35000, 22000]), "durations: several clips"),
    "Filters": (
        _set([_MIXED]),
        "sequences[0].clips[0].type: mixFilter is not supported yet",
    ),
    "Continuous live": (
        _set(
            _TWO,
            playlistType="live",
            discontinuity=False,
            segmentBaseTime=1451904060000,
            firstClipTime=1451917506000,
            durations=[83000, 83000],
        ),
        "playlistType: only vod",
    ),
    "Non-continuous live": (
        _set(
            _TWO,
            playlistType="live",
            discontinuity=True,
            initialClipIndex=171,
            initialSegmentIndex=153,
            firstClipTime=1451918170000,
            durations=[83000, 83000],
        ),
        "playlistType: only vod",
    ),
}
