"""Give a flavor a new file, and purge what edges have of the old manifests.

    python examples/replace_flavor.py ENTRY FLAVOR FILE --token-file token

Media is not purged: the new file has new addresses, and who plays the old one finishes.
Without a purge players see the change too, within about a minute.
"""

import argparse
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urljoin, urlsplit

MANIFESTS = (
    "/hls/e/{entry}/master.m3u8",
    "/cmaf/e/{entry}/master.m3u8",
    "/cmaf/e/{entry}/manifest.mpd",
    "/dash/e/{entry}/manifest.mpd",
)


def playlists(url: str) -> list[str]:
    """Paths of what a master playlist names; of an MPD there are none."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    if lines[0] != "#EXTM3U":
        return []
    return [urlsplit(urljoin(url, line)).path for line in lines if line and line[0] != "#"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Give a flavor a new file.")
    for name in ("entry", "flavor", "file"):
        parser.add_argument(name)
    parser.add_argument("--data", default="headrace-data")
    parser.add_argument("--at", default="http://127.0.0.1:8080", help="the edge")
    parser.add_argument("--admin", default="http://127.0.0.1:9080", help="its administration")
    parser.add_argument("--token-file", required=True)
    given = parser.parse_args()
    stale = [path.format(entry=given.entry) for path in MANIFESTS]
    for path in tuple(stale):
        stale += playlists(given.at + path)  # of today: tomorrow's are not stored yet
    headrace = [sys.executable, "-m", "headrace"]
    replace = ("ingest", given.file, "--entry", given.entry, "--replace", given.flavor)
    subprocess.run([*headrace, *replace, "--data", given.data], check=True)
    purge = ("purge", *stale, "--edge", given.admin, "--token-file", given.token_file)
    return subprocess.run([*headrace, *purge], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, urllib.error.URLError) as error:
        sys.exit(str(error))
