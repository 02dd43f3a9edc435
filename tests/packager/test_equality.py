"""What goes in comes out: every file, as TS and as CMAF, against FFmpeg's reading of it.

For each file that is accepted: (a) the access units of all segments are the source's that its
edit needs; (b) the decoded pictures are the source's, at their times; (c) the sound too, once
priming and tail are aligned; (d) segments run on without gap or overlap; (e) declared sizes
and rates are those of the real segments.  For each that is refused: by name and reason.
"""

import hashlib
import io
import math
import time
import tracemalloc
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.container import InputContainer
from av.stream import Stream

from packager.bandwidth import bitrate
from packager.codecs.aac import AacConfig
from packager.codecs.h264 import AvcConfig
from packager.errors import MalformedBox, MalformedSample, PackagerError, Unsupported
from packager.hls.media_playlist import target_duration
from packager.index import TrackIndex
from packager.isobmff.media_segment import segment_sizes
from packager.presentation import Timeline
from packager.recipe import Choice, decoded
from packager.tracks import Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.generated import CLIPS, encoded
from tests.packager.isobmff.reading import parse_segment
from tests.packager.mpegts.reading import check_stream

VIDEO, AUDIO, BOTH = "video", "audio", "video and audio"
INIT_ONLY = (Unsupported, "moov: an initialization segment: no moof follows")
ENCRYPTED = (Unsupported, "track 1: encv: the samples are encrypted")
NO_MOOV = (Unsupported, "moof: a media segment without its moov")


def codec(track: int, name: str) -> tuple[type[PackagerError], str]:
    return Unsupported, f"track {track}: stsd: codec {name!r}"


# What each real file gives: its tracks, or the error and how its message starts.
EXPECTED: dict[str, str | tuple[type[PackagerError], str]] = {
    "derived/bear_cmaf_like_muxed_gsidx.mp4": BOTH,
    "derived/bear_negative_cts_v1.mp4": BOTH,
    "derived/bear_stco_beyond_eof.mp4": (MalformedBox, "stco: sample 1 at 4294967280"),
    "derived/bear_stsz_count_2g.mp4": (MalformedBox, "stsz: 2147483647 samples"),
    "derived/bear_truncated_60pct.mp4": (MalformedBox, "stco: sample 49 at 207496"),
    "derived/count_multi_lang.mp4": "video and audio and audio",
    "derived/empty.mp4": (MalformedBox, "moov: missing: the file is empty"),
    "derived/html_as.mp4": (MalformedBox, "ftyp: missing: this is not an ISO base media file"),
    "gpac-testsuite/gpac.mp4": (Unsupported, "track 1: hdlr: 'sdsm' is neither"),
    "livesim2/testpic_2s_imsc1_img_en_1.m4s": NO_MOOV,
    "livesim2/testpic_2s_imsc1_txt_sv_1.m4s": NO_MOOV,
    "media3/bbb_1ch_8kHz_aac_lc.m4a": AUDIO,
    "media3/bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4": VIDEO,
    "media3/bbb_800x640_768kbps_30fps_vp9.mp4": VIDEO,
    "media3/edit_list_positive_shift.mp4": BOTH,
    "media3/emsg_sample.audio.mp4": AUDIO,
    "media3/fragmented_captions.mp4": VIDEO,
    "media3/fragmented_captions_h265.mp4": VIDEO,
    "media3/h265_with_metadata_track.mp4": BOTH,
    "media3/hlg10-color-test.mp4": BOTH,
    "media3/iibbibb_editlist_videoonly.mp4": VIDEO,
    "media3/long_1080p_lowbitrate.mp4": BOTH,
    "media3/postroll-5s.mp4": BOTH,
    "media3/sample_2_byte_NAL_length.mp4": BOTH,
    "media3/sample_ac3_aac.mp4": "audio and audio",
    "media3/sample_dthd.mp4": AUDIO,
    "media3/sample_eac3.mp4": AUDIO,
    "media3/sample_edit_list_only_preroll_sync_sample.mp4": BOTH,
    "media3/sample_empty_track.mp4": BOTH,
    "media3/sample_fragmented_seekable_multiple_sidx.mp4": VIDEO,
    "media3/sample_mdat_too_long.mp4": BOTH,
    "media3/sample_missing_stsd.mp4": (MalformedBox, "stsd: missing from stbl"),
    "media3/sample_no_bframes.mp4": BOTH,
    "media3/sample_opus.mp4": AUDIO,
    "media3/sample_portrait.mp4": BOTH,
    "media3/sample_vvc.mp4": VIDEO,
    "media3/sample_with_colr_mdcv_and_clli.mp4": BOTH,
    "media3/sample_with_increasing_timestamps_320w_240h.mp4": BOTH,
    "media3/sample_with_invalid_nalu.mp4": VIDEO,
    "media3/sample_with_nero_chapters_only.mp4": BOTH,
    "media3/silent-black-10s.mp4": BOTH,
    "media3/ttml-in-mp4_sample.text.mp4": (Unsupported, "track 1: hdlr: 'subt' is neither"),
    "media3/water_180_mvhevc_5frames.mov": VIDEO,
    "mediabunny/ac3.mp4": AUDIO,
    "mediabunny/multiple-aac-tracks.mp4": "audio and audio",
    "mediabunny/rotate-buck-bunny.mp4": BOTH,
    "mediabunny/toothsome-dts.mp4": AUDIO,
    "mediabunny/video-h265.mp4": BOTH,
    "mp4ff/bbb_prog_10s.mp4": BOTH,
    "mp4ff/cbcsdec.mp4": VIDEO,
    "mp4ff/init_truncated.mp4": (MalformedBox, "moov: size 646 exceeds the 31 bytes left"),
    "mp4ff/main_1.mp4": VIDEO,
    "mp4ff/prog_8s.mp4": BOTH,
    "mp4ff/prog_8s_dec_dashinit.mp4": BOTH,
    "mp4parse/chunk_out_of_range.mp4": (MalformedBox, "stsc: first_chunk does not start"),
    "mp4parse/invalid_userdata.mp4": (MalformedBox, "stco: sample 1 at 135434"),
    "mp4parse/sine-3s-xhe-aac-44khz-mono.mp4": AUDIO,
    "mp4parse/test_case_1185230.mp4": (MalformedBox, "stco: sample 4 at 3958"),
    "mp4parse/zero_empty_stsc.mp4": (MalformedBox, "stco: sample 2 at 47925"),
    "mp4parser/BBB_fixedres_B_180x320_200.mp4": VIDEO,
    "mp4parser/BBB_fixedres_B_180x320_80.mp4": VIDEO,
    "mp4parser/count-deutsch-audio.mp4": AUDIO,
    "mp4parser/count-english-audio.mp4": AUDIO,
    "shaka-packager/bear-1280x720-hevc.mp4": BOTH,
    "shaka-packager/bear-1280x720.mp4": BOTH,
    "shaka-packager/bear-320x180.mp4": BOTH,
    "shaka-packager/bear-640x360-aac_he-silent_right.mp4": AUDIO,
    "shaka-packager/bear-640x360-ec3.mp4": BOTH,
    "shaka-packager/bear-640x360-hevc-hdr10.mp4": BOTH,
    "shaka-packager/bear-640x360-hevc.mp4": BOTH,
    "shaka-packager/bear-640x360-no_edit_list.mp4": (MalformedBox, "stco: sample 82 at 344210"),
    "shaka-packager/bear-640x360-trailing-moov.mp4": BOTH,
    "shaka-packager/bear-640x360-v_frag-cenc-senc.mp4": ENCRYPTED,
    "shaka-packager/bear-640x360-vp9.mp4": BOTH,
    "shaka-packager/bear-640x360.mp4": BOTH,
    "shaka-packager/bear-av1.mp4": VIDEO,
    "shaka-packager/bear-flac.mp4": AUDIO,
    "shaka-packager/bear-mpeg2-aac-only_frag.mp4": AUDIO,
    "shaka-packager/sintel-1024x436.mp4": BOTH,
    "shaka-packager/sparks_dovi_10.mp4": VIDEO,
    "shaka-packager/water-mv-hevc.mp4": VIDEO,
    "shaka-player/audio-xhe-aac.mp4": INIT_ONLY,
    "shaka-player/cea-init.mp4": INIT_ONLY,
    "shaka-player/cea608-track-segment.mp4": NO_MOOV,
    "shaka-player/dash-multi-codec_video_144p_108k_h264.mp4": VIDEO,
    "shaka-player/h265-cea-segment.mp4": NO_MOOV,
    "shaka-player/hls-sample-aes_video.mp4": ENCRYPTED,
    "shaka-player/imsc-image-segment.cmft": NO_MOOV,
    "shaka-player/vtt-init.mp4": INIT_ONLY,
    "shaka-player/vtt-segment.mp4": NO_MOOV,
    "torchcodec/bt709_full_range.mp4": VIDEO,
}
ACCEPTED = [name for name, given in EXPECTED.items() if isinstance(given, str)]
REFUSED = [name for name, given in EXPECTED.items() if not isinstance(given, str)]

NOT_DECODED = {"media3/long_1080p_lowbitrate.mp4"}
"""Takes a minute to decode: its access units are compared, not its pictures."""

DAMAGED = {"media3/sample_with_invalid_nalu.mp4": r"sample \d+: "}
"""Damage inside the media: CMAF passes it on, TS refuses the sample."""

MOVED = {
    "media3/iibbibb_editlist_videoonly.mp4": Fraction(1, 2),
    "mediabunny/rotate-buck-bunny.mp4": Fraction(-1, 12),
    "mp4ff/cbcsdec.mp4": Fraction(-241_001, 24_000),
    "mp4ff/main_1.mp4": Fraction(-10),
}
"""By how much we show pictures later than FFmpeg does, seconds.  It moves the first picture of
an edit that starts inside a group to zero: by the edit list it is half a second later.  In
fragments it delays all pictures by the largest negative composition offset.  Files cut from a
live stream ten seconds in begin at zero here."""

MARGIN = 1.0
"""Seconds that a file may take to be refused or indexed."""


@pytest.mark.parametrize("name", ACCEPTED)
def test_real_file(name: str, media_dir: Path) -> None:
    data = (media_dir / name).read_bytes()
    tracks = [track.kind.value for track in index_of(data).tracks]
    assert " and ".join(sorted(tracks, reverse=True)) == EXPECTED[name]
    compare(data, name)


@pytest.mark.parametrize("name", CLIPS)
def test_generated_file(name: str) -> None:
    compare(encoded(name), name)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_file(name: str, media_dir: Path) -> None:
    given = EXPECTED[name]
    assert not isinstance(given, str)
    kind, start = given
    with pytest.raises(kind) as error:
        index_of((media_dir / name).read_bytes())
    assert type(error.value) is kind
    assert str(error.value).startswith(start), str(error.value)


def test_other_files_play_or_are_refused(media_dir: Path) -> None:
    """Files that the table does not know: quick, small, and by name if refused."""
    for path in sorted(media_dir.rglob("*")):
        name = path.relative_to(media_dir).as_posix()
        if name in EXPECTED or not path.is_file() or path.suffix in (".md", ".vtt"):
            continue
        data = path.read_bytes()
        tracemalloc.start()
        begin = time.perf_counter()
        try:
            index_of(data)
        except PackagerError:
            continue
        finally:
            taken = time.perf_counter() - begin
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert taken < MARGIN, name
            assert peak < 16 * len(data) + (16 << 20), name
        compare(data, name)


# -- one file


def compare(data: bytes, name: str, rounding: Fraction = Fraction(0)) -> None:
    """*rounding*: seconds by which times of the file may differ from the exact ones."""
    packaged = Packaged(data)
    source = Source(data, rounding)
    for track in packaged.flavors[0].tracks:
        compare_cmaf(packaged, track, source, name)
    if name in DAMAGED:
        with pytest.raises(MalformedSample, match=DAMAGED[name]):
            packaged.ts()
        return
    for choice in choices(packaged):
        compare_ts(packaged, choice, source, name)
    compare_rates(packaged, Packaged(data, facts=False))


def choices(packaged: Packaged) -> list[Choice]:
    """The first video with every audio, or what there is of them that MPEG-TS carries."""
    carried = [one for one in packaged.flavors[0].tracks if one.track.format.in_ts]
    video = 1 if any(one.kind is Kind.VIDEO for one in carried) else None
    sounds = [one.number for one in carried if one.kind is Kind.AUDIO] or [None]
    return [Choice(1, video, audio) for audio in sounds] if carried else []


Frames = list[tuple[Fraction, str]]


@dataclass
class Source:
    """FFmpeg's reading of a file."""

    data: bytes
    rounding: Fraction
    """Of its times, seconds."""

    def open(self, **options: str) -> InputContainer:
        return av.open(io.BytesIO(self.data), options=options)

    def stream(self, container: InputContainer, track: TrackIndex) -> Stream:
        by_id = [one for one in container.streams if one.id == track.track.id]
        same = [one for one in container.streams if one.type == track.kind.value]
        return by_id[0] if by_id else same[track.number - 1]

    def units(self, track: TrackIndex) -> list[bytes]:
        """Every sample, whatever the edit list says."""
        with self.open(ignore_editlist="1") as container:
            stream = self.stream(container, track)
            return [bytes(one) for one in container.demux(stream) if one.size]

    def needed(self, track: TrackIndex) -> list[bytes]:
        """What FFmpeg reads for the edit."""
        with self.open() as container:
            stream = self.stream(container, track)
            return [bytes(one) for one in container.demux(stream) if one.size]

    def frames(self, track: TrackIndex) -> Frames:
        with self.open() as container:
            return frames_of(container, self.stream(container, track))

    def sound(self, track: TrackIndex) -> "Sound":
        with self.open() as container:
            return sound_of(container, self.stream(container, track))


def frames_of(container: InputContainer, stream: Stream) -> Frames:
    """Pictures at or after zero: ``(time, hash)``."""
    return [
        (frame.pts * frame.time_base, hashlib.md5(frame.to_ndarray().tobytes()).hexdigest())
        for frame in container.decode(stream)
        if frame.pts is not None and frame.pts >= 0
    ]


def sound_of(container: InputContainer, stream: Stream) -> "Sound":
    frames = list(container.decode(stream))
    begin = frames[0].pts * frames[0].time_base
    pcm = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    return Sound(begin, frames[0].sample_rate, pcm)


@dataclass
class Sound:
    begin: Fraction
    """When the first sample is heard, seconds."""

    rate: int
    pcm: npt.NDArray[Any]

    def holds(self, other: "Sound", rounding: Fraction = Fraction(0)) -> bool:
        """*other*, which starts later where a decoder takes out priming, is in this.

        Aligned by time, to the samples that *rounding* (seconds) and a tick leave open, or
        else by the end: there are frames that the table gives less time than they sound.
        """
        assert self.rate == other.rate
        length = other.pcm.shape[1]
        skipped = round((other.begin - self.begin) * self.rate)
        around, end = 1 + math.ceil(rounding * self.rate), self.pcm.shape[1] - length
        near = range(skipped - around, skipped + around + 1)
        return any(
            at >= 0 and np.array_equal(self.pcm[:, at : at + length], other.pcm)
            for at in (*sorted(near, key=lambda at: abs(at - skipped)), end)
        )


def inside(track: TrackIndex, frames: Frames) -> Frames:
    """Pictures that the edit presents."""
    end = track.track.edit.end
    if end is None:
        return frames
    last = Fraction(end - track.origin, track.track.timescale)
    return [(time, digest) for time, digest in frames if time < last]


def assert_needed(units: list[bytes], track: TrackIndex, source: Source) -> None:
    """*units* are a run of the source's that holds what FFmpeg reads for the edit."""
    every = source.units(track)
    first = track.first_in_source
    assert units == every[first : first + track.count]
    needed = source.needed(track)
    if needed != units:
        at = units.index(needed[0])
        assert needed == units[at : at + len(needed)]
        assert track.track.edit.origin > 0 or at == 0


def compare_cmaf(packaged: Packaged, track: TrackIndex, source: Source, name: str) -> None:
    init, *segments = packaged.cmaf(track)
    parsed = [parse_segment(segment) for segment in segments]
    assert_needed([unit for one in parsed for unit in one.samples], track, source)
    decode_time = parsed[0].decode_time
    for sequence, segment in enumerate(parsed, 1):
        assert segment.sequence == sequence
        assert segment.decode_time == decode_time
        decode_time += sum(row.duration for row in segment.rows)
    blocks = packaged.flavors[0].blocks[packaged.flavors[0].tracks.index(track)]
    sizes = track.samples(0, track.count, blocks).size
    assert segment_sizes(track, packaged.cuts(track).rows, sizes) == list(map(len, segments))
    if name in NOT_DECODED or name in DAMAGED:
        return
    with av.open(io.BytesIO(b"".join((init, *segments)))) as container:
        stream = container.streams[0]
        if track.kind is Kind.VIDEO:
            got = inside(track, frames_of(container, stream))
            moved = MOVED.get(name, Fraction(0))
            wanted = inside(track, source.frames(track))
            assert [digest for _, digest in got] == [digest for _, digest in wanted]
            for (at, _), (told, _) in zip(got, wanted, strict=True):
                assert abs(at - told - moved) <= source.rounding
        else:
            assert sound_of(container, stream).holds(source.sound(track), source.rounding)


def compare_ts(packaged: Packaged, choice: Choice, source: Source, name: str) -> None:
    segments = packaged.ts(choice)
    stream = b"".join(segments)
    found = check_stream(stream, first=1)
    for number, segment in enumerate(segments, 1):
        check_stream(segment, first=number)
    video, audio = chosen(packaged, choice)
    if video is not None:
        payloads = [pes.data for pes in found if pes.pid == 0x100]
        config = video.track.format.config
        assert isinstance(config, AvcConfig)
        units = [length_prefixed(data, config) for data in payloads]
        wanted = [without_delimiters(unit, config) for unit in source.units(video)]
        first = video.first_in_source
        assert units == wanted[first : first + video.count]
    if audio is not None:
        joined = b"".join(pes.data for pes in found if pes.pid == 0x101)
        first = audio.first_in_source
        frames = source.units(audio)[first : first + audio.count]
        assert frames_in(joined, audio, frames)
    if name in NOT_DECODED:
        return
    if video is not None:
        compare_pictures(stream, video, source, name)
    if audio is not None:
        compare_sound(stream, audio, source)


def chosen(
    packaged: Packaged, choice: Choice
) -> tuple[TrackIndex | None, TrackIndex | None]:  # fmt: skip
    flavor = packaged.flavors[0]
    video = flavor.of_kind(Kind.VIDEO)[choice.video - 1] if choice.video else None
    audio = flavor.of_kind(Kind.AUDIO)[choice.audio - 1] if choice.audio else None
    return video, audio


def compare_pictures(stream: bytes, track: TrackIndex, source: Source, name: str) -> None:
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        decoded = frames_of(container, container.streams.video[0])
    got = inside(track, [(time - 10, digest) for time, digest in decoded if time >= 10])
    moved = MOVED.get(name, Fraction(0))
    wanted = [(time + moved, digest) for time, digest in inside(track, source.frames(track))]
    assert [digest for _, digest in got] == [digest for _, digest in wanted]
    near = source.rounding and source.rounding + Fraction(1, 90_000)
    for (at, _), (exact, _) in zip(got, wanted, strict=True):
        assert abs(at - Fraction(math.floor(exact * 90_000), 90_000)) <= near


def compare_sound(stream: bytes, track: TrackIndex, source: Source) -> None:
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        made = sound_of(container, container.streams.audio[0])
    made.begin -= 10
    assert made.holds(source.sound(track), source.rounding)


# -- back to what the source holds


def units_of(stream: bytes) -> list[bytes]:
    """NAL units of a byte stream of 4-byte start codes."""
    found = stream.split(b"\0\0\0\1")
    assert found[0] == b""
    return found[1:]


def length_prefixed(data: bytes, config: AvcConfig) -> bytes:
    """The sample of an access unit: without its delimiter and what the muxer put in."""
    delimiter, *units = units_of(data)
    assert delimiter == b"\x09\xf0"
    sets = [*config.sps, *config.pps]
    if units[: len(sets)] == sets:
        units = units[len(sets) :]
    assert not any(unit[0] & 31 == 9 for unit in units)
    return b"".join(len(unit).to_bytes(config.nal_length_size, "big") + unit for unit in units)


def without_delimiters(sample: bytes, config: AvcConfig) -> bytes:
    kept, at = b"", 0
    while at < len(sample):
        stop = at + config.nal_length_size
        stop += int.from_bytes(sample[at:stop], "big")
        if sample[at + config.nal_length_size] & 31 != 9:
            kept += sample[at:stop]
        at = stop
    return kept


def frames_in(stream: bytes, track: TrackIndex, wanted: list[bytes]) -> bool:
    """Whether *stream* is the frames *wanted*, those of AAC behind ADTS headers."""
    config = track.track.format.config
    if not isinstance(config, AacConfig):
        return stream == b"".join(wanted)
    frames = []
    while stream:
        assert stream[0] == 0xFF
        assert stream[1] & 0xF7 == 0xF1
        size = int.from_bytes(stream[3:6], "big") >> 5 & 0x1FFF
        frames.append(stream[len(config.adts_template()) : size])
        stream = stream[size:]
    return frames == wanted


# -- what is declared


def compare_rates(packaged: Packaged, unread: Packaged) -> None:
    """The declared rates are those of the real segments; without facts, no less."""
    presentation = packaged.presentation()
    assert unread.presentation() == presentation
    listed = [decoded(track, packaged.cuts(track)) for track in ordered(packaged)]
    target = target_duration(listed)
    for rendition, track, line in zip(
        presentation.renditions, ordered(packaged), listed, strict=True
    ):
        _, *segments = packaged.cmaf(track)
        cuts = packaged.cuts(track)
        assert rendition.timeline == Timeline(track.track.timescale, cuts.starts, cuts.end)
        assert rendition.bitrate == bitrate(list(map(len, segments)), line, target)
    for choice in choices(packaged):
        sizes = list(map(len, packaged.ts(choice)))
        real = bitrate(sizes, packaged.mux(choice).timeline, target)
        assert packaged.muxed_bitrate(choice, target) == real
        bound = unread.muxed_bitrate(choice, target)
        assert bound.peak >= real.peak
        assert bound.average >= real.average


def ordered(packaged: Packaged) -> list[TrackIndex]:
    flavor = packaged.flavors[0]
    return [*flavor.of_kind(Kind.VIDEO), *flavor.of_kind(Kind.AUDIO)]
