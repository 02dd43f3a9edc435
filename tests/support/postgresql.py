"""A PostgreSQL server for tests alone: started, stopped, held up."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.needs import missing, need
from tests.support.waiting import until


class Server:
    def __init__(self, folder: Path, rights: dict[str, Any]) -> None:
        self.folder = folder
        """Of its socket."""
        self._rights = rights
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, schema: str = "public") -> str:
        options = f"-csearch_path%3D{schema}"
        return f"postgresql://headrace@/postgres?host={self.folder}&options={options}"

    def start(self) -> None:
        serve = [need("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        self._process = subprocess.Popen(
            [*serve, "-c", "listen_addresses=", "-c", "fsync=off"],
            **self._rights,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        until(lambda: self.run("SELECT 1"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nobody needs what it holds
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Neither it nor a server of a connection does anything any more."""
        for process in self._all():
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._all():
            os.kill(process, signal.SIGCONT)

    def _all(self) -> list[int]:
        assert self._process is not None
        main = self._process.pid
        listed = Path(f"/proc/{main}/task/{main}/children").read_text()
        return [main, *map(int, listed.split())]

    def run(self, statement: str) -> bool:
        """Whether *statement* could be run."""
        command = [need("psql"), "-h", str(self.folder), "-U", "headrace", "-d", "postgres"]
        done = subprocess.run([*command, "-c", statement], capture_output=True, check=False)
        return done.returncode == 0


@contextmanager
def postgresql_server() -> Iterator[Server]:
    initdb = need("initdb")
    # below /tmp, and short: a socket's path may have 107 bytes, and the server's user must
    # be able to reach it
    folder = Path(tempfile.mkdtemp(prefix="headrace-pg-", dir="/tmp"))
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            missing("PostgreSQL needs a user that is not root: apt-get install postgresql")
        os.chown(folder, user.pw_uid, user.pw_gid)
    uid, gid = (user.pw_uid, user.pw_gid) if user else (None, None)
    rights: dict[str, Any] = {
        "user": uid,
        "group": gid,
        "extra_groups": [] if user else None,
        "cwd": folder,
    }
    make = [initdb, "-D", str(folder / "data"), "-U", "headrace", "-A", "trust", "--no-sync"]
    subprocess.run(
        [*make, "-E", "UTF8", "--locale=C.UTF-8"], **rights, check=True, capture_output=True
    )
    server = Server(folder, rights)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
