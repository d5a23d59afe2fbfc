"""Servers for the HTTP benchmarks: a PostgreSQL of their own, `cairn web`, and plain Flask on granian beside it."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.db import Database
from workers.embedded import start_postgres

WORKSPACE = "bench"
SECRET = "only-for-benchmarks"


@dataclass(frozen=True)
class Figure:
    """One line of a result. `ratio` is against `reference`, measured in the same run."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    reference: str = ""
    cpu_us_per_unit: float | None = None
    peak_mb: float | None = None

    def print(self) -> None:
        """For people."""
        against = f"  {self.ratio:6.2f} x {self.reference}" if self.ratio is not None else ""
        cost = f"  {self.cpu_us_per_unit:7.0f} us CPU" if self.cpu_us_per_unit is not None else ""
        print(f"{self.name:<44} {self.value:10,.0f} {self.unit:<10}{against}{cost}", flush=True)


def write(name: str, figures: list[Figure]) -> None:
    """Print, and keep as var/bench/NAME.json."""
    for figure in figures:
        figure.print()
    path = Path("var/bench") / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


@contextmanager
def postgres() -> Iterator[tuple[str, Database, Path]]:
    """A durable PostgreSQL with an empty workspace: its URL, the workspace, the home."""
    with TemporaryDirectory(prefix="cairn-bench-") as folder:
        server = start_postgres(Path(folder))
        database = Database(server.url, workspace=f"cairn_{WORKSPACE}")
        try:
            database.migrate()
            yield server.url, database, Path(folder)
        finally:
            database.close()
            server.stop()


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


def usage(parent: int) -> tuple[float, float]:
    """CPU seconds of the children of a granian process so far, and their peak memory in MB."""
    cpu = peak = 0.0
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
            cpu += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            peak = max(peak, _peak(Path(f"/proc/{child}/status")))
    return cpu, peak


def _peak(status: Path) -> float:
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
