"""An S3 server as a process: moto's, which speaks the protocol, and keeps all in memory."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import free_port
from tests.support.waiting import LIMIT, until

BUCKET = "media"
_REQUEST = re.compile(r'"(?:\x1b\[[0-9;]*m)*([A-Z]+) (/\S*) HTTP/1\.1')


class ObjectServer:
    """A server with one bucket."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self._seen = 0

    @property
    def environment(self) -> dict[str, str]:
        """That leads obstore here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "not-told-to-anyone",
            "AWS_REGION": "us-east-1",
        }

    def put(self, key: str, data: bytes | Path) -> str:
        """Store an object; its address."""
        import obstore

        obstore.put(self.store(), key, data, use_multipart=False)
        return f"s3://{BUCKET}/{key}"

    def store(self) -> Any:
        from obstore.store import S3Store

        return S3Store(
            BUCKET,
            config={
                "endpoint": self.url,
                "access_key_id": "someone",
                "secret_access_key": "not-told-to-anyone",
                "region": "us-east-1",
            },
            client_options={"allow_http": True},
        )

    def requests(self) -> list[tuple[str, str]]:
        """Methods and paths since the last call."""
        found = _REQUEST.findall(self._log.read_text(errors="replace"))
        new, self._seen = found[self._seen :], len(found)
        return new


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "1000"},
        )
        try:
            server = ObjectServer(port, Path(log.name))
            until(lambda: _is_up(server, process), limit=2 * LIMIT)
            yield server
        finally:
            process.kill()
            process.wait()


def _is_up(server: ObjectServer, process: "subprocess.Popen[bytes]") -> bool:
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    assert process.poll() is None
    try:
        with urlopen(Request(f"{server.url}/{BUCKET}", method="PUT"), timeout=LIMIT):
            return True
    except URLError:
        return False
