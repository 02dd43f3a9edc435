"""What FFmpeg writes as Matroska and WebM, against its own reading of it."""

import io
from fractions import Fraction

import av
import pytest

from packager.errors import MalformedElement, PackagerError, Unsupported
from packager.tracks import Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.isobmff.reading import parse_segment
from tests.packager.matroska.generated import FILES, LEFT_OUT, made
from tests.packager.test_equality import compare

ROUNDING = Fraction(1, 1000)
"""Of a timestamp: a tick of the segment."""


def packets(data: bytes, kind: Kind, number: int) -> tuple[list[bytes], list[Fraction]]:
    """FFmpeg's: bytes and presentation times."""
    with av.open(io.BytesIO(data)) as container:
        found = [one for one in container.demux(**{kind.value: number - 1}) if one.size]
        times = [one.pts * one.time_base for one in found]
        return [bytes(one) for one in found], times


@pytest.mark.parametrize("name", FILES)
def test_access_units_and_times_are_the_source_s(name: str) -> None:
    data = made(name)
    packaged = Packaged(data)
    flavor = packaged.flavors[0]
    assert [track.track.format.codec for track in flavor.tracks] == FILES[name][2]
    for track in flavor.tracks:
        units, times = packets(data, track.kind, track.number)
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


@pytest.mark.parametrize("name", FILES)
def test_what_goes_in_comes_out(name: str) -> None:
    """Pictures, sound and their times as FFmpeg reads them, to the tick of the file."""
    compare(made(name), name, rounding=ROUNDING)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_codecs_that_are_not_carried(name: str) -> None:
    with pytest.raises(Unsupported) as error:
        index_of(made(name))
    assert str(error.value).startswith(LEFT_OUT[name][1]), str(error.value)


def test_languages() -> None:
    tracks = index_of(made("languages.mkv")).of_kind(Kind.AUDIO)
    assert [track.track.language for track in tracks] == ["de", "fr"]


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
