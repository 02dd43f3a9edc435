"""What FFmpeg writes as Matroska and WebM, against its own reading of it."""

import io
import subprocess
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest

from packager.errors import MalformedElement, PackagerError
from packager.index import TrackIndex
from packager.tracks import Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.isobmff.reading import parse_segment

PICTURES = "-f lavfi -i testsrc2=s=160x90:r=RATE:d=7"
AVC = "-c:v libx264 -preset veryfast"
SOUND = "-f lavfi -i sine=f=440:d=7:r=48000"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25"
VP8 = "-c:v libvpx -deadline realtime -cpu-used 8 -g 25"

# Name: arguments of ffmpeg, and the codec strings that come of it.
FILES = {
    "avc_aac.mkv": (
        f"{PICTURES} {SOUND} {AVC} -bf 3 -g 25 -c:a aac", "25",
        ["avc1.64000b", "mp4a.40.2"],
    ),
    "avc_23.976.mkv": (
        f"{PICTURES} {AVC} -bf 2 -g 24", "24000/1001", ["avc1.64000a"]
    ),
    "vp9_opus.webm": (
        f"{PICTURES} {SOUND} {VP9} -c:a libopus", "30000/1001", ["vp09.00.10.08", "Opus"]
    ),
    "vp8_opus.webm": (
        f"{PICTURES} {SOUND} {VP8} -c:a libopus", "25", ["vp08.00.10.08", "Opus"]
    ),
    "live.webm": (
        f"{PICTURES} {SOUND} {VP9} -c:a libopus -f webm -live 1", "25",
        ["vp09.00.10.08", "Opus"]
    ),
    "flac.mkv": (f"{SOUND} -c:a flac", "", ["fLaC"]),
    "ac3.mkv": (f"{SOUND} -c:a ac3", "", ["ac-3"]),
    "eac3.mkv": (f"{SOUND} -c:a eac3", "", ["ec-3"]),
    "mp3.mkv": (f"{SOUND} -c:a libmp3lame", "", ["mp4a.6B"]),
    "alac.mkv": (f"{SOUND} -c:a alac", "", ["alac"]),
}  # fmt: skip
ROUNDING = Fraction(1, 1000)
"""Of a timestamp: a tick of the segment."""


@cache
def made(name: str) -> bytes:
    arguments, rate, _ = FILES[name]
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        command = ["ffmpeg", "-v", "error", *arguments.replace("RATE", rate).split(), str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path.read_bytes()


def packets(data: bytes, kind: Kind) -> tuple[list[bytes], list[Fraction]]:
    """FFmpeg's: bytes and presentation times."""
    with av.open(io.BytesIO(data)) as container:
        found = [one for one in container.demux(**{kind.value: 0}) if one.size]
        times = [one.pts * one.time_base for one in found]
        return [bytes(one) for one in found], times


def carried(packaged: Packaged, track: TrackIndex) -> bytes:
    return b"".join(packaged.cmaf(track))


@pytest.mark.parametrize("name", FILES)
def test_access_units_and_times_are_the_source_s(name: str) -> None:
    data = made(name)
    packaged = Packaged(data)
    flavor = packaged.flavors[0]
    assert [track.track.format.codec for track in flavor.tracks] == FILES[name][2]
    for track in flavor.tracks:
        units, times = packets(data, track.kind)
        _, *segments = packaged.cmaf(track)
        samples = [unit for one in segments for unit in parse_segment(one).samples]
        assert samples == units
        blocks = flavor.blocks[flavor.tracks.index(track)]
        rows = track.samples(0, track.count, blocks)
        assert (rows.dts[1:] > rows.dts[:-1]).all()
        assert (rows.cts >= rows.dts).all()
        for cts, time in zip(rows.cts.tolist(), times, strict=True):
            mine = Fraction(cts - track.origin, track.track.timescale)
            assert abs(mine - time) <= ROUNDING


@pytest.mark.parametrize(("name", "rate"), [("avc_23.976.mkv", (24_000, 1001)),
                                            ("vp9_opus.webm", (30_000, 1001))])  # fmt: skip
def test_rounded_times_of_a_constant_rate_are_exact_again(
    name: str, rate: tuple[int, int]
) -> None:
    [track] = index_of(made(name)).of_kind(Kind.VIDEO)
    assert (track.track.timescale, track.uniform_duration) == rate


@pytest.mark.parametrize("name", ["avc_aac.mkv", "vp9_opus.webm", "flac.mkv", "eac3.mkv"])
def test_ffmpeg_decodes_what_is_made(name: str) -> None:
    packaged = Packaged(made(name))
    for track in packaged.flavors[0].tracks:
        with av.open(io.BytesIO(carried(packaged, track))) as container:
            assert sum(1 for _ in container.decode(**{track.kind.value: 0})) >= track.count - 2


CUT = (10, 40, 100, 300, 600, 5_000, 50_000)


@pytest.mark.parametrize("length", CUT)
def test_a_file_cut_short_is_refused_by_name(length: int) -> None:
    with pytest.raises(PackagerError, match=r"^[A-Za-z0-9 -]+: "):
        index_of(made("avc_aac.mkv")[:length])


# What is written over the first place of some bytes, and what is said of it.
HOSTILE = {
    "a timestamp scale of zero": ("2ad7b1830f4240", "2ad7b183000000", "TimestampScale: 0"),
    "a type of file that is another": ("4282886d6174726f736b61", "4282886d6174726f736b62",
                                       "DocType: 'matroskb'"),
    "a cluster longer than its segment": ("1f43b675", "1f43b67508ffffffffffff",
                                          "Cluster: size"),
    "an identifier of five bytes": ("1654ae6b", "0854ae6b", "an element in Segment: "),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_fields_are_refused_by_name(old: str, new: str, said: str) -> None:
    data = bytearray(made("avc_aac.mkv"))
    at = data.rindex(bytes.fromhex(old))
    data[at : at + len(new) // 2] = bytes.fromhex(new)
    with pytest.raises(PackagerError) as error:
        index_of(bytes(data))
    assert str(error.value).startswith(said), str(error.value)


def test_no_track_is_a_malformed_element() -> None:
    with pytest.raises(MalformedElement, match="Tracks: missing"):
        index_of(bytes.fromhex("1a45dfa380") + bytes.fromhex("1853806780"))
