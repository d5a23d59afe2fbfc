"""The run file: how other processes find the servers of a home that is running."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

import psutil

from engine.errors import ConfigurationError
from workers.embedded.places import prepare


@dataclass(frozen=True)
class Running:
    """Who runs a home, and where. `kind` is `up` for a whole site, `command` for a command that needed the servers.

    `processes` are the pids of its parts by name. `started_at` is the process's start in seconds since 1970, which
    tells it from a later process with the same pid.
    """

    kind: str
    database_url: str
    redis_url: str
    smtp_url: str | None = None
    address: str | None = None
    processes: dict[str, int] = field(default_factory=dict)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=lambda: psutil.Process().create_time())

    def alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) < 1
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def with_processes(self, processes: dict[str, int]) -> Running:
        """The same with other parts."""
        return replace(self, processes=processes)


def write(home: Path, running: Running) -> None:
    """Write the run file at once, readable to its owner only."""
    draft = home / f".run-{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(running), indent=1))
    draft.replace(home / "run.json")


def read(home: Path) -> Running | None:
    """What runs in `home`; None if nothing does, also when the run file is a dead process's."""
    try:
        running = Running(**json.loads((home / "run.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return running if running.alive() else None


def remove(home: Path) -> None:
    """Nobody shall find the servers any more."""
    (home / "run.json").unlink(missing_ok=True)


@contextlib.contextmanager
def using(home: Path) -> Iterator[Running | None]:
    """What runs in `home`, and a claim on it: a command that started the servers waits for those who use them."""
    with _guest_book(home) as book:
        try:
            fcntl.flock(book, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield read(home)


@contextlib.contextmanager
def published(home: Path, running: Running, *, patient: bool) -> Iterator[None]:
    """Let others find these servers for the length of the block; if `patient`, then wait until nobody uses them."""
    write(home, running)
    try:
        yield
    finally:
        with _guest_book(home) as book:
            if patient:
                fcntl.flock(book, fcntl.LOCK_EX)
            remove(home)


def _guest_book(home: Path) -> IO[str]:
    prepare(home)
    return (home / "users.lock").open("a")


def stop(home: Path, patience: float = 40.0) -> int | None:
    """Ask the process that runs `home` to stop, and wait until it is gone; its pid, or None if nothing runs.

    Errors: ConfigurationError if it may not be signalled or is still there after `patience` seconds.
    """
    site = read(home)
    if site is None:
        return None
    try:
        os.kill(site.pid, signal.SIGTERM)
    except PermissionError as error:
        raise ConfigurationError(f"Process {site.pid} belongs to another user; stop it as that user.") from error
    until = time.monotonic() + patience
    while site.alive():
        if time.monotonic() > until:
            raise ConfigurationError(f"Process {site.pid} has not stopped within {patience:.0f} s; see {home / 'log'}.")
        time.sleep(0.05)
    return site.pid
