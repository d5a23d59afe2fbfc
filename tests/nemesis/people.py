"""The contacts of a run and what they do over HTTP, at least once, with a retry on everything but success."""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BATCH = 20
THREADS = 4
TIMEOUT = 8.0
PAUSE = 0.2
PRO = 3
SILENT, LEAVING = 10, 25
CONFIRM_AFTER = 2.0

JOURNEY = """\
journey: nemesis
enter: {on: Signed Up}
goal: {when: did "Confirmed" since entry, within: 1 day, stay: true}
exit: [not subscribed to "news" on email]
send: {topic: news}
steps:
  - email: hello
    id: hello
  - wait: 3 seconds
    id: pause
  - wait_for: did "Confirmed" since entry
    id: confirmed
    up_to: 1 day
  - branch: Plan
    id: plan
    paths:
      - when: plan is "pro"
        do: [{email: second-pro, id: second-pro}]
      - else:
        do: [{email: second-free, id: second-free}]
"""
CONTENT = """\
---
subject: {slug}
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{{{ first_name | default("you") }}}}, <a href="https://shop.example/">look</a>.</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
CONTENTS = ("hello", "second-pro", "second-free", "campaign")
CAMPAIGN = {"campaign": "nemesis", "audience": "plan is set", "topic": "news", "content": "campaign"}
CAMPAIGN_AFTER = 0.6
"""The part of the run after which the campaign starts, so that faults meet its freeze, its batches and its messages."""


@dataclass(frozen=True)
class Person:
    """Contact `number` of a run; what becomes of them follows from the number."""

    number: int

    @property
    def email(self) -> str:
        return f"c{self.number}@nemesis.example"

    @property
    def second(self) -> str:
        """The subject of the second message, should they get one."""
        return "second-pro" if self.number % PRO == 0 else "second-free"

    @property
    def silent(self) -> bool:
        """Never confirms, and so waits to the end."""
        return self.number % SILENT == 0

    @property
    def leaving(self) -> bool:
        """Unsubscribes from the first message before confirming."""
        return self.number % LEAVING == 7

    def signs_up(self) -> list[dict[str, Any]]:
        """The calls that bring them in. Ids sort in the order of what happened."""
        user = f"u{self.number}"
        traits = {"email": self.email, "plan": "pro" if self.number % PRO == 0 else "free", "first_name": "Åsa"}
        return [
            {"type": "identify", "userId": user, "traits": traits, "messageId": f"{user}-1"},
            {"type": "track", "userId": user, "event": "Signed Up", "messageId": f"{user}-2"},
        ]

    def confirms(self) -> dict[str, Any]:
        """The call that meets their wait."""
        return {"type": "track", "userId": f"u{self.number}", "event": "Confirmed", "messageId": f"u{self.number}-3"}


@dataclass
class Crowd:
    """Threads that send. `done` is set once every call that could be made has been answered with success."""

    port: int
    key: str
    record: Path
    people: list[Person]
    seconds: float
    seed: int
    calls: Counter[str] = field(default_factory=Counter)
    left: set[str] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        token = base64.b64encode(f"{self.key}:".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self.lock, self.acted_at = threading.Lock(), time.monotonic()
        batches = [self.people[start : start + BATCH] for start in range(0, len(self.people), BATCH)]
        spacing = self.seconds / max(len(batches), 1)
        shares = [
            [(index * spacing, batch) for index, batch in enumerate(batches) if index % THREADS == number]
            for number in range(THREADS)
        ]
        self.threads = [
            threading.Thread(target=self._send, args=(share, n), daemon=True) for n, share in enumerate(shares)
        ]
        self.reader = threading.Thread(target=self._react, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in (*self.threads, self.reader):
            thread.start()

    @property
    def done(self) -> bool:
        """Whether all planned calls have succeeded; those who leave do so as long as mail reaches them."""
        return not any(thread.is_alive() for thread in self.threads)

    def stop(self) -> None:
        """End the reactions to mail, after the last one."""
        self.stopping.set()
        for thread in (*self.threads, self.reader):
            thread.join(30)

    def _send(self, share: list[tuple[float, list[Person]]], number: int) -> None:
        """Each batch signs up at its time and confirms some seconds later; some calls are made twice."""
        dice, started = random.Random(f"{self.seed} client {number}"), time.monotonic()
        pending: list[tuple[float, list[Person]]] = []
        for at, batch in [*share, (self.seconds + CONFIRM_AFTER, [])]:
            while not self.stopping.is_set() and (wait := started + at - time.monotonic()) > 0:
                time.sleep(min(wait, 0.2))
            self._batch([call for person in batch for call in person.signs_up()], dice)
            pending.append((time.monotonic() + CONFIRM_AFTER, batch))
            while pending and pending[0][0] <= time.monotonic():
                self._confirm(pending.pop(0)[1], dice)
        for due, batch in pending:
            time.sleep(max(0.0, due - time.monotonic()))
            self._confirm(batch, dice)

    def _confirm(self, batch: list[Person], dice: random.Random) -> None:
        calls = [person.confirms() for person in batch if not person.silent and not person.leaving]
        dice.shuffle(calls)
        self._batch(calls, dice)

    def _batch(self, calls: list[dict[str, Any]], dice: random.Random) -> None:
        if not calls:
            return
        body = json.dumps({"batch": calls}).encode()
        for _ in range(2 if dice.random() < 0.05 else 1):
            self._insist("POST", "/v1/batch", body, self.headers, (200,))

    def _insist(self, method: str, path: str, body: bytes, headers: dict[str, str], wanted: tuple[int, ...]) -> None:
        """Call until the answer is a success."""
        while not self.stopping.is_set():
            answer = self._call(method, path, body, headers)
            with self.lock:
                self.calls[answer] += 1
            if answer in map(str, wanted):
                return
            if answer[0] == "4" and answer != "429":
                raise AssertionError(f"{method} {path} was answered with {answer}")
            time.sleep(PAUSE)

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})"
        finally:
            connection.close()

    def _react(self) -> None:
        """Read the receiver's record as it grows: who leaves unsubscribes and only then confirms; some open."""
        position, by_email = 0, {person.email: person for person in self.people}
        dice = random.Random(f"{self.seed} reactions")
        while not self.stopping.is_set():
            text = self.record.read_bytes()[position:] if self.record.exists() else b""
            whole = text[: text.rfind(b"\n") + 1]
            position += len(whole)
            for line in whole.decode().splitlines():
                what, recipient, _, subject, unsubscribe, *looks = line.split("\t")
                if what == "accepted" and subject == "hello" and recipient in by_email:
                    self._react_to(by_email[recipient], unsubscribe, looks, dice)
            self.stopping.wait(0.2)

    def _react_to(self, person: Person, unsubscribe: str, looks: list[str], dice: random.Random) -> None:
        if person.number % 8 == 1:
            for path in looks:
                self._call("GET", path, b"", {"User-Agent": "Mozilla/5.0 (X11) Firefox/140.0"})
        if person.leaving and person.email not in self.left:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            self._insist("POST", unsubscribe, b"List-Unsubscribe=One-Click", form, (200,))
            self.left.add(person.email)
            self._batch([person.confirms()], dice)
        self.acted_at = time.monotonic()
