"""Addresses of an entry for players, and a page that plays it.

    python examples/embed.py ENTRY --at http://127.0.0.1:8080 --page film.html

The addresses are those of Kaltura's delivery contract: what they lead to may change (other
hosts, other flavors), they stay.
"""

import argparse
import html
import sys
import urllib.request
from pathlib import Path

FORMATS = {
    "HLS": "format/applehttp/protocol/http/a.m3u8",
    "DASH": "format/mpegdash/protocol/http/a.mpd",
    "file": "format/url/protocol/http/a.mp4",
    "download": "format/download/protocol/http/a.mp4",
}
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{entry}</title>
<video id="film" controls width="640"></video>
<script src="{player}"></script>
<script>
  const film = document.getElementById("film"), address = "{hls}";
  if (window.Hls && Hls.isSupported()) {{
    const hls = new Hls();
    hls.loadSource(address);
    hls.attachMedia(film);
  }} else {{
    film.src = address;  // Safari plays HLS itself
  }}
</script>
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Addresses of an entry for players.")
    parser.add_argument("entry")
    parser.add_argument("--at", default="http://127.0.0.1:8080", help="an edge or a CDN")
    parser.add_argument("--partner", type=int, default=101)
    parser.add_argument("--page", type=Path, help="write a page that plays it")
    parser.add_argument("--player", help="address of hls.js; by default the demo's")
    given = parser.parse_args()
    begin = f"{given.at}/p/{given.partner}/sp/{given.partner}00/playManifest"
    urls = {name: f"{begin}/entryId/{given.entry}/{rest}" for name, rest in FORMATS.items()}
    for name, url in urls.items():
        with urllib.request.urlopen(url, timeout=30) as answer:  # a redirect is followed
            print(f"{name:9} {answer.status} {url}")
    if given.page:
        player = given.player or f"{given.at}/page/players/hls.min.js"
        fields = {"entry": given.entry, "player": player, "hls": urls["HLS"]}
        fields = {name: html.escape(value) for name, value in fields.items()}
        given.page.write_text(PAGE.format(**fields))
    return 0


if __name__ == "__main__":
    sys.exit(main())
