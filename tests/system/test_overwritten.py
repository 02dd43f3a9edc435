"""A file that is written over in mid-response, and a flavor that is replaced while players
play: no answer that looks whole is a mixture, at the origin and behind an edge."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.origin.inside import take
from tests.support.clips import make_clip
from tests.support.http import Client, Cut, get
from tests.support.processes import Running, headrace, running
from tests.support.waiting import LIMIT, until
from tests.system.delivery import ENTRY, digest, ingest, names_in

SMALL = 4096
"""Bytes of a client's buffer: it takes little unread."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segments of some megabytes, more than sockets hold."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return make_clip(path, width=480, height=270, seconds=7, quantizer=20)


def same_size(file: Path) -> None:
    with file.open("r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(size // 10)
        opened.write(bytes(size - size // 10))


def longer(file: Path) -> None:
    same_size(file)
    with file.open("ab") as opened:
        opened.write(b"more")


def shorter(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 10)


def renamed(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_bytes(bytes(file.stat().st_size))
    other.rename(file)


PATHS = {
    "ts": "/hls/e/{entry}/seg-1-f1-v1-a1.ts",
    "cmaf": "/cmaf/e/{entry}/seg-1-f1-v1.m4s",
    "file": "/p/101/sp/10100/serveFlavor/entryId/{entry}/flavorId/{flavor}/name/a.mp4",
    "excerpt": "/p/101/sp/10100/serveFlavor/entryId/{entry}/clipFrom/500/clipTo/6500"
    "/flavorId/{flavor}/name/a.mp4",
}


@pytest.mark.parametrize("change", [same_size, longer, shorter, renamed])
@pytest.mark.parametrize("through_edge", [False, True], ids=["origin", "edge"])
def test_a_file_written_over(
    film: Path, tmp_path: Path, change: Callable[[Path], None], through_edge: bool
) -> None:
    for kind, form in PATHS.items():
        folder = tmp_path / kind
        folder.mkdir()
        file = Path(shutil.copy(film, folder))
        taken = take(folder / "data", file)[0]
        path = form.format(entry=taken["entry"], flavor=taken["flavor"])
        with ExitStack() as stack:
            origin = stack.enter_context(
                running("origin", "--data", folder / "data", "--port", "0")
            )
            whole = get(origin.url + path).body
            server = origin
            if through_edge:
                options = ("--upstream", origin.url, "--port", "0")
                server = stack.enter_context(running("edge", *options))
            client = stack.enter_context(Client(server.address, receive=SMALL))
            client.send(path)
            head = client.head()
            assert (head.status, int(head.headers["content-length"])) == (200, len(whole))
            change(file)
            try:
                assert client.body(head) == whole, kind
                # what was open is still there, or an edge had all of it
                assert change is renamed or through_edge, kind
            except Cut as cut:
                assert whole.startswith(cut.got), kind
            again = get(server.url + path)
            assert again.status == 503 or again.body == whole, (kind, again.status)


class Player(threading.Thread):
    """Reads a playlist once, and its segments again and again until it is told to end."""

    def __init__(self, playlist: str) -> None:
        super().__init__()
        self.names = names_in(playlist)
        self.token = tokens(self.names)
        self.first: dict[str, str] = {}
        self.wrong: list[tuple[str, int]] = []
        self.turns = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            for name in self.names:
                answer = get(name)
                body = digest(answer.body)
                if answer.status != 200 or self.first.setdefault(name, body) != body:
                    self.wrong.append((name, answer.status))
            self.turns += 1


def tokens(names: list[str]) -> str:
    [token] = {re.findall(r"-x([0-9a-f]{8})\.", name)[0] for name in names}
    return str(token)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("versions")
    return [
        make_clip(folder / f"{n}.mp4", width=96, height=54, seconds=14, quantizer=30 + 5 * n)
        for n in range(3)
    ]


@pytest.fixture
def origin(versions: list[Path], tmp_path: Path) -> Iterator[Running]:
    ingest(tmp_path / "data", versions[0])
    with running("origin", "--data", tmp_path / "data", "--port", "0", "--workers", "2") as one:
        yield one


@pytest.mark.parametrize("playlist", ["hls/e/{}/index-f1-v1-a1", "cmaf/e/{}/index-f1-v1"])
def test_a_flavor_replaced_while_players_play(
    origin: Running, versions: list[Path], tmp_path: Path, playlist: str
) -> None:
    """Twice: each player ends with the bytes that it began with, and those are of one file."""
    shown = headrace("show", ENTRY, "--data", tmp_path / "data", "--json").stdout
    found = re.findall(r'"flavor": ?"([^"]+)"|"id": ?"(0_(?!abcd1234)[^"]+)"', shown)
    flavor = next(filter(None, found[0]))
    path = f"{playlist.format(ENTRY)}.m3u8"
    with running("edge", "--upstream", origin.url, "--port", "0") as edge:
        players: list[Player] = []
        try:
            for number, file in enumerate(versions):
                if number:
                    done = headrace(
                        "ingest", file, "--entry", ENTRY, "--replace", flavor,
                        "--data", tmp_path / "data",
                    )  # fmt: skip
                    assert done.returncode == 0, done.stderr
                    known = {one.token for one in players}
                    until(lambda k=known: tokens(names_in(f"{origin.url}/{path}")) not in k)  # type: ignore[misc]
                for server in (origin, edge) if not number else (origin,):
                    players.append(Player(f"{server.url}/{path}"))
                    players[-1].start()
                marks = [one.turns for one in players]
                until(lambda m=marks: all(p.turns > t for p, t in zip(players, m, strict=True)))  # type: ignore[misc]
        finally:
            for one in players:
                one.ended.set()
            for one in players:
                one.join(LIMIT)
        assert not [one.wrong for one in players if one.wrong]
        assert len({one.token for one in players}) == 3
        assert len({frozenset(one.first.values()) for one in players}) == 3
        for number, file in enumerate(versions):  # each set is what its file alone gives
            data = tmp_path / f"alone{number}"
            ingest(data, file)
            with running("origin", "--data", data, "--port", "0") as alone:
                bodies = {digest(get(n).body) for n in names_in(f"{alone.url}/{path}")}
            token_sets = [set(one.first.values()) for one in players]
            assert bodies in token_sets, number
