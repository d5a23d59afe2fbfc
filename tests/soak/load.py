"""Steady load on a site: people who come again and again, confirm, open and click."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROUND = 60.0
"""Seconds after which the same people come again, so that tables of contacts and memberships change all the time but
grow only at first. Nobody's journey takes longer."""

TICK = 0.5
CONFIRM_AFTER = 8.0
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
SEGMENT = ("lately", 'did "Confirmed" in the last 2 minutes and plan is "pro"')
JOURNEY = """\
journey: steady
enter: {on: Signed Up, again: always}
goal: {when: did "Confirmed" since entry, within: 1 day, value: event.worth, stay: true}
steps:
  - email: hello
    id: hello
  - wait_for: did "Confirmed" since entry
    id: confirmed
    up_to: 30 seconds
    timeout:
      - exit: true
        id: silent
  - branch: Plan
    id: plan
    paths:
      - when: plan is "pro"
        do: [{email: second, id: second}]
      - else:
        do: [{set: {plan: free}, id: free}]
"""
CONTENT = """\
---
subject: {slug}
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{{{ first_name | default("you") }}}}, <a href="https://shop.example/{slug}">look</a>.</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
CONTENTS = ("hello", "second")


@dataclass
class Load:
    """`rate` people a second; `answers` counts statuses, `late` is the longest time that a call began behind plan."""

    address: str
    key: str
    record: Path
    rate: float
    answers: Counter[str] = field(default_factory=Counter)
    late: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.population = int(self.rate * ROUND)
        self.host = self.address.removeprefix("http://")
        token = base64.b64encode(f"{self.key}:".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self.lock, self.kept = threading.Lock(), threading.local()
        bodies: tuple[Callable[[], None], ...] = (self._sign_up, self._confirm, self._look)
        self.threads = [threading.Thread(target=body, daemon=True) for body in bodies]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End after the calls under way."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def _ticks(self, delay: float) -> Any:
        """The numbers of the people whose turn it is, once a tick, as a steady flow whatever an answer took."""
        started, numbers = time.monotonic() + delay, itertools.count()
        for tick in itertools.count():
            self.late = max(self.late, time.monotonic() - started - tick * TICK)
            if self.stopping.wait(max(0.0, started + tick * TICK - time.monotonic())):
                return
            yield list(itertools.islice(numbers, int(self.rate * TICK)))

    def _sign_up(self) -> None:
        """In batches; what is known of each changes with each round."""
        for numbers in self._ticks(0.0):
            calls = []
            for number in numbers:
                user, turn = f"u{number % self.population}", number // self.population
                plan = "pro" if (number + turn) % 2 else "free"
                traits = {"email": f"{user}@soak.example", "plan": plan, "first_name": f"N{turn}"}
                calls.append({"type": "identify", "userId": user, "traits": traits})
                calls.append({"type": "track", "userId": user, "event": "Signed Up"})
            self._post("/v1/batch", {"batch": calls})

    def _confirm(self) -> None:
        """One by one; every third stays silent and runs into the end of the wait."""
        for numbers in self._ticks(CONFIRM_AFTER):
            for number in numbers:
                if number % 3:
                    user, worth = f"u{number % self.population}", {"worth": number % 50}
                    self._post("/v1/track", {"userId": user, "event": "Confirmed", "properties": worth})

    def _look(self) -> None:
        """Of those who got mail, every third opens and every ninth clicks."""
        position, seen = 0, itertools.count()
        while not self.stopping.wait(TICK):
            with self.record.open("rb") as file:
                file.seek(position)
                lines = file.read().split(b"\n")[:-1]
            position += sum(len(line) + 1 for line in lines)
            for line in lines:
                what, *_, pixel, link = line.decode().split("\t")
                if what != "accepted" or (number := next(seen)) % 3:
                    continue
                self._call("GET", pixel, b"", AGENT)
                if number % 9 == 0:
                    self._call("GET", link, b"", AGENT)

    def _post(self, path: str, body: Any) -> None:
        self._call("POST", path, json.dumps(body).encode(), self.headers)

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        """One request on this thread's connection, which is opened anew after a failure."""
        connection = getattr(self.kept, "connection", None) or http.client.HTTPConnection(self.host, timeout=30)
        self.kept.connection = connection
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status = type(error).__name__
        with self.lock:
            self.answers[status] += 1
