"""Packed audio: the frames of MPEG-TS behind one time stamp, and sizes that are declared."""

import io

import av
import pytest

from packager.codecs.carried import CarriedAudio
from packager.hls.packed_audio import packed_segment, packed_sizes
from packager.mpegts.segment import carried
from packager.tracks import Edit
from tests.packager.carrying import carry_out
from tests.packager.tables import AC3, EAC3, MP3, audio_track, indexed, samples

OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
FRAME = b"\x0b\x77" + bytes(40)


@pytest.mark.parametrize("config", [None, AC3, EAC3, MP3], ids=["AAC", "AC-3", "E-AC-3", "MP3"])
def test_a_tag_and_frames(config: CarriedAudio | None) -> None:
    """Frames lie in three runs; the second half is the segment."""
    count = 600
    positions = [row * len(FRAME) + 5 * (row // 200) for row in range(count)]
    track = audio_track(carried=config, edit=Edit(1024))
    rows = samples([1024] * count, sizes=[len(FRAME)] * count, positions=positions)
    index, blocks = indexed(track, rows)
    data = b"".join((b"" if row % 200 or not row else bytes(5)) + FRAME for row in range(count))
    plan = packed_segment(index, index.samples(300, count, blocks))
    made = carry_out(plan, data)
    assert len(plan) == len(made)
    assert packed_sizes(index, [(300, count)], index.sizes(blocks)) == [len(made)]
    assert carry_out(plan.slice(70, 500), data) == made[70:500]
    assert made[:10] == b"ID3\4\0\0\0\0\0\x3f"
    assert made[10:20] == b"PRIV\0\0\0\x35\0\0"
    assert made[20:65] == OWNER
    assert int.from_bytes(made[65:73], "big") == 900_000 + 299 * 1024 * 90_000 // 44_100
    header = len(carried(index).frame_header)
    size = header + len(FRAME)
    assert len(made) == 73 + 300 * size
    for at in range(73, len(made), size):
        assert made[at + header : at + size] == FRAME
        if header:
            assert int.from_bytes(made[at + 3 : at + 6], "big") >> 5 & 0x1FFF == size


def test_ffmpeg_reads_the_time() -> None:
    track = audio_track()
    index, blocks = indexed(track, samples([1024] * 4, sizes=[len(FRAME)] * 4))
    made = carry_out(packed_segment(index, index.samples(0, 4, blocks)), FRAME * 4)
    with av.open(io.BytesIO(made), format="aac") as container:
        assert len([one for one in container.demux() if one.size]) == 4
