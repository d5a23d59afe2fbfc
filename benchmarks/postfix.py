"""Postfix's own test programs: `smtp-sink`, the receiver that counts, and `smtp-source`, the client in C."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def program(name: str) -> str:
    """Where it is (Debian's package `postfix` keeps both in /usr/sbin). Raises FileNotFoundError."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        raise FileNotFoundError(f"There is no {name}: install Postfix (it need not run).")
    return found


@dataclass(frozen=True)
class Sink:
    """A running sink; `url` is for CAIRN_SMTP_URL."""

    port: int
    pid: int
    output: Path

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?starttls=no"

    def received(self) -> int:
        """Messages so far, by its own counter."""
        counted = re.findall(r"mesg=(\d+)", self.output.read_text()[-200:])
        return int(counted[-1]) if counted else 0


@contextmanager
def sink(folder: Path) -> Iterator[Sink]:
    """A sink on a free port for the length of the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    user = ["-u", "root"] if os.geteuid() == 0 else []
    output = folder / "sink.txt"
    with output.open("wb") as file:
        child = subprocess.Popen([program("smtp-sink"), "-c", *user, f"127.0.0.1:{port}", "100"], stdout=file)
    try:
        _wait_for(port)
        yield Sink(port, child.pid, output)
    finally:
        child.terminate()
        child.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError("smtp-sink does not answer.")


def source(target: Sink, message: Path, count: int, connections: int) -> float:
    """Send `count` copies of the message in a file over as many connections, kept open; the seconds that it took."""
    command = [program("smtp-source"), "-d", "-s", str(connections), "-m", str(count), "-F", str(message)]
    started = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{target.port}"], check=True)
    return time.perf_counter() - started
