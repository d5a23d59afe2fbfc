"""Keeps a site running: starts its processes, starts them again when they end, and stops all of them together."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workers.embedded import places, process

ROOT = Path(__file__).resolve().parents[1]
BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from webapp.cli import main; main(prog_name='cairn')"
TICK = 0.1
HEALTHY_AFTER = 30.0
LONGEST_DELAY = 30.0
GRACE = 6.0

Report = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """A process of the site: `cairn ARGUMENTS`. Parts of a lower stage are stopped first."""

    name: str
    arguments: tuple[str, ...]
    stage: int = 0


PARTS = (
    Part("mailbox", ("mailbox",), stage=1),
    Part("web", ("web",)),
    Part("worker-1", ("worker",)),
    Part("worker-2", ("worker",)),
    Part("scheduler", ("scheduler",)),
)
"""What a site consists of; the Procfile lists the same. The mailbox goes last, as workers may still hand mail to it."""
TEXTS = Part("texts", ("sms", "receive"))
"""Where texts go over SMPP, one more keeps the session in which the gateway delivers; the Procfile has it too."""


BOUNCES = Part("bounces", ("bounces", "listen"))
"""Where CAIRN_BOUNCE_LISTEN says that mail that comes back is taken here."""


@dataclass
class Kept:
    """A part with its process. `failures` counts ends in a row; `start_at` is on the monotonic clock."""

    part: Part
    log: Path
    child: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    start_at: float = 0.0

    def start(self, env: Mapping[str, str]) -> None:
        """Start the process; it is killed when this thread ends, whatever ends it."""
        command = [sys.executable, "-P", "-c", BOOT, str(ROOT), *self.part.arguments]
        self.child = process.spawn(command, self.log, death_signal=signal.SIGKILL, env=env)
        self.started = time.monotonic()

    def look(self) -> str | None:
        """If the process has ended, plan its next start and say what happened."""
        if self.child is None or (code := self.child.poll()) is None:
            return None
        self.child = None
        self.failures = 1 if time.monotonic() - self.started > HEALTHY_AFTER else self.failures + 1
        delay = min(LONGEST_DELAY, 0.5 * 2 ** (self.failures - 1))
        self.start_at = time.monotonic() + delay
        end = process.last_lines(self.log)
        what = f"{self.part.name} ended ({_ending(code)}) and starts again in {delay:.1f} s."
        return f"{what} Its log {self.log} ends:\n{end}"


@dataclass
class Supervisor:
    """Runs in a thread of its own, because children are tied to the thread that starts them."""

    env: Mapping[str, str]
    home: Path
    report: Report
    changed: Callable[[dict[str, int]], None]
    parts: Sequence[Part] = PARTS
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.kept = [Kept(part, places.log_file(self.home, part.name)) for part in self.parts]
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def start(self) -> None:
        """Start all parts and keep them running until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop all parts, stage by stage; returns when they are gone, after some seconds at most."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def failures(self, name: str) -> int:
        """How often in a row a part has ended."""
        return next(kept.failures for kept in self.kept if kept.part.name == name)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._tend()
                self._stop.wait(TICK)
        finally:
            for stage in sorted({part.stage for part in self.parts}):
                _stop_together([kept.child for kept in self.kept if kept.part.stage == stage and kept.child])

    def _tend(self) -> None:
        """One round: note what has ended, start what is due."""
        changed = False
        for kept in self.kept:
            if message := kept.look():
                self.report(message)
            if kept.child is None and time.monotonic() >= kept.start_at:
                kept.start(self.env)
                changed = True
        if changed:
            self.changed({kept.part.name: kept.child.pid for kept in self.kept if kept.child})


def _stop_together(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.send_signal(signal.SIGTERM)
    until = time.monotonic() + GRACE
    while time.monotonic() < until and any(child.poll() is None for child in children):
        time.sleep(0.02)
    for child in children:
        process.stop(child)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"by signal {-code}"
