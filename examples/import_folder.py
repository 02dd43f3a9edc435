"""Make entries of a folder of films.

    python examples/import_folder.py FOLDER --data headrace-data

``film-240p.mp4`` and ``film-720p.mp4`` are two flavors of the entry "film".  Its id follows
from its name, so that another run changes nothing but what has changed in the folder.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

FLAVOR = re.compile(r"(?P<film>.+)-[0-9]+p")


def films(folder: Path) -> dict[str, list[Path]]:
    """Files by the name of their film."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.mp4")):
        several = FLAVOR.fullmatch(path.stem)
        found[several["film"] if several else path.stem].append(path)
    return found


def entry_id(name: str) -> str:
    """The same for the same name: ``0_`` and eight letters or digits."""
    return f"0_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Make entries of a folder of films.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", default="headrace-data")
    given = parser.parse_args()
    refused = 0
    for name, files in films(given.folder).items():
        entry = entry_id(name)
        command = [sys.executable, "-m", "headrace", "ingest", *map(str, files)]
        command += ["--data", given.data, "--entry", entry, "--name", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        refused += bool(done.returncode)
        print(f"{entry}  {name}: {done.stderr.strip() or f'{len(files)} flavors'}")
    return int(refused > 0)


if __name__ == "__main__":
    sys.exit(main())
