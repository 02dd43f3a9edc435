"""Recipe tokens: what they promise, and what becomes of URLs whose flavors were replaced."""

import gc
import os
import shutil
import sqlite3
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import origin.catalog
from metadata.errors import DatabaseUnavailable
from packager import LAYOUT
from tests.origin.inside import SECOND, Origin, take, token_of

YEAR, SHORT = "public, max-age=31536000, immutable", "public, max-age=10"
DAY = 24 * 3600 * SECOND
Start = Callable[..., Origin]


def index_path(source: str) -> str:
    return f"/hls/{source}/index-f1-v1-a1.m3u8"


def retoken(name: str, token: str) -> str:
    return name.replace(token_of(name), token)


@pytest.fixture
def entry(files: list[Path], tmp_path: Path) -> str:
    return f"e/{take(tmp_path / 'data', *files)[0]['entry']}"


@pytest.fixture
def replaced(files: list[Path], tmp_path: Path) -> Path:
    """The file of the first flavor, as another one that may replace it."""
    return Path(shutil.copy(files[1], tmp_path / "media" / "new.mp4"))


def test_a_wrong_token_looks_once(entry: str, start: Start) -> None:
    one = start()
    name = one.media_names(index_path(entry))[0]
    asked = one.database.questions
    for _ in range(3):
        assert one.ask(retoken(name, "00000000")).status == 404
        asked += 1
        assert one.database.questions == asked


def test_an_unknown_entry_is_known_until_it_is_made(
    files: list[Path], entry: str, start: Start, tmp_path: Path
) -> None:
    one = start()
    other = "/hls/e/0_11111111/master.m3u8"
    for _ in range(3):
        assert one.ask(other).status == 404
        assert one.ask(other.replace("master.m3u8", "seg-1-f1-x00000000.ts")).status == 404
    assert one.database.questions == 1
    take(tmp_path / "data", *files, entry="0_11111111")
    one.notice()
    assert one.ask(other).status == 200


def test_a_cached_manifest_asks_nothing(entry: str, start: Start) -> None:
    """However long it was cached, and whatever the clock says."""
    one = start()
    paths = [index_path(entry), f"/hls/{entry}/master.m3u8", f"/cmaf/{entry}/manifest.mpd"]
    for path in paths:
        one.get(path)
    asked = one.database.questions
    for hours in (0, 1, -2, 100):
        one.clock_offset += hours * 3600 * SECOND
        one.notice()
        for path in paths * 5:
            one.get(path)
    assert one.database.questions == asked


@pytest.mark.parametrize(
    "name",
    [
        "hls/{}/master.m3u8", "hls/{}/index-f2-v1-a1.m3u8", "hls/{}/seg-2-f2-v1-a1.ts",
        "cmaf/{}/manifest.mpd", "cmaf/{}/master.m3u8", "cmaf/{}/init-f3-v1.mp4",
        "cmaf/{}/seg-1-f1-a1.m4s", "dash/{}/fragment-2-f3-v1.m4s",
    ],
)  # fmt: skip
def test_a_cold_lookup_is_two_questions(entry: str, start: Start, name: str) -> None:
    """What the entry is; the headers with the blocks that are needed.  And one if only the
    indexes were let go."""
    one = start()
    body = one.get("/" + name.format(entry))
    assert (one.database.questions, one.indexes.parsed) == (2, 0)
    one.indexes._flavors.clear()
    one.indexes._blocks.clear()
    one.media._texts.clear()
    one.media._ready.clear()
    assert one.get("/" + name.format(entry)) == body
    assert one.database.questions == 3


def test_concurrent_first_use_loads_once(entry: str, start: Start) -> None:
    one = start()
    one.still = one.now()
    with ThreadPoolExecutor(24) as pool:
        bodies = set(pool.map(one.get, [f"/cmaf/{entry}/manifest.mpd"] * 24))
        assert len(bodies) == 1
        assert one.database.questions == 1 + 1
        bodies = set(pool.map(one.get, ["/cmaf/local/a.mp4/manifest.mpd"] * 24))
        assert len(bodies) == 1
    assert one.indexes.parsed == 1


def test_the_token_of_the_previous_layout(
    entry: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that began before an upgrade goes on: today's bytes, not for long."""
    sources = (entry, "local/a.mp4")
    one = start()
    names = {source: one.media_names(index_path(source)) for source in sources}
    monkeypatch.setattr(origin.catalog, "LAYOUT", LAYOUT + 1)
    monkeypatch.setattr("packager.recipe.Recipe.token.__defaults__", (LAYOUT + 1,))
    two = start()
    for source, old in names.items():
        new = two.media_names(index_path(source))
        assert token_of(new[0]) != token_of(old[0])
        for before, after in zip(old, new, strict=True):
            served, today = two.ask(before), two.ask(after)
            assert (served.status, served.headers["cache-control"]) == (200, SHORT)
            assert today.headers["cache-control"] == YEAR
            assert served.body == today.body
            assert served.headers["etag"] == today.headers["etag"]
    monkeypatch.setattr(origin.catalog, "LAYOUT", LAYOUT + 2)
    monkeypatch.setattr("packager.recipe.Recipe.token.__defaults__", (LAYOUT + 2,))
    three = start()
    for old in names.values():
        assert three.ask(old[0]).status == 404


def test_a_replaced_flavor_plays_on_for_a_day(
    files: list[Path], replaced: Path, start: Start, tmp_path: Path
) -> None:
    flavors = take(tmp_path / "data", *files)
    source = f"e/{flavors[0]['entry']}"
    one = start()
    old = {name: one.get(name) for name in one.media_names(index_path(source))}
    again = take(tmp_path / "data", replaced, replace=flavors[0]["flavor"])
    one.notice()
    new = one.media_names(index_path(source))
    assert set(new).isdisjoint(old)
    two = start()  # one that never saw what was before
    for now in (one, two):
        for name, body in old.items():
            answer = now.ask(name)
            assert (answer.status, answer.body) == (200, body)
            assert answer.headers["cache-control"] == YEAR
        for name in new:
            assert now.ask(name).headers["cache-control"] == YEAR
    number = next(flavor["index"] for flavor in again if flavor["version"] == 2)
    picture = one.get(f"/cmaf/{source}/seg-1-f{number}-v1.m4s")
    assert picture == one.get("/cmaf/local/new.mp4/seg-1-f1-v1.m4s")
    one.clock_offset += DAY
    for name in old:
        assert one.ask(name).status == 404
    assert one.ask(new[0]).status == 200


def test_a_token_younger_than_the_cached_row(
    files: list[Path], replaced: Path, start: Start, tmp_path: Path
) -> None:
    """Another origin has told the player of a version that this one has not seen."""
    flavors = take(tmp_path / "data", *files)
    source = f"e/{flavors[0]['entry']}"
    one, two = start(), start()
    one.still = one.now()
    one.get(index_path(source))
    take(tmp_path / "data", replaced, replace=flavors[0]["flavor"])
    name = two.media_names(index_path(source))[0]
    one.still += 1
    assert one.ask(name).status == 200


def test_damage_of_the_new_set_does_not_reach_the_old(
    files: list[Path], replaced: Path, start: Start, tmp_path: Path
) -> None:
    flavors = take(tmp_path / "data", *files)
    source = f"e/{flavors[0]['entry']}"
    one = start()
    old = one.media_names(index_path(source))
    bodies = [one.get(name) for name in old]
    take(tmp_path / "data", replaced, replace=flavors[0]["flavor"])
    with sqlite3.connect(tmp_path / "data" / "headrace.db") as database:
        database.execute("UPDATE flavor_index SET header = x'00' WHERE int_id = 4")
    database.close()
    two = start()
    assert two.ask(index_path(source)).status == 502
    assert [two.get(name) for name in old] == bodies
    assert two.ask(retoken(old[0], "00000000")).status == 502  # whose it is cannot be told


def test_the_database_goes_away(entry: str, start: Start, tmp_path: Path) -> None:
    one = start()
    names = one.media_names(index_path(entry))
    bodies = [one.get(name) for name in names]
    away = tmp_path / "away"
    (tmp_path / "data").rename(away)
    with pytest.raises(DatabaseUnavailable):
        one.notice()
    assert one.media_names(index_path(entry)) == names
    assert [one.get(name) for name in names] == bodies
    # whether this token is of a newer version cannot be told now: not 404, which is kept
    assert one.ask(retoken(names[0], "00000000")).status == 503
    assert one.ask("/hls/e/0_11111111/master.m3u8").status == 503
    asked = one.database.questions
    for _ in range(5):
        assert one.ask(index_path(entry)).status == 200
    assert one.database.questions == asked
    away.rename(tmp_path / "data")
    assert one.ask("/hls/e/0_11111111/master.m3u8").status == 404


def test_a_local_file_that_is_replaced(files: list[Path], start: Start) -> None:
    one = start()
    old = one.media_names(index_path("local/a.mp4"))
    body = one.get(old[0])
    shutil.copy(files[1], files[0].with_name("next"))
    files[0].with_name("next").rename(files[0])
    new = one.media_names(index_path("local/a.mp4"))
    assert token_of(new[0]) != token_of(old[0])
    assert one.ask(old[0]).status == 404
    assert one.get(new[0]) != body
    # the same bytes at another time are the same to the world
    os.utime(files[0], ns=(0, 0))
    assert one.media_names(index_path("local/a.mp4")) == new


def test_flavors_in_another_order_are_another_recipe(files: list[Path], start: Start) -> None:
    one = start()
    sets = ("local/,a,b,.mp4.urlset", "local/,b,a,.mp4.urlset", "local/,a,a,.mp4.urlset")
    tokens = {token_of(one.media_names(index_path(source))[0]) for source in sets}
    assert len(tokens) == 3


def test_recipes_do_not_hold_indexes(entry: str, start: Start) -> None:
    """What the cache of indexes lets go is gone: nothing else keeps it."""
    one = start()
    one.get(index_path(entry))
    [*flavors] = one.indexes._flavors.values()
    seen = [weakref.ref(flavor.index) for flavor in flavors]
    one.indexes._flavors.clear()
    del flavors
    gc.collect()
    assert [index() for index in seen] == [None] * 3
    assert one.ask(index_path(entry)).status == 200


def test_a_tiny_index_cache_works_the_same(entry: str, start: Start) -> None:
    plenty, tiny = start(), start(index_cache=2, manifest_cache=1)
    for source in (entry, "local/,a,b,c,.mp4.urlset"):
        for path in (index_path(source), f"/cmaf/{source}/manifest.mpd"):
            assert tiny.get(path) == plenty.get(path)
        for name in plenty.media_names(index_path(source)):
            assert tiny.get(name) == plenty.get(name)
    assert tiny.indexes.size <= 2


@pytest.mark.parametrize(
    "change",
    ["moderation_status = 1", "status = 3", "end_at = 1", "start_at = 9000000000000000000"],
)
def test_an_entry_that_must_not_be_shown_has_no_segments(
    entry: str, start: Start, tmp_path: Path, change: str
) -> None:
    """Under review, deleted, over or not begun: not by playManifest, and not beside it."""
    playlist = f"/hls/{entry}/index-f1-v1-a1.m3u8"
    segment = start().media_names(playlist)[0]
    with closing(sqlite3.connect(tmp_path / "data" / "headrace.db")) as database:
        database.execute(f"UPDATE entry SET {change}")
        database.commit()
    origin = start()
    assert origin.ask(playlist).status == 404
    assert origin.ask(segment).status == 404
