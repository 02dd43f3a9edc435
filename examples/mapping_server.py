"""An upstream of mappings: the name of a film to its files, as nginx-vod-module asks for them.

python examples/mapping_server.py FOLDER --port 8000
headrace origin --mapping-upstream http://127.0.0.1:8000/map --source-allow FOLDER
"""

import argparse
import asyncio
import re
from pathlib import Path

import tornado.web

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")  # whatever it lets through may reach the disk


class Mapping(tornado.web.RequestHandler):
    def initialize(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> None:
        files = sorted(self.folder.glob(f"{name}-*p.mp4")) if NAME.fullmatch(name) else []
        if not files:
            raise tornado.web.HTTPError(404)
        clips = [[{"type": "source", "path": str(file)}] for file in files]
        self.write({"sequences": [{"clips": one} for one in clips]})


async def main() -> None:
    parser = argparse.ArgumentParser(description="An upstream of mappings.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    handlers = [(r"/map/(.+)", Mapping, {"folder": given.folder.resolve()})]
    tornado.web.Application(handlers).listen(given.port, "127.0.0.1")
    print(f"mappings ready http://127.0.0.1:{given.port}/map", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
