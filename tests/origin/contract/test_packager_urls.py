"""A packager's protocols over the contract's URLs of files, as sources."""

from collections.abc import Callable
from pathlib import Path

import pytest

from origin.contract.serve_flavor import ServeFlavor, render_serve_flavors
from origin.urls import FlavorsSource, parse_target, render_target
from tests.origin.inside import Origin, take
from tests.support.clips import make_clip

Start = Callable[..., Origin]
P = "p/101/sp/10100/serveFlavor/entryId/0_abcd1234"


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (
            f"/hls/{P}/v/1/flavorId/0_flav0001/name/a.mp4/master.m3u8",
            FlavorsSource(
                "0_abcd1234",
                101,
                (("0_flav0001", 1),),
                f"{P}/v/1/flavorId/0_flav0001/name/a.mp4",
            ),
        ),
        (
            f"/dash/{P}/flavorId/0_flav000,1,2,/name/a.mp4.urlset/manifest.mpd",
            FlavorsSource(
                "0_abcd1234",
                101,
                (("0_flav0001", None), ("0_flav0002", None)),
                f"{P}/flavorId/0_flav000,1,2,/name/a.mp4.urlset",
            ),
        ),
    ],
)
def test_a_source_in_a_url(url: str, source: FlavorsSource) -> None:
    target = parse_target(url)
    assert target.source == source
    assert render_target(target) == url


def source(entry: str, *flavors: str, version: int | None = None, partner: int = 101) -> str:
    several = [
        ServeFlavor(partner=partner, entry=entry, flavor=flavor, version=version)
        for flavor in flavors
    ]
    return render_serve_flavors(several)


def test_all_flavors_of_an_entry(files: list[Path], start: Start, tmp_path: Path) -> None:
    taken = take(tmp_path / "data", *files)
    entry, ids = taken[0]["entry"], [one["flavor"] for one in taken]
    origin = start()
    own = source(entry, *ids)
    assert origin.text(f"/hls/{own}/master.m3u8") == origin.text(f"/hls/e/{entry}/master.m3u8")
    playlist = "index-f2-v1-a1.m3u8"
    segments = origin.media_names(f"/hls/{own}/{playlist}")
    for ours, short in zip(
        segments, origin.media_names(f"/hls/e/{entry}/{playlist}"), strict=True
    ):
        assert origin.get(ours) == origin.get(short)


def test_some_flavors_in_the_order_of_the_url(
    files: list[Path], start: Start, tmp_path: Path
) -> None:
    taken = take(tmp_path / "data", *files)
    entry, ids = taken[0]["entry"], [one["flavor"] for one in taken]
    origin = start()
    master = origin.text(f"/hls/{source(entry, ids[2], ids[0])}/master.m3u8")
    assert [line for line in master.splitlines() if line.startswith("index")] == [
        "index-f1-v1-a1.m3u8",
        "index-f2-v1-a1.m3u8",
    ]
    assert master.index("160x90") < master.index("96x54") and "128x72" not in master


def test_what_is_not_there(shared: Origin) -> None:
    for own in (
        source(shared.entry, "0_zzzzzzzz"),
        source("0_zzzzzzzz", "0_zzzzzzzz"),
    ):
        assert shared.ask(f"/hls/{own}/master.m3u8").status == 404


def test_another_partner_and_another_version(
    files: list[Path], start: Start, tmp_path: Path
) -> None:
    taken = take(tmp_path / "data", files[0])
    entry, flavor = taken[0]["entry"], taken[0]["flavor"]
    origin = start()
    assert origin.ask(f"/hls/{source(entry, flavor)}/master.m3u8").status == 200
    for own in (source(entry, flavor, partner=102), source(entry, flavor, version=2)):
        assert origin.ask(f"/hls/{own}/master.m3u8").status == 404


def test_a_version_that_was_replaced(files: list[Path], start: Start, tmp_path: Path) -> None:
    taken = take(tmp_path / "data", files[0])
    entry, flavor = taken[0]["entry"], taken[0]["flavor"]
    origin = start()
    first = source(entry, flavor, version=1)
    playlist = f"/hls/{first}/index-f1-v1-a1.m3u8"
    segments = origin.media_names(playlist)
    make_clip(tmp_path / "other.mp4", width=64, height=64)
    take(tmp_path / "data", tmp_path / "other.mp4", entry=entry, replace=flavor)
    origin.notice()

    for name in segments:  # the old session plays to its end
        assert origin.ask(name).status == 200
    assert origin.media_names(playlist) == segments
    second = f"/hls/{source(entry, flavor, version=2)}/index-f1-v1-a1.m3u8"
    newest = f"/hls/{source(entry, flavor)}/index-f1-v1-a1.m3u8"
    ends = [name.rpartition("/")[2] for name in origin.media_names(second)]
    assert ends == [name.rpartition("/")[2] for name in origin.media_names(newest)]
    assert not set(ends) & {name.rpartition("/")[2] for name in segments}
