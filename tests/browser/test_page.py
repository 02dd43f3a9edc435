"""The page without a player to drive: what it says and what it asks for."""

from tests.browser.conftest import Library, Script
from tests.support.processes import running

ADDRESSES = (
    "/hls/e/{}/master.m3u8",
    "/cmaf/e/{}/master.m3u8",
    "/cmaf/e/{}/manifest.mpd",
    "/dash/e/{}/manifest.mpd",
)


def test_players_are_side_by_side_and_nothing_comes_from_elsewhere(
    script: Script, library: Library, edge: str
) -> None:
    found = script("look.mjs", edge)
    assert found["entry"] == library.entry
    assert found["panels"] == 2
    assert found["notice"] == ""
    assert found["links"] == [path.format(library.entry) for path in ADDRESSES]
    assert (found["foreign"], found["failed"]) == ([], [])


def test_without_players_the_page_says_so_and_gives_the_addresses(
    script: Script, library: Library
) -> None:
    with running(
        "origin", "--data", library.data, "--port", "0", "--page-entry", library.entry
    ) as origin:
        found = script("look.mjs", origin.url)
    assert "not installed" in found["notice"]
    assert found["panels"] == 0
    assert found["links"] == [path.format(library.entry) for path in ADDRESSES]
    assert (found["foreign"], found["failed"]) == ([], [])
