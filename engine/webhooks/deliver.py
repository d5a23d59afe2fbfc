"""Deliver to endpoints: claim, call without a transaction open, write down what came of it.

A claim is a lease: who dies over a call leaves the row to be called again, with the same id. While an endpoint does not
work, one delivery at a time tries it, at growing intervals, and the others wait; so a dead endpoint costs little and
loses nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.contacts.changes import announce
from engine.contacts.identify import set_attributes
from engine.db import Database, cause_of, is_outage
from engine.errors import CairnError
from engine.sealing import Keys
from engine.webhooks.address import Network, parse_url
from engine.webhooks.call import Answer, post
from engine.webhooks.note import render
from engine.webhooks.outcome import GONE, Change, change, delay
from engine.webhooks.secrets import signature, unseal

logger = structlog.get_logger()

AT_ONCE, BATCH = 8, 32
LEASE = dt.timedelta(minutes=2)

ENDPOINTS = text("""
select w.slug, w.url, w.secrets, w.failures from webhooks w
where not w.gone and coalesce(w.retry_at, '-infinity') <= :now and exists (
    select from deliveries d where d.endpoint = w.slug and d.state = 'pending' and d.next_at <= :now)
order by w.failures, w.slug
""")
CLAIM = text("""
update deliveries set attempts = attempts + 1, next_at = :lease
where id = any(array(
    select id from deliveries where endpoint = :slug and state = 'pending' and next_at <= :now
    order by next_at, id limit :limit for update skip locked))
returning id, token, payload, template, store, attempts, created_at
""")
WRITE = text("""
update deliveries d set state = u.state, next_at = coalesce(u.next_at, d.next_at), status = u.status, error = u.error,
    ended_at = case when u.state = 'pending' then null else cast(:now as timestamptz) end
from unnest(cast(:ids as bigint[]), cast(:attempts as bigint[]), cast(:states as text[]),
    cast(:next_at as timestamptz[]), cast(:statuses as bigint[]), cast(:errors as text[]))
    as u(id, attempts, state, next_at, status, error)
join deliveries own on own.id = u.id join enrolments e on e.id = own.enrolment_id
where d.id = u.id and d.attempts = u.attempts and d.state = 'pending'
returning d.id, e.contact_id, d.step_id, d.store
""")
WORKS = text("""
update webhooks set failures = 0, failing_since = null, retry_at = null, error = null
where slug = :slug and failures > 0
""")
FAILS = text("""
update webhooks set failures = failures + 1, failing_since = coalesce(failing_since, :now), retry_at = :retry_at,
    gone = :gone, error = :error
where slug = :slug
""")


class Endpoint(NamedTuple):
    """A row of `webhooks`, as far as calling it needs."""

    slug: str
    url: str
    secrets: bytes
    failures: int


class Done(NamedTuple):
    """A delivery (a row of `CLAIM`) with its answer and what follows."""

    row: Any
    answer: Answer
    change: Change


Clock = Callable[[Session], dt.datetime]


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers in one workspace. `keys` open the secrets, `allowed` are networks of our own that may be reached.

    `timestamp` (seconds since 1970) is what calls are signed with; the real time if None, whatever `clock` says, for
    receivers compare it with theirs.
    """

    database: Database
    clock: Clock
    keys: Keys
    allowed: Sequence[Network] = ()
    timestamp: int | None = None

    def deliver(self, seconds: float) -> int:
        """Deliver what is due for about `seconds`; how many calls were made."""
        total, until = 0, time.monotonic() + seconds
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while time.monotonic() < until:
                with self.database.transaction() as session:
                    found = session.execute(ENDPOINTS, {"now": self.clock(session)})
                    endpoints = [Endpoint(*row) for row in found]
                made = 0
                for endpoint in endpoints:
                    if time.monotonic() < until:
                        made += self._batch(endpoint, pool)
                if not made:
                    break
                total += made
        return total

    def _batch(self, endpoint: Endpoint, pool: ThreadPoolExecutor) -> int:
        """Claim some of one endpoint, call, write."""
        with self.database.transaction() as session:
            now = self.clock(session)
            limit = 1 if endpoint.failures else BATCH
            values = {"slug": endpoint.slug, "now": now, "lease": now + LEASE, "limit": limit}
            rows = session.execute(CLAIM, values).all()
            name = workspace.load(session).name
        silent = threading.Event()
        answers = list(pool.map(lambda row: self._call(endpoint, row, name, silent), rows))
        self._write(endpoint, rows, answers)
        return len(rows)

    def _write(self, endpoint: Endpoint, rows: Sequence[Any], answers: Sequence[Answer]) -> None:
        """An answer that cannot be written must not have the calls of its whole batch made again."""
        try:
            with self.database.transaction() as session:
                now = self.clock(session)
                judge(session, endpoint, write(session, rows, answers, now), now)
        except Exception as error:
            if is_outage(error):
                raise
            done = [self._write_one(row, answer) for row, answer in zip(rows, answers, strict=True)]
            with self.database.transaction() as session:
                judge(session, endpoint, done, self.clock(session))

    def _write_one(self, row: Any, answer: Answer) -> Done:
        try:
            with self.database.transaction() as session:
                [done] = write(session, [row], [answer], self.clock(session))
        except Exception as error:
            if is_outage(error):
                raise
            logger.exception("deliveries.unwritable", delivery=row.id)
            refused = Answer(error=f"the answer cannot be written down: {cause_of(error)}", hopeless=True)
            with self.database.transaction() as session:
                [done] = write(session, [row], [refused], self.clock(session))
        return done

    def _call(self, endpoint: Endpoint, row: Any, workspace_name: str, silent: threading.Event) -> Answer:
        """Once one call of the batch got no answer, those that have not begun wait for a better time."""
        if silent.is_set():
            return Answer(error="the endpoint does not answer")
        at = int(time.time()) if self.timestamp is None else self.timestamp
        try:
            body = body_of(row, workspace_name)
        except CairnError as error:
            return Answer(error=str(error), hopeless=True)
        try:
            url, secrets = parse_url(endpoint.url), unseal(endpoint.secrets, self.keys)
        except CairnError as error:
            return Answer(error=str(error))
        answer = post(url, body, headers(row.token, at, body, secrets), self.allowed)
        if answer.status is None:
            silent.set()
        return answer


def body_of(row: Any, workspace_name: str) -> bytes:
    """The JSON of a call. Raises CairnError when the note does not render."""
    payload = dict(row.payload)
    if row.template is not None:
        payload["data"] = {**payload["data"], "message": render(row.template, context(payload, workspace_name))}
    return json.dumps(payload, ensure_ascii=False).encode()


def context(payload: dict[str, Any], workspace_name: str) -> dict[str, Any]:
    """The names that a note may read: those of messages, and `journey` and `step`."""
    data = payload["data"]
    contact = {**data["contact"]["attributes"], **{k: v for k, v in data["contact"].items() if k != "attributes"}}
    event = data["event"].get("properties", data["event"])
    names = {"contact": contact, "event": event, "workspace": {"name": workspace_name}}
    return {**contact, **names, "journey": data["journey"], "step": data["step"]}


def headers(token: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Standard Webhooks 1.0: the id is the same at every try, so that the receiver knows a repetition."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Cairn",
        "webhook-id": f"msg_{token}",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secrets, f"msg_{token}", timestamp, body),
    }


def write(session: Session, rows: Sequence[Any], answers: Sequence[Answer], now: dt.datetime) -> list[Done]:
    """States, responses into their attributes, and word to entries that wait."""
    done = {
        row.id: Done(row, answer, change(answer, row.attempts, row.created_at, now, random.uniform(0.8, 1.2)))
        for row, answer in zip(rows, answers, strict=True)
    }
    kept: dict[int, dict[str, Any]] = {}
    waiting = []
    for id_, contact_id, step_id, store in session.execute(WRITE, _columns(done) | {"now": now}):
        _, answer, changed = done[id_]
        if store is None or changed.state == "pending":
            continue
        waiting.append((contact_id, "settled", (step_id,)))
        if changed.state == "delivered" and answer.value is not None:
            kept.setdefault(contact_id, {})[store] = answer.value
    if kept:
        set_attributes(session, kept, now)
    announce(session, waiting, now)
    return list(done.values())


def _columns(done: Mapping[int, Done]) -> dict[str, Any]:
    return {
        "ids": literal(done),
        "attempts": literal([one.row.attempts for one in done.values()]),
        "states": literal([one.change.state for one in done.values()]),
        "next_at": literal([one.change.next_at for one in done.values()]),
        "statuses": literal([one.answer.status for one in done.values()]),
        "errors": literal([_storable(one.change.error) or None for one in done.values()]),
    }


def _storable(error: str) -> str:
    """Receivers write into it: a status line may hold anything."""
    return error.replace("\0", "")[:300]


def judge(session: Session, endpoint: Endpoint, done: Sequence[Done], now: dt.datetime) -> None:
    """Write down whether the endpoint works."""
    blamed = [one for one in done if one.change.blames]
    if any(one.change.state == "delivered" for one in done):
        session.execute(WORKS, {"slug": endpoint.slug})
    elif blamed:
        last = blamed[-1]
        gone = last.answer.status == GONE
        pause = delay(endpoint.failures + 1, 1.0)
        retry_at = now + max(pause, dt.timedelta(seconds=last.answer.retry_after))
        error = _storable(last.change.error)
        session.execute(FAILS, {"slug": endpoint.slug, "now": now, "retry_at": retry_at, "gone": gone, "error": error})
