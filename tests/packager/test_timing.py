"""Whole files of every timing: what the tables and the edit list say is what manifests and
segments say.  Each case names its rule; the numbers are worked out beside it by the letter."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest

from packager.hls.media_playlist import media_playlist, target_duration
from packager.index import TrackIndex
from packager.isobmff.box import box
from packager.mpegts.clock import TIME_BASE
from packager.recipe import Choice
from packager.tracks import Kind
from tests.packager.carrying import Packaged
from tests.packager.isobmff.reading import find, names, parse_segment
from tests.packager.mpegts.reading import Pes, parse_stream
from tests.packager.tables import (
    IDR,
    LC_44100_STEREO,
    SLICE,
    Trak,
    counted,
    esds,
    mp4,
    mp4a,
    sized,
)

MOVIE = 90_000


def elst(media_time: int, *, delay: int = 0) -> bytes:
    """Version 1; after *delay* ticks of the movie *media_time* runs to the end."""
    edits = [(delay, -1)] if delay else []
    rows = b"".join(struct.pack(">Qqhh", *edit, 1, 0) for edit in [*edits, (0, media_time)])
    return box(b"elst", struct.pack(">II", 1 << 24, len(edits) + 1), rows)


def video(
    durations: Sequence[int], timescale: int, *, group: int = 25, edits: bytes = b""
) -> Trak:
    """Pictures, shown as they are decoded."""
    rows = range(len(durations))
    return Trak(
        [sized(4, IDR if row % group == 0 else SLICE) for row in rows], b"vide", timescale,
        boxes={
            b"stts": counted(b"stts", *((1, one) for one in durations)),
            b"stss": counted(b"stss", *((row + 1,) for row in rows if row % group == 0)),
        },
        edits=edits,
    )  # fmt: skip


def audio(
    durations: Sequence[int], timescale: int = 48_000, *, edits: bytes = b"",
    entry: bytes | None = None,
) -> Trak:  # fmt: skip
    return Trak(
        [bytes([row % 251]) * 10 for row in range(len(durations))], b"soun", timescale,
        entry or mp4a(esds(LC_44100_STEREO)),
        boxes={b"stts": counted(b"stts", *((1, one) for one in durations))}, edits=edits,
    )  # fmt: skip


def packaged(*traks: Trak, target: int = 6) -> Packaged:
    return Packaged(mp4(*traks, timescale=MOVIE), target=Fraction(target))


def of(made: Packaged, kind: Kind) -> TrackIndex:
    [found] = made.flavors[0].of_kind(kind)
    return found


def lists(made: Packaged) -> dict[str, list[float]]:
    """EXTINFs of each rendition, of which none is longer than the target (rule P-02)."""
    renditions = made.presentation().renditions
    target = target_duration([one.timeline for one in renditions])
    found = {}
    for one in renditions:
        text = media_playlist(one.timeline, str, target=target)
        times = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF")]
        assert all(0 < time < target + 0.5 for time in times)
        found[one.name] = times
    return found


def pictures_of(stream: bytes) -> list[Pes]:
    return [pes for pes in parse_stream(stream)[1] if pes.pid == 0x100]


# -- C-05 and C-04: priming, and sound that is cut on its own grid

HE_AAC = bytes.fromhex("eb098800")
"""Explicit signalling: SBR, 24 kHz to 48 kHz, stereo."""


def opus_entry() -> bytes:
    dops = box(b"dOps", struct.pack(">BBHIhB", 0, 2, 312, 48_000, 0, 0))
    fields = struct.pack(">HHIHHII", 0, 0, 0, 2, 16, 0, 48_000 << 16)
    return box(b"Opus", bytes(6), b"\0\1", fields, dops)


PRIMED = {  # sample entry, timescale, frame, media time
    "AAC, one frame": (mp4a(esds(LC_44100_STEREO)), 44_100, 1024, 1024),
    "AAC, Apple's": (mp4a(esds(LC_44100_STEREO)), 44_100, 1024, 2112),
    "AAC, less than a frame": (mp4a(esds(LC_44100_STEREO)), 44_100, 1024, 1),
    "HE-AAC": (mp4a(esds(HE_AAC)), 48_000, 2048, 5058),
    "HE-AAC in ticks of its core": (mp4a(esds(HE_AAC)), 24_000, 1024, 2529),
    "Opus": (opus_entry(), 48_000, 960, 312),
    "Opus, 6.5 ms, frames of 20 ms": (opus_entry(), 48_000, 960, 3840),
    "none": (mp4a(esds(LC_44100_STEREO)), 44_100, 1024, 0),
}


@pytest.mark.parametrize("with_video", [True, False], ids=["beside video", "alone"])
@pytest.mark.parametrize(("entry", "scale", "frame", "priming"), PRIMED.values(), ids=PRIMED)
def test_priming(entry: bytes, scale: int, frame: int, priming: int, with_video: bool) -> None:
    """Kept, in the first segment and before zero; frame ceil((T x rate + media time) / frame)
    begins the segment of T."""
    count = 20 * scale // frame
    sound = audio([frame] * count, scale, edits=elst(priming), entry=entry)
    film = [video([40] * 500, 1000)] if with_video else []
    made = packaged(*film, sound)
    track = of(made, Kind.AUDIO)
    assert track.lead == priming
    cuts = made.cuts(track)
    assert [int(time) for time in made.recipe.times] == [6, 12, 18]
    firsts = [0, *(-(-(at * scale + priming) // frame) for at in (6, 12, 18))]
    assert [row for row, _ in cuts.rows] == firsts
    assert cuts.starts == (0, *(first * frame - priming for first in firsts[1:]))
    init, *segments = made.cmaf(track)
    trak = find(init, "moov", "trak")
    assert ("edts" in names(trak)) is bool(priming)
    if priming:
        assert struct.unpack(">i", find(trak, "edts", "elst")[12:16]) == (priming,)
    assert [parse_segment(one).decode_time for one in segments] == [
        first * frame for first in firsts
    ]


@pytest.mark.parametrize(("scale", "priming"), [(44_100, 1024), (44_100, 2112), (24_000, 2529)])
def test_priming_has_a_time_before_the_picture_in_ts(scale: int, priming: int) -> None:
    """Rule T-05: floor of the exact time, each by itself."""
    count = 8 * scale // 1024
    made = packaged(video([40] * 200, 1000), audio([1024] * count, scale, edits=elst(priming)))
    found = parse_stream(b"".join(made.ts()))[1]
    assert next(pes.pts for pes in found if pes.pid == 0x100) == TIME_BASE
    first = next(pes.pts for pes in found if pes.pid == 0x101)
    assert first == TIME_BASE + -priming * 90_000 // scale


# -- C-02: tables as writers leave them


def test_variable_frame_rate() -> None:
    """Each picture lasts as long as the table says, and boundaries are those of sync
    samples."""
    durations = [20 + 13 * (row % 7) for row in range(400)]
    made = packaged(video(durations, 1000), target=2)
    track = of(made, Kind.VIDEO)
    starts = list(accumulate(durations, initial=0))
    cuts = made.cuts(track)
    assert all(start in starts[::25] for start in cuts.starts)
    segments = [parse_segment(one) for one in made.cmaf(track)[1:]]
    assert [one.decode_time for one in segments] == list(cuts.starts)
    assert [row.duration for one in segments for row in one.rows] == durations
    [extinf] = lists(made).values()
    assert sum(extinf) == pytest.approx(starts[-1] / 1000)
    times = [pes.pts - TIME_BASE for pes in pictures_of(b"".join(made.ts()))]
    assert times == [90 * start for start in starts[:-1]]


LASTING = {
    "one picture": [40] * 99 + [0] + [40] * 100,
    "every other": [80, 0] * 100,
    "the first": [0] + [40] * 199,
    "the last": [40] * 199 + [0],
    "those at a boundary": [40] * 49 + [0, 0] + [40] * 149,
    "all": [0] * 200,
}


@pytest.mark.parametrize("durations", LASTING.values(), ids=LASTING)
def test_samples_that_last_nothing(durations: list[int]) -> None:
    """All are sent, in order, and no segment lasts nothing (rule D-05); where all are presented
    at zero, those from the last sync sample on."""
    made = packaged(video(durations, 1000), audio([1024] * 400), target=2)
    for track in made.flavors[0].tracks:
        cuts = made.cuts(track)
        assert all(a < b for a, b in pairwise((*cuts.starts, cuts.end)))
        segments = [parse_segment(one) for one in made.cmaf(track)[1:]]
        assert sum(len(one.rows) for one in segments) == track.count
        for one, after in pairwise(segments):
            assert one.decode_time + sum(row.duration for row in one.rows) == after.decode_time
    lists(made)
    assert len(pictures_of(b"".join(made.ts()))) == (200 if any(durations) else 25)


def test_sizes_without_times_are_left_out_and_told() -> None:
    film = video([40] * 200, 1000)
    film.boxes[b"stts"] = counted(b"stts", (150, 40))
    made = packaged(film, audio([1024] * 400))
    assert made.flavors[0].left_out == ("track 1: stts: 50 samples have no time",)
    assert of(made, Kind.VIDEO).count == 150
    assert len(pictures_of(b"".join(made.ts()))) == 150


def test_times_without_sizes_are_nothing() -> None:
    film = video([40] * 200, 1000)
    film.boxes[b"stts"] = counted(b"stts", (2**32 - 1, 40))
    made = packaged(film)
    assert made.flavors[0].left_out == ()
    assert of(made, Kind.VIDEO).count == 200


# -- C-01: tracks that begin and end apart


@dataclass(frozen=True)
class Apart:
    """Seconds."""

    picture: tuple[float, float] = (0, 20)
    """Begin and end."""

    sound: tuple[float, float] = (0, 20)

    def encode(self) -> Packaged:
        film = video(
            [40] * round((self.picture[1] - self.picture[0]) * 25), 1000,
            edits=elst(0, delay=round(self.picture[0] * MOVIE)),
        )  # fmt: skip
        count = round((self.sound[1] - self.sound[0]) * 48_000 / 1000)
        sound = audio([1000] * count, edits=elst(0, delay=round(self.sound[0] * MOVIE)))
        return packaged(film, sound)


APART = {
    "together": Apart(),
    "the picture begins late": Apart(picture=(1.5, 21.5)),
    "the sound begins late": Apart(sound=(2.25, 20)),
    "both begin late": Apart((1, 21), (0.5, 21)),
    "the picture begins ten seconds late": Apart(picture=(10, 30)),
    "the sound begins ten seconds late": Apart(sound=(10, 20)),
    "the sound is ten seconds longer": Apart(sound=(0, 30)),
    "the sound is ten seconds shorter": Apart(sound=(0, 10)),
    "the sound ends a frame later": Apart(sound=(0, 20.02)),
    "the sound ends a frame before a boundary": Apart(sound=(0, 17.98)),
    "they share nothing": Apart((0, 8), (12, 20)),
}


@pytest.mark.parametrize("case", APART.values(), ids=APART)
def test_tracks_that_begin_and_end_apart(case: Apart) -> None:
    """C-01, C-07, P-04: each list says when its media is; nothing is cut short or overlaps."""
    made = case.encode()
    lists(made)
    for kind, (begin, end) in ((Kind.VIDEO, case.picture), (Kind.AUDIO, case.sound)):
        track = of(made, kind)
        cuts = made.cuts(track)
        scale = track.track.timescale
        assert cuts.starts[0] == round(begin * scale)
        assert cuts.end == pytest.approx(end * scale, abs=0.03 * scale)
        segments = [parse_segment(one) for one in made.cmaf(track)[1:]]
        times = [one.decode_time - track.lead for one in segments]
        assert times == list(cuts.starts)
        for one, after in pairwise(segments):
            assert one.decode_time + sum(row.duration for row in one.rows) == after.decode_time
    found = parse_stream(b"".join(made.ts()))[1]
    for pid, (begin, end) in ((0x100, case.picture), (0x101, case.sound)):
        times = [(pes.pts - TIME_BASE) / 90_000 for pes in found if pes.pid == pid]
        assert times[0] == pytest.approx(begin, abs=1e-4)
        assert end - 0.25 < times[-1] < end


# -- C-08: whole numbers in any timescale

SCALES = [8, 24, 30, 1000, 7919, 600_011, 1_000_003, 12_288, 30_000, 23_040_000, 10_000_000]


@pytest.mark.parametrize("scale", SCALES)
def test_timescales(scale: int) -> None:
    """A quarter of a minute at the rate that the scale allows: tfdt is the sum of durations,
    PTS its floor at 90 kHz, EXTINF the difference of rounded times (rules S-04, T-04, P-03)."""
    frame = max(1, scale // 25)
    count = 15 * scale // frame
    group = max(1, 2 * scale // frame)
    made = packaged(video([frame] * count, scale, group=group), target=2)
    track = of(made, Kind.VIDEO)
    cuts = made.cuts(track)
    firsts = [row for row, _ in cuts.rows]
    wanted, at = [0], 1
    for row in range(group, count, group):
        if row * frame >= 2 * at * scale:
            wanted.append(row)
            at = row * frame // (2 * scale) + 1
    assert firsts == wanted
    assert cuts.starts == tuple(row * frame for row in firsts)
    segments = [parse_segment(one) for one in made.cmaf(track)[1:]]
    assert [one.decode_time for one in segments] == list(cuts.starts)
    times = [pes.pts - TIME_BASE for pes in pictures_of(b"".join(made.ts()))]
    assert times == [row * frame * 90_000 // scale for row in range(count)]
    [extinf] = lists(made).values()
    ends = [Fraction(start, scale) for start in (*cuts.starts, cuts.end)]
    for at, end in enumerate(ends):
        assert abs(sum(extinf[:at]) - end) < 1e-6 * (at + 1)


@pytest.mark.parametrize("scale", [8000, 44_100, 48_000, 90_000, 10_000_000])
def test_sound_beside_a_coarse_picture(scale: int) -> None:
    """C-04: the picture's boundaries, to the first frame of sound."""
    frame = scale // 50
    made = packaged(video([1] * 160, 8, group=20), audio([frame] * 1000, scale), target=5)
    track = of(made, Kind.AUDIO)
    times = list(made.recipe.times)
    assert times == [5, 10, 15]
    rows = [row for row, _ in made.cuts(track).rows]
    assert rows == [0, *(-(-int(time * scale) // frame) for time in times)]


def test_a_track_alone_is_the_same_as_beside_another() -> None:
    """C-03: its segments follow the video whichever way they are asked for."""
    made = packaged(video([40] * 500, 1000), audio([1024] * 900, edits=elst(1024)))
    both = [pes for pes in parse_stream(b"".join(made.ts()))[1] if pes.pid == 0x100]
    alone = pictures_of(b"".join(made.ts(Choice(1, video=1))))
    assert [(pes.pts, pes.data) for pes in both] == [(pes.pts, pes.data) for pes in alone]
