"""Web servers for the HTTP benchmarks: `cairn web`, and plain Flask on granian beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import WORKSPACE

SECRET = "only-for-benchmarks"


@contextmanager
def cairn(url: str, home: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`cairn web` on a free port; Redis is away, doorbells cost nothing but the attempt."""
    port = free_port()
    values = {
        "DATABASE_URL": url, "REDIS_URL": f"unix://{home}/none.sock", "CAIRN_WORKSPACE": WORKSPACE,
        "CAIRN_HOME": str(home), "CAIRN_PORT": str(port), "CAIRN_SECRET_KEY": SECRET,
    }  # fmt: skip
    with serving([sys.executable, "-m", "webapp.cli", "web"], port, values) as child:
        yield port, child


@contextmanager
def plain_flask() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The pixel as a Flask view that stores nothing, on the same server with the same threads."""
    port = free_port()
    options = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "64", "--port", str(port)]
    command = [sys.executable, "-m", "granian", *options, "--no-ws", "benchmarks.plain_flask:application"]
    with serving(command, port, {}) as child:
        yield port, child


@contextmanager
def serving(command: list[str], port: int, values: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start, wait until the port answers, stop."""
    child = subprocess.Popen(command, env=os.environ | values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(30)


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
