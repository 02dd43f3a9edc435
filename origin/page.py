"""The demo page and the players that it plays with: files with fixed names, nothing else."""

import json
from pathlib import Path

from origin.errors import NotFound
from origin.responses import Text, text

_OWN = Path(__file__).with_name("page")
_MOST = 16 << 20
_CACHE = "public, max-age=60"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_PLAYERS = {
    "/page/players/hls.min.js": "hls.js/dist/hls.min.js",
    "/page/players/shaka-player.compiled.js": "shaka-player/dist/shaka-player.compiled.js",
    "/page/players/dash.all.min.js": "dashjs/dist/modern/umd/dash.all.min.js",
}


class Page:
    def __init__(self, entry: str | None, players: Path | None) -> None:
        self._entry = entry
        self._players = players
        self._own = {file.name for file in _OWN.iterdir() if file.suffix in _TYPES}
        self._made: dict[str, Text] = {}

    def find(self, path: str) -> Text | None:
        """What *path* is of the page; None for a path of something else.

        Raises ``NotFound`` where the page is off or a player is not installed.
        """
        if path != "/" and not path.startswith("/page/"):
            return None
        if self._entry is None:
            raise NotFound("there is no page here")
        if path not in self._made:
            self._made[path] = self._make(path)
        return self._made[path]

    def _make(self, path: str) -> Text:
        if path == "/page/config.json":
            config = {"entry": self._entry, "players": self._has_players()}
            return text(json.dumps(config) + "\n", "application/json", "no-store")
        name = "index.html" if path == "/" else path.removeprefix("/page/")
        if name in self._own:
            return self._file(_OWN / name)
        if path in _PLAYERS and self._players is not None:
            return self._file(self._players / _PLAYERS[path])
        raise NotFound("the page has no such file")

    def _has_players(self) -> bool:
        players = self._players
        return players is not None and all(
            (players / name).is_file() for name in _PLAYERS.values()
        )

    def _file(self, path: Path) -> Text:
        if not path.is_file() or path.stat().st_size > _MOST:
            raise NotFound("the page's file is not installed")
        return text(path.read_text(encoding="utf-8"), _TYPES[path.suffix], _CACHE)
