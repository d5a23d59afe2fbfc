"""What benchmarks share: figures with their ratios, CPU and peak memory of process trees, a PostgreSQL of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from engine.db import Database
from workers.embedded import start_postgres

WORKSPACE = "bench"


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


class Meter:
    """CPU seconds of process trees since the meter was made, and the peak resident memory of their largest process.

    `psutil.Process().pid` measures the benchmark itself with all its children, the PostgreSQL it started among them.
    """

    def __init__(self, *pids: int) -> None:
        self.pids = pids
        self.started = self._seconds()

    def cpu(self) -> float:
        """Seconds of user and system time since the start, children that ended and were waited for included."""
        return self._seconds() - self.started

    def peak_mb(self) -> float:
        """The largest peak of resident memory among the processes that live now."""
        return max((_peak(each.pid) for each in self._processes()), default=0.0)

    def _seconds(self) -> float:
        return sum(map(_cpu, self._processes()))

    def _processes(self) -> list[psutil.Process]:
        roots = [psutil.Process(pid) for pid in self.pids if psutil.pid_exists(pid)]
        return [each for root in roots for each in (root, *root.children(recursive=True))]


def _cpu(process: psutil.Process) -> float:
    """Of a process that has just ended its parent knows."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0.0)
