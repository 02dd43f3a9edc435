"""Ours beside Shaka Packager's: the same codecs, facts, times, segments and sizes.

Where the two define a thing differently it is compared by one definition: codecs without case,
without the optional fields of VP9, and with in-band parameter sets read as ``hvc1``; times by
the boxes, less presentationTimeOffset; ratios as numbers.  MPD@bandwidth is a promise about a
buffer here (D-13) and the largest rate of a segment there: ours is computed for comparison.
Sound beside video is cut at the video's boundaries here (C-03) and every six seconds there, so
only what leads is compared by segments.  Its MPEG-TS starts at 0.1 s and ours at 10 s (T-05).
"""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.conformance import shaka
from tests.conformance.box_times import box_times
from tests.conformance.files import media_names
from tests.conformance.judging import TS_ZERO, Media
from tests.conformance.laboratory import Laboratory
from tests.conformance.made import MADE
from tests.conformance.master import Master, read_master
from tests.conformance.page import PAGE, rows_in
from tests.conformance.presented import (
    Way,
    adaptations,
    present,
    representation,
)
from tests.conformance.rates import durations, largest

SHAKA_TS_ZERO = Fraction(1, 10)
NEAR = Fraction(1, 100)
HEADERS = 200
"""Bytes that the boxes of a segment may differ by: it writes a sidx, we do not."""

TICK = Fraction(1, 45_000)
"""Both round to 1/90000."""

DELAY = "it takes the offset of the first picture off where there is no edit list"
EARLIER = "its presentation begins with the first track that was named, ours with the earliest"
LATE = "it takes what begins late for zero; ours does from a second on"
CLOCK = "it cuts at multiples of six seconds of a clock that began at ten; its MPEG-TS keeps it"
MEAN = "it takes the first frame that is decoded for the rate of all; ours is the mean"
SOUND = "an offset of the first frame of sound, by which it gives two frames one time"
TURNED = "its matrix turns the picture by a quarter, and RESOLUTION is as it is shown"
DOLBY = "ours is of Dolby's scheme (ETSI TS 102 366 §I.1.2.1); it has a number of channels"
EXCEPTIONS = {
    ("derived/bear_cmaf_like_muxed_gsidx.mp4", "Video segments"): DELAY,
    ("derived/bear_cmaf_like_muxed_gsidx.mp4", "Video times"): DELAY,
    ("derived/bear_cmaf_like_muxed_gsidx.mp4", "Video times in TS"): DELAY,
    ("media3/edit_list_positive_shift.mp4", "Audio times"): EARLIER,
    ("media3/edit_list_positive_shift.mp4", "Video segments"): EARLIER,
    ("media3/edit_list_positive_shift.mp4", "Video times"): EARLIER,
    ("media3/emsg_sample.audio.mp4", "Audio segments"): LATE,
    ("media3/emsg_sample.audio.mp4", "Audio times"): LATE,
    ("media3/h265_with_metadata_track.mp4", "HLS RESOLUTION"): TURNED,
    ("media3/sample_ac3_aac.mp4", "Audio channels"): DOLBY,
    ("media3/sample_eac3.mp4", "Audio channels"): DOLBY,
    ("mediabunny/ac3.mp4", "Audio channels"): DOLBY,
    ("mediabunny/rotate-buck-bunny.mp4", "HLS RESOLUTION"): TURNED,
    ("mediabunny/toothsome-dts.mp4", "Audio sampling rate"): (
        "ddts and the frames say 24 kHz; it takes the sample entry's 48 kHz"
    ),
    ("shaka-packager/bear-640x360-ec3.mp4", "Audio channels"): DOLBY,
    ("media3/fragmented_captions.mp4", "Video frame rate"): MEAN,
    ("media3/fragmented_captions.mp4", "Video segments"): (
        "the last picture lasts two frames by its trun; it adds up durations of decoding"
    ),
    ("media3/fragmented_captions_h265.mp4", "Video segments"): DELAY,
    ("media3/fragmented_captions_h265.mp4", "Video times"): DELAY,
    ("media3/sample_2_byte_NAL_length.mp4", "Audio times in TS"): (
        "stts rounds a frame of 1024/44100 s up to 1115/48000: it has a PES packet for each,"
        " ours has several in one, which FFmpeg counts by the sampling rate"
    ),
    ("media3/sample_with_nero_chapters_only.mp4", "Video frame rate"): MEAN,
    ("mediabunny/video-h265.mp4", "Video segments"): (
        "it cuts at a CRA that a picture is shown before and decoded after"
    ),
    ("mp4ff/cbcsdec.mp4", "Video segments"): CLOCK,
    ("mp4ff/cbcsdec.mp4", "Video times in TS"): CLOCK,
    ("mp4ff/main_1.mp4", "Video segments"): CLOCK,
    ("mp4ff/main_1.mp4", "Video times in TS"): CLOCK,
    ("mp4ff/prog_8s.mp4", "Video segments"): DELAY,
    ("mp4ff/prog_8s.mp4", "Video times"): DELAY,
    ("mp4ff/prog_8s.mp4", "Video times in TS"): DELAY,
    ("mp4parser/count-deutsch-audio.mp4", "Audio segments"): SOUND,
    ("mp4parser/count-deutsch-audio.mp4", "Audio times"): SOUND,
    ("mp4parser/count-deutsch-audio.mp4", "Audio times in TS"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio segments"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio times"): SOUND,
    ("mp4parser/count-english-audio.mp4", "Audio times in TS"): SOUND,
    ("shaka-packager/bear-640x360-ec3.mp4", "Video frame rate"): MEAN,
    ("shaka-packager/bear-mpeg2-aac-only_frag.mp4", "Audio codec"): (
        "object type 0x67 is MPEG-2 AAC (RFC 6381 §3.3); it names MPEG-4's"
    ),
    ("shaka-packager/water-mv-hevc.mp4", "Video codec"): (
        "hvcC says Main, the base layer; it names the second layer's profile"
    ),
}
"""By file and what of it differs, and why; one that is no longer needed fails."""

NOT_ACCEPTED = {
    "derived/count_multi_lang.mp4",
    "media3/iibbibb_editlist_videoonly.mp4",
    "media3/sample_empty_track.mp4",
    "media3/sample_vvc.mp4",
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
    names = [name for name in media_names() if name in rows and name not in MADE]
    return [name for name in names if "| refused: " not in rows[name]]


@pytest.mark.parametrize("name", known() or [pytest.param("", id="no media")])
def test_beside_shaka_packager(lab: Laboratory, tmp_path: Path, name: str) -> None:
    try:
        theirs = shaka.package(lab.path(name), tmp_path)
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
            fields = differences(one, other, leads=leads)
            differs |= {f"{kind} {field}" for field in fields}
    master = present(lab, name, Way.HLS_FMP4).playlists["master.m3u8"]
    differs |= master_differences(read_master(master), read_master(theirs.master))
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
        if not its or mine is None or mine.container == "fMP4":
            continue
        media = Media(b"", tuple(lab.get(found.folder + uri) for uri in mine.media))
        ours = (
            sound_times(media)
            if media.is_packed
            else ts_times(media.joined, kind, Fraction(TS_ZERO))
        )
        if not alike(ours, ts_times(b"".join(its), kind, SHAKA_TS_ZERO), TICK):
            differs.add(f"{kind} times in TS")
    return differs


def sound_times(media: Media) -> list[Fraction]:
    """Of packed audio, each segment by its tag."""
    found = []
    for segment in media.segments:
        zero = media.zero(segment)
        with av.open(io.BytesIO(media.readable(segment))) as container:
            packets = [one for one in container.demux() if one.size and one.pts is not None]
        found += [zero + one.pts * one.time_base for one in packets]
    return found


def ts_times(stream: bytes, kind: str, zero: Fraction) -> list[Fraction]:
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        return sorted(
            one.pts * one.time_base - zero
            for one in container.demux()
            if one.size and one.pts is not None and one.stream.type == kind.lower()
        )


def differences(mine: shaka.Stream, its: shaka.Stream, *, leads: bool) -> set[str]:
    one, other = facts(mine), facts(its)
    found = {field for field in one if one[field] != other[field]}
    if not alike(times(mine), times(its)):
        found.add("times")
    if not alike(mine.listed.starts, its.listed.starts):
        return found | {"segments"} if leads else found
    shapes = [_ratio(one.adaptation.get("par")) or Fraction(0) for one in (mine, its)]
    if abs(shapes[0] - shapes[1]) > NEAR * shapes[1]:
        found.add("shape")
    sizes = [tuple(map(len, stream.media.segments)) for stream in (mine, its)]
    if any(
        abs(one - other) > max(NEAR * other, HEADERS) for one, other in zip(*sizes, strict=True)
    ):
        found.add("sizes")
    lasting = durations(its.listed)
    declared = int(its.representation.attrib["bandwidth"])
    slack = max(NEAR * declared, 8 * HEADERS / min(lasting))
    if abs(largest(sizes[0], lasting) - declared) > slack:
        found.add("bandwidth")
    return found


def alike(
    one: Sequence[Fraction], other: Sequence[Fraction], rounding: Fraction = Fraction(0)
) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) <= rounding for a, b in zip(one, other, strict=True)
    )


def master_differences(ours: Master, its: Master) -> set[str]:
    """Of the first variant; what one of both does not say is not compared."""
    mine, other = ours.variants[0], its.variants[0]
    found = set()
    if mine.get("SUPPLEMENTAL-CODECS") != other.get("SUPPLEMENTAL-CODECS"):
        found.add("SUPPLEMENTAL-CODECS")
    shown = [[int(n) for n in one.get("RESOLUTION", "0x0").split("x")] for one in (mine, other)]
    if any(abs(a - b) > 1 for a, b in zip(*shown, strict=True)):
        found.add("RESOLUTION")
    if mine.get("VIDEO-RANGE", "SDR") != other.get("VIDEO-RANGE", "SDR"):
        found.add("VIDEO-RANGE")
    channels = [
        [sound["CHANNELS"] for sound in one.media if "CHANNELS" in sound] for one in (ours, its)
    ]
    if all(channels) and sorted(channels[0]) != sorted(channels[1]):
        found.add("CHANNELS")
    return {f"HLS {name}" for name in found}


def facts(stream: shaka.Stream) -> dict[str, object]:
    said = {**stream.adaptation.attrib, **stream.representation.attrib}
    codec = said["codecs"].lower().replace("hev1", "hvc1")
    if codec.startswith("vp09"):
        codec = codec[: len("vp09.00.10.08")]  # the rest is optional, all of it
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


def times(stream: shaka.Stream) -> list[Fraction]:
    """When access units are presented, less presentationTimeOffset."""
    return [at - stream.listed.zero for at in box_times(stream.media)]
