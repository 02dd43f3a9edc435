"""A part of a file as a file, as FFmpeg reads it: pictures, sound and times of the source."""

import hashlib
import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from packager.errors import UnknownSegment
from packager.excerpt import excerpt
from packager.index import FlavorIndex
from packager.isobmff.progressive import Part, progressive
from packager.plan import Plan
from packager.recipe import run_needs
from packager.tracks import Kind
from tests.packager.carrying import index_of
from tests.packager.generated import CLIPS, encoded
from tests.packager.tables import indexed, samples, video_track
from tests.packager.test_equality import ACCEPTED, DAMAGED, MOVED


def planned(index: FlavorIndex, start: int | None, stop: int | None) -> Plan:
    needs = excerpt(1, index.tracks, start, stop)
    return run_needs(needs, lambda wanted: index.blocks[index.tracks.index(wanted.track)])


def carried_out(plan: Plan, data: bytes) -> bytes:
    parts = []
    for piece in plan:
        if isinstance(piece, bytes):
            parts.append(piece)
        else:
            parts += [data[run.offset : run.offset + run.length] for run in piece]
    return b"".join(parts)


def pictures(data: bytes) -> list[tuple[Fraction, str]]:
    """When each is presented, seconds, and its hash."""
    found = []
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None and frame.time_base is not None
            content = frame.to_ndarray().tobytes()
            found.append((frame.pts * frame.time_base, hashlib.md5(content).hexdigest()))
    return sorted(found)


def heard(data: bytes) -> Fraction:
    """Seconds of decoded sound."""
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
        return sum((Fraction(one.samples, one.sample_rate) for one in frames), Fraction(0))


def length(index: FlavorIndex) -> Fraction:
    return min(Fraction(one.end - one.origin, one.track.timescale) for one in index.tracks)


def compare(data: bytes) -> None:
    index = index_of(data)
    whole = length(index)
    start, stop = int(whole * 1000 / 3), int(whole * 2000 / 3)
    made = carried_out(planned(index, start, stop), data)
    begin, end = Fraction(start, 1000), Fraction(stop, 1000)
    kinds = {track.kind for track in index.tracks}
    if Kind.VIDEO in kinds:
        every = pictures(data)
        begin = max(at for at, _ in every if at <= begin)
        wanted = [(at - begin, name) for at, name in every if begin <= at < end]
        found = pictures(made)
        assert [name for _, name in found] == [name for _, name in wanted]
        slack = Fraction(2, 1000)
        assert all(abs(a - b) <= slack for (a, _), (b, _) in zip(found, wanted, strict=True))
    # Of E-AC-3 with several frames in a sample FFmpeg hears the first.
    if Kind.AUDIO in kinds and heard(data) > whole / 2:
        assert abs(heard(made) - (end - begin)) < Fraction(1, 10)


@pytest.mark.parametrize("name", CLIPS)
def test_generated_file(name: str) -> None:
    compare(encoded(name))


@pytest.mark.parametrize("name", [one for one in ACCEPTED if one not in {*DAMAGED, *MOVED}])
def test_real_file(name: str, media_dir: Path) -> None:
    compare((media_dir / name).read_bytes())


def test_the_whole_and_what_lies_behind_it() -> None:
    data = encoded("b_frames")
    index = index_of(data)
    assert pictures(carried_out(planned(index, None, None), data)) == pictures(data)
    assert pictures(carried_out(planned(index, 0, 10**9), data)) == pictures(data)
    with pytest.raises(UnknownSegment, match="behind the end"):
        planned(index, 10**9, None)


def test_a_file_beyond_4_gib_has_64_bit_offsets() -> None:
    index = index_of(encoded("b_frames"))
    [track] = index.of_kind(Kind.VIDEO)
    samples = track.samples(0, track.count, index.blocks[index.tracks.index(track)])
    object.__setattr__(samples, "size", np.full(len(samples), (1 << 32) // len(samples) + 1))
    plan = progressive([Part(track, samples, 0, track.end)])
    head = plan.pieces[0]
    assert isinstance(head, bytes) and b"co64" in head and b"stco" not in head
    assert len(plan) == len(head) + int(samples.size.sum())
    assert head[-16:-8] == b"\0\0\0\1mdat"


@pytest.mark.parametrize(("start", "stop"), [(None, None), (0, 1000), (200, 1000)])
def test_pictures_that_are_composed_before_they_are_decoded(
    start: int | None, stop: int | None
) -> None:
    """An edit cannot begin before the media: a media time of -1 would be an empty edit, and
    the pictures would come a whole film later."""
    rows = samples([1] * 50, offsets=[-2] * 50)
    track, blocks = indexed(video_track(timescale=25), rows)
    plan = run_needs(excerpt(1, (track,), start, stop), lambda _: blocks)
    head = plan.pieces[0]
    assert isinstance(head, bytes)
    edits = head.index(b"elst") + 8
    count, _, media_time = struct.unpack_from(">IIi", head, edits)
    assert (count, media_time) == (1, 0)
    # ctts: all are shown when they are decoded
    assert b"ctts" not in head
