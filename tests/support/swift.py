"""OpenStack Swift with its S3 API, from its own environment: a real object store for the tests, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARIES = Path(__file__).parents[2] / ".swift" / "bin"
#: Why no server can be started; empty if one can.
UNAVAILABLE = "" if (BINARIES / "swift-proxy-server").exists() else "Swift is not installed: make .stamps/swift"
KEY, SECRET, BUCKET = "test:tester", "swift-s3cret", "clips"
#: A key that may not write.
READER, READER_SECRET = "test:reader", "reader-s3cret"
#: Waits until this process has ended, even by SIGKILL; then ends the servers that still run, and deletes the folder.
_WATCH = 'cat; kill -KILL $(cat pids) 2>/dev/null; sleep 0.2; cd /; rm -rf "$0"'
_RINGS = """
import sys
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), sys.argv[1:]):
    ring = RingBuilder(2, 1, 0)
    ring.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1,
                  "replication_ip": "127.0.0.1", "replication_port": int(port)})
    ring.rebalance()
    ring.get_ring().save(f"{name}.ring.gz")
"""
_SERVER = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
log_level = ERROR
user = {user}
"""
_PROXY = """[pipeline:main]
pipeline = catch_errors s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
user_test_reader = {reader_secret}
"""
_STORE = """[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


class Swift:
    """Four running servers, with one bucket; every log gets its own prefix."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kn-swift-"))
        # Not as root: 65534 is the user without rights.
        self._user = pwd.getpwuid(os.geteuid() or 65534).pw_name
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, self._folder],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        (self._folder / "devices" / "d1").mkdir(parents=True)
        self._ports = {name: _free_port() for name in ("account", "container", "object", "proxy")}
        stores = [str(self._ports[name]) for name in ("account", "container", "object")]
        subprocess.run([BINARIES / "python", "-c", _RINGS, *stores], cwd=self._folder, check=True)
        (self._folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
        for name, port in self._ports.items():
            rest = (
                _PROXY.format(secret=SECRET, reader_secret=READER_SECRET)
                if name == "proxy"
                else _STORE.format(kind=name)
            )
            whole = _SERVER.format(port=port, folder=self._folder, user=self._user) + rest
            (self._folder / f"{name}.conf").write_text(whole)
        if os.geteuid() == 0:
            shutil.chown(self._folder, self._user)
            for path in self._folder.rglob("*"):
                shutil.chown(path, self._user)
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self._start(*self._ports)
        self._make_bucket()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a client finds the store; without keys it would ask the cloud's metadata address."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._ports['proxy']}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def start(self) -> None:
        """Start it again after `stop`."""
        self._start("proxy")

    def _start(self, *names: str) -> None:
        """Start servers and wait until they answer."""
        environment = {**os.environ, "SWIFT_CONF_DIR": str(self._folder), "PYTHONWARNINGS": "ignore"}
        with (self._folder / "server.log").open("ab") as log:
            for name in names:
                arguments = [BINARIES / f"swift-{name}-server", self._folder / f"{name}.conf"]
                self._servers[name] = subprocess.Popen(
                    arguments, cwd=self._folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                )
        (self._folder / "pids").write_text(" ".join(str(server.pid) for server in self._servers.values()))
        # All of them: the first one takes no notice for a minute of servers that did not listen when it asked them.
        for name in names:
            self._wait_for(self._ports[name])

    def _wait_for(self, port: int) -> None:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            except urllib.error.HTTPError:
                return  # it wants a signature, or a path
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self._folder / "server.log").read_text())

    def stop(self) -> None:
        """Stop the server that clients reach immediately, as a cut network would."""
        self._servers["proxy"].kill()
        self._servers["proxy"].wait()

    def close(self) -> None:
        """Stop the servers and delete their folder."""
        for server in self._servers.values():
            server.kill()
            server.wait()
        self._watcher.communicate()

    def _make_bucket(self) -> None:
        import datetime

        from obstore.store import S3Store

        store = S3Store(
            BUCKET,
            endpoint=self.environment["AWS_ENDPOINT_URL"],
            region="us-east-1",
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
        )
        import obstore

        url = obstore.sign(store, "PUT", "", datetime.timedelta(seconds=60))
        for left in reversed(range(600)):
            try:
                urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=30).close()
                return
            except urllib.error.HTTPError as exc:
                if exc.code != 503 or not left:  # 503: the servers behind the first one do not listen yet
                    raise
                time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
