"""Segments made all at once equal those made one packet at a time, whatever is in them."""

from dataclasses import dataclass
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packager.codecs.audio_streams import AudioStream, audio_stream
from packager.codecs.h264 import AvcConfig
from packager.mpegts.segment import TrackRows, ts_segment
from packager.nal_facts import scan
from packager.plan import Plan, Unplanned
from packager.samples import Samples
from packager.tracks import Edit, Track
from tests.packager.carrying import carry_out, read_from
from tests.packager.mpegts.plain_mux import Frame, plain_mux
from tests.packager.mpegts.reading import check_stream, packets_of
from tests.packager.tables import (
    AC3,
    EAC3,
    MP3,
    SPS,
    audio_track,
    avcc,
    indexed,
    samples,
    video_track,
)

# Around what fits in a packet with and without its fields, and where stuffing has odd forms.
SIZES = st.integers(1, 60) | st.integers(120, 200) | st.integers(330, 380) | st.just(3000)
BYTES = st.sampled_from([0x47, 0x00, 0xFF, 0x01])
NAL_TYPES = st.sampled_from([0x41, 0x65, 0x06, 0x09])  # slice, IDR, SEI, delimiter


@dataclass
class Source:
    """A track, where its samples lie, and what they should become."""

    track: Track
    rows: Samples
    streams: list[bytes]
    data: bytes


@st.composite
def video_sources(draw: st.DrawFn, position: int = 0) -> Source:
    timescale = draw(st.sampled_from([90_000, 30_000, 12_288, 8, 23_040_000]))
    length_size = draw(st.sampled_from([4, 4, 4, 2, 1]))
    parameter_sets = (SPS,) if draw(st.booleans()) else (SPS, b"\x67" + bytes(400))
    track = video_track(
        timescale=timescale,
        edit=Edit(draw(st.integers(-timescale, timescale))),
        record=avcc(length_size=length_size, sps=parameter_sets),
    )
    count = draw(st.integers(1, 12))
    payloads, streams = [], []
    for _ in range(count):
        payload, stream = b"", b""
        for _ in range(draw(st.integers(1, 3))):
            size = draw(SIZES if length_size > 1 else st.integers(1, 255))
            unit = bytes([draw(NAL_TYPES)]) + bytes([draw(BYTES)]) * (size - 1)
            payload += len(unit).to_bytes(length_size, "big") + unit
            stream += b"" if unit[0] == 0x09 else b"\0\0\0\1" + unit
        payloads.append(payload)
        streams.append(stream)
    frame = st.sampled_from([timescale // 25 or 1, 1, timescale, 0])
    offset = st.integers(-timescale // 5, timescale // 5)
    rows, data = laid_out(
        draw,
        payloads,
        position,
        durations=draw(st.lists(frame, min_size=count, max_size=count)),
        offsets=draw(st.just([0] * count) | st.lists(offset, min_size=count, max_size=count)),
        sync=draw(st.lists(st.booleans(), min_size=count, max_size=count)),
    )
    return Source(track, rows, streams, data)


@st.composite
def audio_sources(draw: st.DrawFn, position: int = 0) -> Source:
    timescale = draw(st.sampled_from([44_100, 8000, 48_000, 96_000]))
    codec = draw(st.sampled_from([None, None, AC3, EAC3, MP3]))
    edit = Edit(draw(st.sampled_from([0, 1024, -5000])))
    track = audio_track(timescale=timescale, edit=edit, carried=codec)
    count = draw(st.integers(1, 30))
    frame = draw(st.sampled_from([st.just(1024), st.sampled_from([1023, 1025, 9000])]))
    payloads = [
        bytes([draw(BYTES)]) * draw(st.integers(2, 200) | st.sampled_from([700, 5000]))
        for _ in range(count)
    ]
    rows, data = laid_out(
        draw,
        payloads,
        position,
        durations=draw(st.lists(frame, min_size=count, max_size=count)),
        offsets=[0] * count,
        sync=[True] * count,
    )
    streams = payloads
    if codec is None:
        streams = [adts_header(len(payload)) + payload for payload in payloads]
    return Source(track, rows, streams, data)


def adts_header(size: int) -> bytes:
    """LC, 44.1 kHz, stereo; bit by bit as in ISO/IEC 14496-3 table 1.A.6."""
    bits = f"{0xFFF:012b}" + "0" + "00" + "1" + "01" + f"{4:04b}" + "0" + f"{2:03b}" + "0000"
    bits += f"{size + 7:013b}" + f"{0x7FF:011b}" + "00"
    return int(bits, 2).to_bytes(7, "big")


def laid_out(
    draw: st.DrawFn, payloads: list[bytes], position: int, **columns: list
) -> tuple[Samples, bytes]:
    """Samples in any order in the source, some with something between."""
    order = draw(st.just(range(len(payloads))) | st.permutations(range(len(payloads))))
    gap = draw(st.sampled_from([0, 0, 3, 70_000]))
    positions, data = [0] * len(payloads), b""
    for row in order:
        positions[row] = position + len(data)
        data += payloads[row] + b"\xaa" * gap
    sizes = list(map(len, payloads))
    return samples(columns.pop("durations"), sizes=sizes, positions=positions, **columns), data


@dataclass
class Case:
    video: Source | None
    audio: Source | None
    has_video: bool
    program_audio: AudioStream | None
    number: int
    data: bytes
    known: bool
    """Whether the index knows the sizes in a byte stream."""

    window: int
    """Bytes made at once."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    has_video, has_audio = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    video = draw(video_sources()) if has_video else None
    data = video.data if video else b""
    audio = draw(audio_sources(position=len(data))) if has_audio else None
    carried = audio_stream(audio.track.format.config) if audio else None
    if has_video and has_audio and draw(st.integers(0, 4)) == 0:
        if draw(st.booleans()):
            video = None  # sound that goes on behind the last picture
        else:
            audio = None
    return Case(
        video, audio, has_video, carried, draw(st.integers(1, 40)),
        data + (audio.data if audio else b""), draw(st.booleans()),
        draw(st.sampled_from([1 << 20, 1, 1500])),
    )  # fmt: skip


def track_rows(source: Source | None, data: bytes, known: bool) -> TrackRows | None:
    if source is None:
        return None
    config = source.track.format.config
    facts = None
    if isinstance(config, AvcConfig) and known:
        facts = read_from(data, scan(config, source.rows))
    index, blocks = indexed(source.track, source.rows, facts)
    annexb = index.annexb_sizes(0, index.count, blocks) if facts else None
    return TrackRows(index, index.samples(0, index.count, blocks), annexb)


def planned(case: Case) -> Plan | Unplanned:
    with patch("packager.mpegts.segment._WINDOW", case.window):
        return ts_segment(
            track_rows(case.video, case.data, case.known),
            track_rows(case.audio, case.data, case.known),
            case.number, has_video=case.has_video, program_audio=case.program_audio,
        )  # fmt: skip


def frames(source: Source | None) -> tuple[list[Frame], int]:
    """Frames with times of 90 kHz, and the end of the last."""
    if source is None:
        return [], 0
    rows, track = source.rows, source.track
    delay = max(0, *(rows.dts - rows.cts).tolist())
    durations = rows.duration.tolist()
    if durations[-1] == 0:  # a last frame of no duration lasts as long as the one before
        durations[-1] = next((one for one in reversed(durations) if one), 1)

    def ticks(time: int) -> int:
        return (time - track.edit.origin) * 90_000 // track.timescale

    made = [
        Frame(ticks(dts - delay), ticks(cts), stream, sync or row == 0)
        for row, (dts, cts, stream, sync) in enumerate(
            zip(
                rows.dts.tolist(), rows.cts.tolist(), source.streams, rows.sync.tolist(),
                strict=True,
            )
        )
    ]  # fmt: skip
    return made, ticks(int(rows.dts[-1]) - delay + durations[-1])


def plainly(case: Case) -> bytes:
    video, video_end = frames(case.video)
    audio, audio_end = frames(case.audio)
    frame_ticks, parameter_sets = None, b""
    if case.audio is not None:
        own = case.audio.rows.duration.tolist()
        if len(set(own[:-1])) < 2:
            frame_ticks = own[0] * 90_000 // case.audio.track.timescale
    if case.video is not None:
        config = case.video.track.format.config
        assert isinstance(config, AvcConfig)
        sets = (*config.sps, *config.pps)
        parameter_sets = b"".join(b"\0\0\0\1" + unit for unit in sets)
    return plain_mux(
        case.number, video, audio, parameter_sets=parameter_sets, frame_ticks=frame_ticks,
        video_end=video_end, audio_end=audio_end, has_video=case.has_video,
        program_audio=case.program_audio,
    )  # fmt: skip


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(cases())
@RELAXED
def test_all_at_once_equals_one_at_a_time(case: Case) -> None:
    made, plain = carry_out(planned(case), case.data), plainly(case)
    assert packets_of(made) == packets_of(plain)
    check_stream(made, first=case.number)


@given(cases(), st.data())
@RELAXED
def test_a_slice_of_the_plan_is_a_slice_of_the_bytes(case: Case, data: st.DataObject) -> None:
    case.known = True
    plan = planned(case)
    assert isinstance(plan, Plan)
    whole = carry_out(plan, case.data)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole) + 10))
    assert carry_out(plan.slice(start, stop), case.data) == whole[start:stop]


def test_windows_join() -> None:
    """A segment of several windows: each piece alone, and ranges over their borders."""
    count = 300
    unit = b"\x41" + bytes(range(256)) * 60
    payload = len(unit).to_bytes(4, "big") + unit
    rows = samples([3600] * count, sizes=[len(payload)] * count)
    source = Source(video_track(), rows, [b"\0\0\0\1" + unit] * count, payload * count)
    case = Case(source, None, True, None, 3, source.data, known=True, window=1 << 20)
    plan = planned(case)
    assert isinstance(plan, Plan)
    assert len(plan.pieces) > 4
    whole = carry_out(plan, case.data)
    assert whole == plainly(case)
    border = 0
    for piece in plan.pieces[:-1]:
        border += len(piece)
        for start, stop in ((border - 1, border + 1), (border, border + 188), (5, border)):
            assert carry_out(plan.slice(start, stop), case.data) == whole[start:stop]
