"""The site as it is served: granian in a process of its own, on a free loopback port."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.settings import Settings

SECRET = "only-for-tests"


@dataclass
class Served:
    """`cairn web` on `port`."""

    child: subprocess.Popen[bytes]
    port: int

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers in lower case, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> None:
        """Signal the process and wait for its end."""
        self.child.send_signal(number)
        self.child.wait(30)

    def listening(self) -> bool:
        """Whether something answers on the port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def serve(database_url: str, workspace: str, home: Path, redis_url: str) -> Served:
    """Start `cairn web` and wait until it is ready."""
    port = free_port()
    values = {
        "DATABASE_URL": database_url, "REDIS_URL": redis_url, "CAIRN_WORKSPACE": workspace, "CAIRN_HOME": str(home),
        "CAIRN_HOST": "127.0.0.1", "CAIRN_PORT": str(port), "CAIRN_SECRET_KEY": SECRET,
    }  # fmt: skip
    log = (home / "web.log").open("ab")
    command = [sys.executable, "-m", "webapp.cli", "web"]
    child = subprocess.Popen(command, env=os.environ | values, stdout=log, stderr=log, start_new_session=True)
    served = Served(child, port)
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        try:
            if served.request("GET", "/readyz")[0] == 200:
                return served
        except OSError:
            pass
        time.sleep(0.1)
    child.kill()
    raise AssertionError((home / "web.log").read_text()[-3000:])


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def track(key: str, message_id: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a track call."""
    call = {"userId": f"u{message_id[-2:]}", "event": "Clicked Around", "messageId": message_id, "properties": {"n": 1}}
    authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    return json.dumps(call).encode(), {"Authorization": authorization, "Content-Type": "application/json"}


def settings_secret() -> bytes:
    """What the served process signs with."""
    return Settings(secret_key=SECRET).secret()  # type: ignore[arg-type]
