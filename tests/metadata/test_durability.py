"""kill -9, at any time, loses nothing that was reported and leaves nothing half stored."""

import random
import subprocess
import sys
import time

import pytest
from sqlalchemy import Engine, text

from metadata.entries import find_entry, list_entries
from metadata.indexes import load_index_blocks
from metadata.sessions import reading
from tests.metadata.samples import ENTRY, store

BLOCKS = 40

STORING = f"""
import sys
from metadata.changes import add_entry
from metadata.engine import open_writer
from metadata.sessions import writing
from tests.metadata.samples import new

where, held = sys.argv[1:]
engine = open_writer(where)
for number in range(1, 10_000):
    flavors = [new(f"0_{{kind}}{{number:07}}", blocks={BLOCKS}) for kind in "ab"]
    with writing(engine) as session:
        add_entry(session, entry_id=f"0_{{number:08}}", partner_id=5, name="K",
                  flavors=flavors, now=1)
        if held == "held":  # everything is written, nothing is committed
            print("written", flush=True)
            sys.stdin.readline()
    print(f"0_{{number:08}}", flush=True)
"""


def storing(where: str, held: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STORING, where, held],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_before_the_commit(where: str, writer: Engine) -> None:
    with storing(where, "held") as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        process.kill()
    with reading(writer) as session:
        for table in ("partner", "entry", "flavor_asset", "flavor_index", "flavor_index_block"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    store(writer)  # no lock is left behind
    with reading(writer) as session:
        assert find_entry(session, ENTRY, replaced_after=0) is not None


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_time(where: str, writer: Engine, seed: int) -> None:
    with storing(where, "free") as process:
        assert process.stdout
        first = process.stdout.readline().strip()
        time.sleep(random.Random(seed).uniform(0, 0.2))
        process.kill()
        reported = [first, *process.stdout.read().split("\n")[:-1]]
    with reading(writer) as session:
        stored = [entry.id for entry in list_entries(session, limit=10_000)]
        assert stored[: len(reported)] == reported
        assert len(stored) <= len(reported) + 1  # committed, and killed before it could report
        entry = find_entry(session, stored[-1], replaced_after=0)
        assert entry is not None
        assert len(entry.flavors) == 2
        for flavor in entry.flavors:
            assert len(load_index_blocks(session, flavor.int_id, [(0, 0, BLOCKS)])[0]) == BLOCKS
        if writer.dialect.name == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
