"""Two hours in an object store: how many requests the first segment takes, and ingest."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from metadata.engine import open_writer
from origin.ingest.program import ingest
from origin.storage.remote import Limits
from tests.origin.inside import Origin, take
from tests.support.clips import make_clip
from tests.support.http import Cut
from tests.support.s3 import BUCKET, ObjectServer, object_server

HOURS = 2
TURN = 20
"""Seconds."""
GET, HEAD = ("GET", f"/{BUCKET}/long.mp4"), ("HEAD", f"/{BUCKET}/long.mp4")
STORES = (f"s3://{BUCKET}",)


def make_long(path: Path, clip: Path, seconds: int) -> Path:
    """*clip*, which is a little shorter than ``TURN``, again and again; moov first."""
    with av.open(str(clip)) as source:
        packets = [packet for packet in source.demux() if packet.dts is not None]
        with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
            streams = {
                one.index: output.add_stream_from_template(one) for one in source.streams
            }
            places = [(p, p.pts, p.dts, p.stream.index, p.time_base) for p in packets]
            for turn in range(seconds // TURN + 1):
                for packet, pts, dts, number, base in places:
                    late = round(turn * TURN / base)
                    packet.pts, packet.dts, packet.time_base = pts + late, dts + late, base
                    packet.stream = streams[number]
                    output.mux(packet)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    clip = make_clip(folder / "clip.mp4", width=64, height=36, seconds=TURN - 1)
    return make_long(folder / "long.mp4", clip, HOURS * 3600)


@pytest.fixture(scope="module")
def server(long: Path) -> Iterator[ObjectServer]:
    with object_server() as one:
        one.put("long.mp4", long)
        yield one


@pytest.fixture
def objects(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.requests()
    return server


def test_requests_of_a_cold_first_segment(
    objects: ObjectServer, long: Path, start: Callable[..., Origin], tmp_path: Path
) -> None:
    """Two with the stored index.  Without it three, as moov is first: the answer that tells
    what the object is goes on to the end of moov, one looks at the last sample, and one is
    the segment.  Then one a segment; bytes are those of the file."""
    found = take(tmp_path / "data", f"s3://{BUCKET}/long.mp4")[0]
    assert found["path"] == f"s3://{BUCKET}/long.mp4"
    assert found["duration_ms"] > HOURS * 3600 * 1000
    asked = objects.requests()
    spans = long.stat().st_size // Limits().span + 1
    assert asked[0] == HEAD and set(asked[1:]) == {GET}
    assert len(asked) <= 1 + spans + 2

    local = take(tmp_path / "plain", long)[0]["entry"]
    plain = start(data=tmp_path / "plain")
    for index in (True, False):
        if not index:
            engine = open_writer(tmp_path / "data")
            with engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM flavor_index_block")
                connection.exec_driver_sql("DELETE FROM flavor_index")
            engine.dispose()
        one = start(object_stores=STORES)
        body = one.get(f"/hls/e/{found['entry']}/seg-1-f1-v1-a1.ts")
        assert objects.requests() == ([HEAD, GET] if index else [GET] * 3)
        assert body == plain.get(f"/hls/e/{local}/seg-1-f1-v1-a1.ts")
        one.get(f"/hls/e/{found['entry']}/seg-900-f1-v1-a1.ts")
        assert objects.requests() == [GET]
        assert one.indexes.parsed == (not index)


def test_the_same_object_again_changes_nothing(
    objects: ObjectServer, clips: Path, tmp_path: Path
) -> None:
    address = objects.put("a.mp4", clips / "a.mp4")
    first = take(tmp_path / "data", address)
    objects.requests()
    assert take(tmp_path / "data", address) == first
    assert objects.requests() == [("HEAD", f"/{BUCKET}/a.mp4")]
    objects.put("a.mp4", clips / "b.mp4")
    again = take(tmp_path / "data", address)[0]
    assert (again["flavor"], again["version"]) == (first[0]["flavor"], 2)


def test_an_object_that_was_replaced_is_not_mixed(
    objects: ObjectServer, clips: Path, start: Callable[..., Origin], tmp_path: Path
) -> None:
    """The response in which it is noticed is cut off.  After that a copy, which is of the same
    tables, is served, and anything else is not."""
    address = objects.put("b.mp4", clips / "b.mp4")
    entry = take(tmp_path / "data", address)[0]["entry"]
    one = start(object_stores=STORES)
    path = f"/hls/e/{entry}/seg-1-f1-v1-a1.ts"
    whole = one.get(path)
    data = bytearray((clips / "b.mp4").read_bytes())
    data[-1] ^= 1
    objects.put("b.mp4", bytes(data))
    with pytest.raises(Cut):
        one.ask(path)
    assert one.get(path) == whole
    objects.put("b.mp4", clips / "c.mp4")
    with pytest.raises(Cut):
        one.ask(path)
    assert one.ask(path).status == 503


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"s3://{BUCKET}/none.mp4", "no such object"),
        ("s3://nowhere/none.mp4", "no such object"),
        (f"s3://{BUCKET}/text.mp4", "ftyp"),
    ],
)
def test_an_address_that_is_refused(
    objects: ObjectServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str,
    reason: str,
) -> None:  # fmt: skip
    objects.put("text.mp4", b"no film\n" * 1000)
    order = {"entry": None, "partner": 101, "name": None, "replace": None, "as_json": True}
    assert ingest((address,), tmp_path / "data", **order) == 1  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert address in said and reason in said and said.count("\n") == 1


def test_a_source_that_is_not_allowed(
    objects: ObjectServer, clips: Path, start: Callable[..., Origin], tmp_path: Path
) -> None:
    address = objects.put("c.mp4", clips / "c.mp4")
    entry = take(tmp_path / "data", address)[0]["entry"]
    objects.requests()
    answer = start().ask(f"/hls/e/{entry}/seg-1-f1-v1-a1.ts")
    assert answer.status == 503 and "allowed" in answer.headers["x-headrace-error"]
    assert BUCKET not in answer.headers["x-headrace-error"] and not objects.requests()
