"""Ours beside Shaka Packager's: the same codecs, facts, times, segments and sizes.

Where the two define a thing differently it is compared by one definition: codecs without case,
without the optional fields of AV1 and VP9, and with in-band parameter sets read as ``hvc1``;
ratios as numbers.  MPD@bandwidth is a promise about a buffer here (D-13) and the largest rate
of a segment there: what both come from is compared, the sizes of the same segments.
Sound beside video is cut at the video's boundaries here (C-03) and every six seconds there, so
only what leads is compared by segments.  Its MPEG-TS starts at 0.1 s and ours at 10 s (T-05).
"""

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.conformance import shaka
from tests.conformance.files import media_names
from tests.conformance.judging import TS_ZERO, Media
from tests.conformance.laboratory import Laboratory
from tests.conformance.page import PAGE, rows_in
from tests.conformance.presented import (
    Way,
    adaptations,
    present,
    representation,
)

SHAKA_TS_ZERO = Fraction(1, 10)
NEAR = Fraction(1, 100)
HEADERS = 200
"""Bytes that the boxes of a segment may differ by: it writes a sidx, we do not."""

TICK = Fraction(1, 45_000)
"""Both round to 1/90000."""

MOVED = "it moves times where the first composition offset is not zero, or negative ones occur"
FIRST = "it takes the first frame for the rate of all; ours is the mean"
SOUND = "composition offsets of sound, by which it gives two frames one time"
EXCEPTIONS = {
    ("derived/bear_negative_cts_v1.mp4", "Video times"): MOVED,
    ("media3/edit_list_positive_shift.mp4", "Video segments"): "it knows no empty edit",
    ("media3/sample_2_byte_NAL_length.mp4", "Audio times in TS"): MOVED,
    ("media3/sample_2_byte_NAL_length.mp4", "Video times"): MOVED,
    ("media3/sample_with_nero_chapters_only.mp4", "Video frame rate"): FIRST,
    ("mediabunny/video-h265.mp4", "Video segments"): "it cuts before an open group",
    ("mp4ff/prog_8s.mp4", "Video segments"): MOVED,
    ("mp4ff/prog_8s.mp4", "Video times"): MOVED,
    ("mp4ff/prog_8s.mp4", "Video times in TS"): MOVED,
    ("mp4parser/count-deutsch-audio.mp4", "Audio segments"): SOUND,
    ("mp4parser/count-deutsch-audio.mp4", "Audio times"): SOUND,
    ("mp4parser/count-deutsch-audio.mp4", "Audio times in TS"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio segments"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio times"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio times in TS"): SOUND,
    ("shaka-packager/bear-640x360-ec3.mp4", "Video frame rate"): FIRST,
    ("shaka-packager/water-mv-hevc.mp4", "Video codec"): "it names the second layer's profile",
    ("shaka-packager/water-mv-hevc.mp4", "Video times"): MOVED,
}
"""By file and what of it differs, and why; one that is no longer needed fails."""

NOT_ACCEPTED = {
    "derived/count_multi_lang.mp4",
    "media3/iibbibb_editlist_videoonly.mp4",
    "media3/sample_empty_track.mp4",
    "media3/sample_with_invalid_nalu.mp4",
    "media3/water_180_mvhevc_5frames.mov",
    "mp4parser/BBB_fixedres_B_180x320_80.mp4",
    "shaka-packager/bear-640x360-aac_he-silent_right.mp4",
    "shaka-packager/sparks_dovi_10.mp4",
}
"""Files that it refuses, or lists segments of that it has not written."""


def known() -> list[str]:
    """Files of the page: nobody has looked at what a judge says of others."""
    rows = rows_in(PAGE.read_text())
    return [name for name in media_names() if name in rows and "| refused: " not in rows[name]]


@pytest.mark.parametrize("name", known() or [pytest.param("", id="no media")])
def test_beside_shaka_packager(lab: Laboratory, tmp_path: Path, name: str) -> None:
    try:
        theirs = shaka.package(lab.media / name, tmp_path)
    except shaka.Refused:
        assert name in NOT_ACCEPTED
        return
    assert name not in NOT_ACCEPTED
    found = present(lab, name, Way.DASH)
    ours = []
    for adaptation, one, template in adaptations(found.mpds["manifest.mpd"]):
        listed = representation(one, template)
        assert listed.init is not None
        segments = tuple(lab.get(found.folder + uri) for uri in listed.media)
        media = Media(lab.get(found.folder + listed.init), segments)
        kind = {"v": "Video", "a": "Audio"}[listed.tracks[0]]
        ours.append(shaka.Stream(kind, adaptation, one, listed, media, ()))
    differs = ts_differences(lab, name, theirs)
    for kind in ("Video", "Audio"):
        mine = [one for one in ours if one.kind == kind]
        its = [one for one in theirs.streams if one.kind == kind]
        assert len(mine) == len(its)
        leads = kind == "Video" or len(ours) == 1
        for one, other in zip(mine, its, strict=True):
            differs |= {f"{kind} {field}" for field in differences(one, other, leads=leads)}
    assert differs == {field for at, field in EXCEPTIONS if at == name}


def ts_differences(lab: Laboratory, name: str, theirs: shaka.Judgement) -> set[str]:
    """Kinds whose times in MPEG-TS differ by more than what each begins at."""
    found = present(lab, name, Way.HLS_TS)
    differs = set()
    for kind in ("Video", "Audio"):
        its = next((one.ts for one in theirs.streams if one.kind == kind), ())
        mine = next(
            (one for one in found.renditions if f"{kind[0].lower()}1" in one.tracks), None
        )
        if not its or mine is None or mine.container != "TS":
            continue
        answers = [lab.ask(found.folder + uri) for uri in mine.media]
        assert {answer.status for answer in answers} == {200}
        ours = ts_times(b"".join(answer.body for answer in answers), kind)
        beside = ts_times(b"".join(its), kind)
        if len(ours) != len(beside) or any(
            abs((at - TS_ZERO) - (other - SHAKA_TS_ZERO)) > TICK
            for at, other in zip(ours, beside, strict=True)
        ):
            differs.add(f"{kind} times in TS")
    return differs


def ts_times(stream: bytes, kind: str) -> list[Fraction]:
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        return sorted(
            one.pts * one.time_base
            for one in container.demux()
            if one.size and one.pts is not None and one.stream.type == kind.lower()
        )


def differences(mine: shaka.Stream, its: shaka.Stream, *, leads: bool) -> set[str]:
    one, other = facts(mine), facts(its)
    found = {field for field in one if one[field] != other[field]}
    if times(mine.media) != times(its.media):
        found.add("times")
    if leads and mine.listed.starts != its.listed.starts:
        found.add("segments")
    elif mine.listed.starts == its.listed.starts and any(
        abs(len(one) - len(other)) > max(NEAR * len(other), HEADERS)
        for one, other in zip(mine.media.segments, its.media.segments, strict=True)
    ):
        found.add("sizes")
    return found


def facts(stream: shaka.Stream) -> dict[str, object]:
    said = {**stream.adaptation.attrib, **stream.representation.attrib}
    codec = said["codecs"].lower().replace("hev1", "hvc1").split(".")
    if codec[0] in ("av01", "vp09"):
        del codec[4:]
    lang = said.get("lang", "und")
    return {
        "codec": codec,
        "size": (said.get("width"), said.get("height")),
        "frame rate": Fraction(said["frameRate"]) if "frameRate" in said else None,
        "pixels": _ratio(said.get("sar")),
        "sampling rate": said.get("audioSamplingRate"),
        "language": "und" if lang == "```" else lang,  # three zeros, as letters of 5 bits
        "channels": shaka.channels([stream.adaptation, stream.representation]),
    }


def _ratio(text: str | None) -> Fraction | None:
    return Fraction(text.replace(":", "/")) if text else None


def times(media: Media) -> list[Fraction]:
    """When access units are presented, as FFmpeg reads them."""
    with av.open(io.BytesIO(media.joined)) as container:
        return sorted(
            one.pts * one.time_base
            for one in container.demux()
            if one.size and one.pts is not None
        )
