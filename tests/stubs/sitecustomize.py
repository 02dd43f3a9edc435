"""Stand-ins for the packages that ``headrace`` calls, for the processes of ``test_command``.

With this folder on PYTHONPATH the command meets these instead.  ``STUB_RECORD`` names a file
that gets a JSON line for each call; ``STUB_FAIL`` names what goes wrong.
"""

import json
import os
import sys
from dataclasses import asdict, make_dataclass
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

    record(program, pid=os.getpid(), config=asdict(config), modules=sorted(sys.modules))
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


def config_of(name: str, fields: str) -> type:
    def check(self: Any) -> None:
        if getattr(self, "ram", 1) == 0:
            raise ValueError("ram: 0 is not 1M or more")

    return make_dataclass(
        name, fields.split(), namespace={"__post_init__": check, "of_worker": lambda self: self}
    )


def module(name: str, **contents: Any) -> None:
    made = ModuleType(name)
    vars(made).update(contents)
    sys.modules[name] = made


if "STUB_RECORD" in os.environ:
    EDGE = (
        "upstreams shields upstream_ca health host port admin_port admin_token purge_method"
        " workers cache_dir disk ram"
        " block early_refresh stale_if_unreachable heuristic negative_ttl store_set_cookie"
        " forwarded cache_status_key"
    )
    ORIGIN = (
        "data host port admin_port workers local_root index_cache plan_cache open_files"
        " sendfile object_stores remote_hosts remote_private page_entry players"
    )
    module("edge_cache.config", EdgeConfig=config_of("EdgeConfig", EDGE))
    module("edge_cache.program", run=lambda config: serve("edge", config))
    module("origin.config", OriginConfig=config_of("OriginConfig", ORIGIN))
    module("origin.program", run=lambda config: serve("origin", config))
    module("origin.ingest.program", ingest=ingest, entries=entries, show=show)
    if os.environ.get("STUB_FAIL") != "av":
        module("bench.samples", make_samples=make_samples)
    else:
        sys.modules["av"] = None  # type: ignore[assignment] # an import of it fails
