"""Init and media segments, read back box by box (rules I-01 to I-12, S-01 to S-07)."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.errors import Unsupported
from packager.index import TrackIndex
from packager.isobmff.init_segment import init_segment
from packager.isobmff.media_segment import media_segment, segment_sizes
from packager.samples import Samples
from packager.tracks import Edit, Kind, Track, VideoFormat
from tests.packager.carrying import carry_out
from tests.packager.isobmff.reading import boxes, find, names, parse_segment
from tests.packager.tables import audio_track, indexed, pictures, samples, sounds, video_track

STBL = ("moov", "trak", "mdia", "minf", "stbl")


@pytest.mark.parametrize("index", [pictures(50, 25), sounds(50)], ids=["video", "audio"])
def test_an_init_segment_is_a_cmaf_header(index: TrackIndex) -> None:
    init = init_segment(index)
    is_video = index.kind is Kind.VIDEO
    assert names(init) == ["ftyp", "moov"]
    assert find(init, "ftyp") == b"cmfc" + bytes(4) + b"iso6cmfc"  # minor version 0
    assert names(find(init, "moov")) == ["mvhd", "trak", "mvex"]
    assert names(find(init, "moov", "trak")) == ["tkhd", "mdia"]
    assert names(find(init, "moov", "trak", "mdia")) == ["mdhd", "hdlr", "minf"]
    head = "vmhd" if is_video else "smhd"
    assert names(find(init, *STBL[:-1])) == [head, "dinf", "stbl"]
    assert names(find(init, *STBL)) == ["stsd", "stts", "stsc", "stsz", "stco"]
    for name in ("stts", "stsc", "stco"):
        assert find(init, *STBL, name) == bytes(8)
    assert find(init, *STBL, "stsz") == bytes(12)
    assert find(init, "moov", "mvhd")[12:20] == struct.pack(">II", index.track.timescale, 0)
    tkhd = find(init, "moov", "trak", "tkhd")
    track_id = 1 if is_video else 2
    assert struct.unpack_from(">II", tkhd, 12) == (track_id, 0)
    size = (320 << 16, 180 << 16) if is_video else (0, 0)
    assert struct.unpack_from(">II", tkhd, 76) == size
    assert find(init, "moov", "mvex", "trex")[4:12] == struct.pack(">II", track_id, 1)


def test_the_edit_list_takes_out_what_is_before_zero() -> None:
    """One entry, open, at rate 1 (rule I-07)."""
    init = init_segment(sounds(50, edit=Edit(1024)))
    assert names(find(init, "moov", "trak")) == ["tkhd", "edts", "mdia"]
    elst = find(init, "moov", "trak", "edts", "elst")
    assert elst == struct.pack(">IIIihh", 0, 1, 0, 1024, 1, 0)


def test_long_priming_takes_a_wide_edit_list() -> None:
    init = init_segment(sounds(2**12, duration=2**20, edit=Edit(2**31)))
    elst = find(init, "moov", "trak", "edts", "elst")
    assert elst == struct.pack(">IIQqhh", 1 << 24, 1, 0, 2**31, 1, 0)


LANGUAGES = {None: ("und", None), "de": ("und", b"de"), "gsw": ("gsw", b"gsw")}


@pytest.mark.parametrize(("language", "said"), LANGUAGES.items())
def test_language(language: str | None, said: tuple[str, bytes | None]) -> None:
    track = audio_track()
    track = Track(2, track.format, track.timescale, track.edit, language)
    mdia = find(init_segment(indexed(track, samples([1024] * 3))[0]), "moov", "trak", "mdia")
    (packed,) = struct.unpack_from(">H", find(mdia, "mdhd"), 20)
    assert "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0)) == said[0]
    if said[1] is not None:
        assert find(mdia, "elng") == bytes(4) + said[1] + b"\0"
    else:
        assert "elng" not in names(mdia)


def test_wide_pixels_and_rotation_are_kept() -> None:
    form = video_track().format
    assert isinstance(form, VideoFormat)
    matrix = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    turned = VideoFormat(form.config, 720, 576, Fraction(16, 11), None, matrix)
    index, _ = indexed(Track(1, turned, 25), samples([1, 1]))
    tkhd = find(init_segment(index), "moov", "trak", "tkhd")
    assert tkhd[40:76] == matrix
    assert struct.unpack_from(">II", tkhd, 76) == (round(720 * 16 / 11 * 65536), 576 << 16)
    entry = find(init_segment(index), *STBL, "stsd")[8 + 8 + 78 :]
    assert dict(boxes(entry))["pasp"] == struct.pack(">II", 16, 11)


durations = st.sampled_from([0, 1, 1001, 2**31 - 1]) | st.just(1001)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Track, Samples]:
    count = draw(st.integers(1, 20))

    def many(one: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(one, min_size=count, max_size=count))

    video = draw(st.booleans())
    origin = draw(st.integers(-5000, 5000))
    track = (video_track if video else audio_track)(timescale=30_000, edit=Edit(origin))
    rows = samples(
        many(durations),
        sizes=many(st.integers(0, 300)),
        offsets=many(st.integers(-3000, 3000)) if video and draw(st.booleans()) else None,
        sync=many(st.booleans()) if video else None,  # type: ignore[arg-type]
        start=draw(st.sampled_from([0, 0, 70_000])),
    )
    return track, rows


@given(tables(), st.data())
def test_segments_are_their_rows(table: tuple[Track, Samples], data: st.DataObject) -> None:
    """trun rows = the source's table, tfdt goes on by durations, sizes are as declared."""
    track, rows = table
    index, blocks = indexed(track, rows)
    media = bytes(range(256)) * 30
    cut = data.draw(st.sets(st.integers(1, index.count)))
    edges = sorted({0, index.count} | cut)
    spans = tuple(zip(edges, edges[1:], strict=False))  # noqa: RUF007
    sizes = segment_sizes(index, spans, rows.size)
    decode_time = None
    for sequence, (start, stop) in enumerate(spans, 1):
        part = index.samples(start, stop, blocks)
        made = carry_out(media_segment(index, part, sequence), media)
        assert len(made) == sizes[sequence - 1]
        segment = parse_segment(made)
        assert segment.sequence == sequence
        assert segment.track_id == (1 if track.kind is Kind.VIDEO else 2)
        decode_time = segment.decode_time if decode_time is None else decode_time
        assert segment.decode_time == decode_time
        decode_time += sum(row.duration for row in segment.rows)
        assert [row.duration for row in segment.rows] == part.duration.tolist()
        assert [row.size for row in segment.rows] == part.size.tolist()
        assert [row.flags == 0x02000000 for row in segment.rows] == part.sync.tolist()
        assert {row.flags for row in segment.rows} <= {0x02000000, 0x01010000}
        shown = segment.decode_time + part.dts - part.dts[0]
        shown = shown + [row.offset for row in segment.rows] - index.lead
        assert shown.tolist() == (part.cts - track.edit.origin).tolist()
        places = zip(part.offset.tolist(), part.size.tolist(), strict=True)
        assert segment.samples == [media[at : at + size] for at, size in places]


def test_what_is_alike_is_said_once() -> None:
    """Audio frames of one length are 4 bytes each in the run."""
    index = sounds(100)
    rows = samples([1024] * 100)
    run = find(carry_out(media_segment(index, rows, 1), bytes(100)), "moof", "traf", "trun")
    assert len(run) == 12 + 4 * 100


def test_more_than_an_mdat_holds_is_refused() -> None:
    rows = samples([1] * 70, sizes=[64 << 20] * 70)
    index, _ = indexed(audio_track(), rows)
    with pytest.raises(Unsupported, match="segment 1: 4697620480 bytes do not fit in one mdat"):
        media_segment(index, rows, 1)
