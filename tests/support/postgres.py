"""A PostgreSQL server for the tests: in its own folder, on a socket only, with the binaries on PATH."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

BINARIES = {name: shutil.which(name) for name in ("initdb", "postgres")}
#: Why no server can be started; empty if one can.
UNAVAILABLE = "; ".join(f"{name} of PostgreSQL is not on PATH" for name, path in BINARIES.items() if path is None)
#: Waits until this process has ended, even by SIGKILL; then ends the server if it still runs, and deletes its folder.
_WATCH = 'cat; if kill -QUIT "$(head -n 1 data/postmaster.pid)"; then sleep 1; fi; cd /; rm -rf "$0"'


class Postgres:
    """A running server; every log gets its own schema."""

    def __init__(self) -> None:
        # A short path: that of a socket may have 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="kn-pg-"))
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, self._folder],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal reaches the whole group
        )
        self._numbers = count()
        self._as: dict[str, Any] = {"cwd": self._folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        options = ("-D", "data", "--auth=trust", "--username=kling", "--locale=C", "--encoding=UTF8", "--no-sync")
        subprocess.run([BINARIES["initdb"], *options], check=True, capture_output=True, **self._as)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = ("listen_addresses=", "fsync=off", f"unix_socket_directories={self._folder}", "max_connections=200")
        arguments = [BINARIES["postgres"], "-D", "data", *(part for each in settings for part in ("-c", each))]
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(arguments, stdout=log, stderr=log, **self._as)
        for _ in range(300):
            try:
                return psycopg.connect(self._address()).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise RuntimeError((self._folder / "server.log").read_text())

    def stop(self) -> None:
        """Stop the server immediately, as a crash would."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """Stop the server and delete its folder."""
        self._end(signal.SIGINT)
        self._watcher.communicate()

    def schema(self) -> str:
        """Create a schema and return its URL for `Log(database=...)`."""
        name = f"log{next(self._numbers)}"
        with psycopg.connect(self._address(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[call-overload]
        return f"postgresql://kling:s3cret@/postgres?host={self._folder}&options=-csearch_path%3D{name}"

    def _end(self, how: signal.Signals) -> None:
        self._server.send_signal(how)
        self._server.wait()

    def _address(self) -> str:
        return f"host={self._folder} user=kling dbname=postgres"
