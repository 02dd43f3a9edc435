"""Stand-ins for the packages that ``headrace`` calls, for the processes of ``test_command``.

With this folder on PYTHONPATH the command meets these instead.  ``STUB_RECORD`` names a file
that gets a JSON line for each call; ``STUB_FAIL`` names what goes wrong.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def record(call: str, **facts: Any) -> None:
    with open(os.environ["STUB_RECORD"], "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(json.dumps({"call": call, **facts}, default=str) + "\n")


def serve(program: str, config: Any) -> int:
    from serving.parent import run
    from serving.sockets import address, listen

    async def main(worker: Any) -> None:
        if os.environ.get("STUB_FAIL") == program:
            raise ValueError("it cannot start")
        worker.ready()
        await worker.draining()

    record(program, pid=os.getpid(), config=vars(config), modules=sorted(sys.modules))
    listener = listen(config.host, config.port)
    ready = f"headrace {program} ready {address(listener)}"
    status = run(
        f"headrace {program}",
        main,
        listener=listener,
        admin=None,
        workers=1,
        counters=(),
        drain=5,
        ready_line=ready,
    )
    record(f"{program} ended", status=status)
    return status


def ingest(files: Any, *options: Any) -> int:
    record("ingest", files=files, options=options)
    if os.environ.get("STUB_FAIL") == "ingest":
        raise OSError(28, "No space left on device", "db")
    print("0_abcd1234")
    return 1 if "refused.mp4" in map(str, files) else 0


def entries(*options: Any) -> int:
    record("entries", options=options)
    return 0


def show(*options: Any) -> int:
    record("show", options=options)
    return 0


def make_samples(folder: Path, seconds: float, progress: Any) -> list[Path]:
    record("make_samples", folder=folder, seconds=seconds)
    progress("one.mp4", 0.5)
    return [folder / "one.mp4"]


class Config:
    """Takes whatever options there are: the tests say which."""

    def __init__(self, **options: Any) -> None:
        if options.get("ram") == 0:
            raise ValueError("ram: 0 is not 1M or more")
        vars(self).update(options)

    def of_worker(self) -> "Config":
        return self


def module(name: str, **contents: Any) -> None:
    made = ModuleType(name)
    vars(made).update(contents)
    sys.modules[name] = made


if "STUB_RECORD" in os.environ:
    module("edge_cache.config", EdgeConfig=Config)
    module("edge_cache.program", run=lambda config: serve("edge", config))
    module("origin.config", OriginConfig=Config)
    module("origin.program", run=lambda config: serve("origin", config))
    module("origin.ingest.program", ingest=ingest, entries=entries, show=show)
    if os.environ.get("STUB_FAIL") != "av":
        module("bench.samples", make_samples=make_samples)
    else:
        sys.modules["av"] = None  # type: ignore[assignment] # an import of it fails
