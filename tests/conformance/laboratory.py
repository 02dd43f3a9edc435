"""One origin process, and files ingested for it, each when it is first asked for."""

import io
import re
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from metadata.engine import open_writer
from metadata.migrate import upgrade
from origin.ingest.program import ingest
from tests.conformance.made import MADE, make
from tests.support.http import Answer, Client
from tests.support.processes import Running, running


@dataclass(frozen=True)
class Taken:
    """What ingest made of a file."""

    entry: str
    """Empty where the file is refused."""

    said: tuple[str, ...]
    """Why it is refused, or which tracks are left out."""

    seconds: float
    peak: int
    """Bytes of Python and numpy at the most."""


@dataclass
class Laboratory:
    media: Path
    data: Path
    origin: Running
    client: Client
    known: dict[str, Taken] = field(default_factory=dict)

    def take(self, name: str) -> Taken:
        """*name* as an entry of its own."""
        if name not in self.known:
            self.known[name] = self._ingest(self.path(name))
        return self.known[name]

    def path(self, name: str) -> Path:
        return make(self.data, name) if name in MADE else self.media / name

    def _ingest(self, path: Path) -> Taken:
        said, errors = io.StringIO(), io.StringIO()
        tracemalloc.start()
        begin = time.perf_counter()
        try:
            with redirect_stdout(said), redirect_stderr(errors):
                status = ingest(
                    files=(path,), data=self.data, entry=None, partner=101, name=None,
                    replace=None, as_json=True,
                )  # fmt: skip
            seconds = time.perf_counter() - begin
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        reasons = tuple(
            line.removeprefix("headrace ingest: ").replace(f"{path}: ", "")
            for line in errors.getvalue().splitlines()
        )
        assert status == 0 or len(reasons) == 1, reasons
        entry = re.search('"entry": "([^"]+)"', said.getvalue()) if status == 0 else None
        return Taken(entry[1] if entry else "", reasons, seconds, peak)

    def ask(self, target: str) -> Answer:
        return self.client.ask(target)

    def get(self, target: str) -> bytes:
        answer = self.ask(target)
        assert answer.status == 200, (target, answer.status, answer.headers)
        return answer.body


@contextmanager
def laboratory(media: Path, data: Path) -> Iterator[Laboratory]:
    """An origin over *media*, with a database in *data*."""
    media = media.resolve()  # as refusals name it
    upgrade(open_writer(data))
    with (
        running("origin", "--data", data, "--port", "0", "--local-root", media) as origin,
        Client(origin.address) as client,
    ):
        yield Laboratory(media, data, origin, client)
