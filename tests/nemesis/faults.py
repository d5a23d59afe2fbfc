"""Carries a plan out on a stage."""

from __future__ import annotations

import bisect
import contextlib
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psutil
from redis import Redis
from redis.exceptions import RedisError

from tests.nemesis.plan import Fault
from tests.nemesis.stage import CONNECTIONS, SCHEDULERS, SENDERS, Stage

AGAIN = 0.5
NOTHING_MORE = (0, resource.RLIM_INFINITY)
EVERYTHING = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@dataclass
class Nemesis:
    """`kills`, `pauses` and `shortages` count what took place. `in_flight` is how many mail transactions could be under
    way at all kills together, so how many messages may be `unknown` by them."""

    stage: Stage
    faults: list[Fault]
    dice: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    pauses: Counter[str] = field(default_factory=Counter)
    shortages: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    undo: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether everything planned has been done and undone."""
        return not self.faults and not self.undo

    def step(self) -> None:
        """Do what is due by now. A victim who is dead already suffers later, so that nothing planned is missed."""
        now = time.monotonic()
        for item in [each for each in self.undo if each[0] <= now]:
            self.undo.remove(item)
            item[1]()
        while self.faults and self.faults[0].at <= now - self.started:
            fault = self.faults.pop(0)
            if not getattr(self, f"_{fault.what}")(fault):
                bisect.insort(self.faults, replace(fault, at=fault.at + AGAIN))

    def _later(self, fault: Fault, action: Callable[[], object]) -> None:
        self.undo.append((time.monotonic() + fault.delay, action))

    def _somebody(self, whom: str) -> str:
        if whom == "leader":
            return self.stage.leader()
        return self.dice.choice({"worker": SENDERS, "scheduler": SCHEDULERS}.get(whom, (whom,)))

    def _kill(self, fault: Fault) -> bool:
        if fault.whom in ("web-child", "backend"):
            return self._kill_child(fault)
        name = self._somebody(fault.whom)
        number = signal.SIGQUIT if name == "postgres" else signal.SIGKILL
        if not self.stage.kill(name, number, fault.delay):
            return False
        self.kills[name] += 1
        self.in_flight += CONNECTIONS * {"receiver": len(SENDERS)}.get(name, int(name in SENDERS))
        return True

    def _kill_child(self, fault: Fault) -> bool:
        found = self.stage.children({"web-child": "web", "backend": "postgres"}[fault.whom])
        if fault.whom == "backend":
            found = [each for each in found if _is_session(each)]
        if not found:
            return False
        self.dice.choice(found).kill()
        self.kills[fault.whom] += 1
        return True

    def _pause(self, fault: Fault) -> bool:
        part = self.stage.parts[self._somebody(fault.whom)]
        if not part.alive or part.child is None:
            return False
        stopped = [psutil.Process(part.child.pid), *self.stage.children(part.name)]
        for each in stopped:
            each.suspend()
        self._later(fault, lambda: _resume(stopped))
        self.pauses[fault.whom] += 1
        return True

    def _disk(self, fault: Fault) -> bool:
        disk = self.stage.disk
        if disk is None:
            self.shortages["full disks NOT POSSIBLE"] += 1
            return True
        disk.fill()
        self._later(fault, disk.free)
        self.shortages["disk full"] += 1
        return True

    def _files(self, fault: Fault) -> bool:
        part = self.stage.parts[self._somebody("worker")]
        if not part.alive or part.child is None:
            return False
        pid = part.child.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NOTHING_MORE)
        self._later(fault, lambda: _unlimited(pid))
        self.shortages["no file may grow"] += 1
        return True

    def _flush(self, _: Fault) -> bool:
        try:
            Redis.from_url(self.stage.urls.redis_url, socket_timeout=1).flushall()
        except RedisError:
            return False
        self.shortages["redis flushed"] += 1
        return True


def _is_session(each: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("cairn" in word for word in each.cmdline()) and "[local]" in " ".join(each.cmdline())
    return False


def _resume(stopped: list[psutil.Process]) -> None:
    for each in stopped:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.resume()


def _unlimited(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, EVERYTHING)
