"""A whole site as processes that are started, killed and started again one by one."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.db import Database
from engine.settings import Settings
from tests.nemesis.disk import SmallDisk
from workers.database import open_database
from workers.embedded import Urls, process, start_postgres, start_redis

SECRET = "only-for-tests"
CONNECTIONS = 4
SENDERS = ("worker-1", "worker-2")
SCHEDULERS = ("scheduler-1", "scheduler-2")
CAIRN = ("web", *SENDERS, *SCHEDULERS)
STOPPING = 15.0
START_PATIENCE = 120.0
SMALL_LOG = "max_wal_size = '256MB'\n"


@dataclass
class Part:
    """A process by name. `start_at` is on the monotonic clock; `killed` says that its end was ours."""

    name: str
    spawn: Callable[[], subprocess.Popen[bytes]]
    child: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    killed: bool = False

    @property
    def alive(self) -> bool:
        """Whether the process runs or is stopped."""
        return self.child is not None and self.child.poll() is None


@dataclass
class Stage:
    """A site in `folder`; the receiver's record lies beside the home, where no fault of the disk reaches it.

    All calls come from one thread, which the processes are tied to. `ended` counts ends that nobody asked for.
    """

    folder: Path
    seed: int
    disk: SmallDisk | None = None
    no_disk: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.home, self.record = self.folder / "site", self.folder / "record"
        self.home.mkdir(mode=0o711)
        self.folder.chmod(0o711)
        try:
            self.disk = SmallDisk(self.home)
        except OSError as error:
            self.no_disk = str(error)
        self.port, self.smtp_port = free_port(), free_port()

    def start(self) -> Database:
        """Start everything; the migrated database."""
        postgres, redis = start_postgres(self.home), start_redis(self.home)
        with (postgres.data / "postgresql.conf").open("a") as file:
            file.write(SMALL_LOG)
        self._keep("postgres", lambda: start_postgres(self.home).child, postgres.child)
        self._keep("redis", lambda: start_redis(self.home).child, redis.child)
        os.kill(postgres.pid, signal.SIGHUP)
        self.urls = Urls(postgres.url, redis.url, f"smtp://127.0.0.1:{self.smtp_port}")
        settings = Settings(home=self.home)
        database = open_database(settings, self.urls)
        arguments = map(str, (self.seed, self.smtp_port, self.record))
        self._keep("receiver", self._program("receiver", "tests.nemesis.receiver", *arguments))
        for name in CAIRN:
            self._keep(name, self._program(name, "webapp.cli", name.partition("-")[0]))
        self.tend()
        return database

    def _keep(
        self, name: str, spawn: Callable[[], subprocess.Popen[bytes]], child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.parts[name] = Part(name, spawn, child)

    def _program(self, name: str, module: str, *arguments: str) -> Callable[[], subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", module, *arguments]
        log = self.folder / "record.log" if name == "receiver" else self.home / "log" / f"{name}.log"
        return lambda: process.spawn(command, log, death_signal=signal.SIGKILL, env=self._environment())

    def _environment(self) -> dict[str, str]:
        return dict(os.environ) | {
            "DATABASE_URL": self.urls.database_url, "REDIS_URL": self.urls.redis_url, "CAIRN_HOME": str(self.home),
            "CAIRN_SMTP_URL": str(self.urls.smtp_url), "CAIRN_SMTP_CONNECTIONS": str(CONNECTIONS),
            "CAIRN_HOST": "127.0.0.1", "CAIRN_PORT": str(self.port), "CAIRN_SECRET_KEY": SECRET,
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    def tend(self) -> None:
        """Start again whoever has ended, as a supervisor does; one that fails to start is tried again later."""
        for part in self.parts.values():
            if part.alive or time.monotonic() < part.start_at:
                continue
            if part.child is not None and not part.killed:
                self.ended[part.name] += 1
            part.killed = False
            try:
                part.child = part.spawn()
            except Exception as error:  # the disk may be full; whatever it is, a supervisor goes on
                print(f"{part.name} does not start yet: {str(error).splitlines()[-1]}")
            part.start_at = time.monotonic() + 0.5

    def await_ready(self) -> None:
        """Wait until the site takes calls and its workers work: faults before that would meet nobody."""
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until:
            if self._answers() and all("worker_started" in self._log(name) for name in SENDERS):
                return
            self.tend()
            time.sleep(0.1)
        raise AssertionError(f"The site did not start within {START_PATIENCE:.0f} s:\n{self._log('web')[-2000:]}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @property
    def lost_senders(self) -> int:
        """Mail transactions that may have been under way in workers that ended by themselves."""
        return CONNECTIONS * sum(self.ended[name] for name in SENDERS)

    def calm(self) -> None:
        """From now on the receiver behaves."""
        child = self.parts["receiver"].child
        if child is not None:
            child.send_signal(signal.SIGUSR1)

    def kill(self, name: str, number: signal.Signals, delay: float) -> bool:
        """Send a deadly signal, wait for the end, and let it be started again after `delay` seconds."""
        part = self.parts[name]
        if not part.alive or part.child is None:
            return False
        part.child.send_signal(number)
        part.child.send_signal(signal.SIGCONT)
        part.child.wait(60)
        part.killed, part.start_at = True, time.monotonic() + delay
        return True

    def children(self, name: str) -> list[psutil.Process]:
        """The processes that a part has started."""
        part = self.parts[name]
        return psutil.Process(part.child.pid).children() if part.alive and part.child else []

    def leader(self) -> str:
        """The scheduler that won last, by its own log."""
        fences = {name: re.findall(r"leading.*fence=(\d+)", self._log(name)) for name in SCHEDULERS}
        return max(SCHEDULERS, key=lambda name: int(fences[name][-1]) if fences[name] else 0)

    def _log(self, name: str) -> str:
        return (self.home / "log" / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """Stop what runs: Cairn first, its servers last."""
        for name in (*CAIRN, "receiver", "redis", "postgres"):
            if (part := self.parts.get(name)) and part.child is not None:
                part.child.send_signal(signal.SIGCONT)
                number = signal.SIGINT if name == "postgres" else signal.SIGTERM
                process.stop(part.child, (number, STOPPING))

    def keep_logs(self) -> Path:
        """Copy the logs out of the small disk."""
        return Path(shutil.copytree(self.home / "log", self.folder / "log", dirs_exist_ok=True))


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
