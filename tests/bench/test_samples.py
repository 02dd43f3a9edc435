"""The sample flavors: equal times and groups, B-frames, and a beep where the flash is."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from bench.samples import FLAVORS, make_samples
from bench.samples.picture import FRAME_RATE, GROUP, flashes, time_code

SECONDS = 4


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_samples(tmp_path_factory.mktemp("samples"), SECONDS, lambda name, share: None)


def packets(path: Path) -> list[av.Packet]:
    with av.open(str(path)) as source:
        return [packet for packet in source.demux(video=0) if packet.size]


def luma(path: Path) -> list[npt.NDArray[np.uint8]]:
    """The frames of a sample without their colours, in order of presentation."""
    with av.open(str(path)) as source:
        width, height = source.streams.video[0].width, source.streams.video[0].height
        frames = [frame.to_ndarray(format="gray") for frame in source.decode(video=0)]
    assert {frame.shape for frame in frames} == {(height, width)}
    return frames


def sound(path: Path) -> npt.NDArray[np.float32]:
    """One channel, from presentation time zero on."""
    with av.open(str(path)) as source:
        pieces = [(frame.pts, frame.to_ndarray()[0]) for frame in source.decode(audio=0)]
    assert pieces[0][0] == 0  # the edit list takes the priming out
    return np.concatenate([piece for _, piece in pieces])


def test_flavors_differ_in_size_and_bit_rate_alone(samples: list[Path]) -> None:
    for path, flavor in zip(samples, FLAVORS, strict=True):
        with av.open(str(path)) as source:
            video, audio = source.streams.video[0], source.streams.audio[0]
            assert (video.width, video.height) == (flavor.width, flavor.height)
            assert video.average_rate == FRAME_RATE
            assert float(video.duration * video.time_base) == SECONDS
            assert (audio.profile, audio.sample_rate, audio.channels) == ("LC", 48_000, 2)
            assert float(audio.duration * audio.time_base) == SECONDS
        size = sum(packet.size for packet in packets(path))
        assert 8 * size / SECONDS == pytest.approx(flavor.bitrate, rel=0.3)


def test_groups_are_closed_aligned_and_have_b_frames(samples: list[Path]) -> None:
    times = [[packet.pts for packet in packets(path)] for path in samples]
    assert times[0] == times[1] == times[2]
    assert times[0] != sorted(times[0])  # B-frames
    keys = [number for number, packet in enumerate(packets(samples[0])) if packet.is_keyframe]
    assert keys == list(range(0, SECONDS * FRAME_RATE, GROUP))
    for key in keys:
        assert min(times[0][key:]) == times[0][key], "a frame reaches back over the group"
        assert packets(samples[0])[key].pts == key * packets(samples[0])[0].duration


def test_the_beep_sounds_while_the_flash_is_seen(samples: list[Path]) -> None:
    pictures, track = luma(samples[2]), sound(samples[2])
    corner = [frame[40:160, 1110:1240].mean() > 200 for frame in pictures]
    assert corner == [flashes(number) for number in range(len(pictures))]
    per_frame = 48_000 // FRAME_RATE
    levels = np.abs(track[: len(pictures) * per_frame].reshape(-1, per_frame)).mean(axis=1)
    assert (levels > 0.1).tolist() == corner


def test_the_moov_box_comes_first(samples: list[Path]) -> None:
    for path in samples:
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


def test_whole_files_are_taken_as_they_are(samples: list[Path]) -> None:
    before = [path.stat().st_mtime_ns for path in samples]
    told: list[tuple[str, float]] = []
    again = make_samples(samples[0].parent, SECONDS, lambda *report: told.append(report))
    assert again == samples
    assert [path.stat().st_mtime_ns for path in again] == before
    assert told == [(path.name, 1.0) for path in samples]


def test_a_run_that_breaks_off_leaves_nothing_that_a_later_one_would_take(
    tmp_path: Path,
) -> None:
    def break_off(name: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_samples(tmp_path, 2, break_off)
    assert list(tmp_path.iterdir()) == []


def test_the_same_sample_has_the_same_bytes(samples: list[Path], tmp_path: Path) -> None:
    again = make_samples(tmp_path, SECONDS, lambda name, share: None)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in samples]


def test_time_codes_count_frames() -> None:
    assert time_code(0) == "00:00:00:00"
    assert time_code(((1 * 60 + 2) * 60 + 3) * FRAME_RATE + 24) == "01:02:03:24"
