"""Group commit: one writer thread turns everything pending into one transaction.

There is no timer: while one commit runs, the next batch gathers. A request is answered after its commit. Where much
gathers, as batches of events do, a second thread commits beside the first: Python works for one of them while
PostgreSQL does for the other.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database, Line
from engine.errors import CairnError
from webapp.dbtrouble import Trouble, diagnose

log = structlog.get_logger(__name__)

ATTEMPTS = 4  # of a transaction that lost a deadlock or a serialisation race


class Busy(CairnError):
    """More work is pending than may wait; the client should come back in a second."""


class Unavailable(CairnError):
    """The database is away; nothing of the request is stored as far as is known."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of a commit; `virtual` says that the clock is simulated, so arrival times mean nothing."""

    now: dt.datetime
    virtual: bool


Handler = Callable[[Session, Sequence[Any], Moment], Sequence[Any]]
"""Writes many payloads of one kind and returns one result for each, in order. Never commits."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's work and, once `done` is released, its result or its error."""

    kind: str
    payload: Any
    weight: int = 1
    done: threading.Lock | None = None
    result: Any = None
    error: BaseException | None = None

    def resolve(self, result: Any = None, error: BaseException | None = None) -> None:
        """Wake the request that waits; deferred work has nobody waiting."""
        self.result, self.error = result, error
        if self.done is not None:
            self.done.release()


@dataclass(slots=True)
class Stats:
    """Counters since the start of the process."""

    commits: int = 0
    tickets: int = 0
    dropped: int = 0
    away: bool = False


@dataclass(slots=True)
class Limits:
    """How much may wait. Weights are events or hits; times are seconds. From `crowd` on two threads commit: fewer are
    done sooner in one commit than in two."""

    pending: int = 50_000
    crowd: int = 200
    deferred: int = 20_000
    per_commit: int = 10_000
    deferred_delay: float = 0.05
    retry_delay: float = 0.5
    patience: float = 20.0


@dataclass(slots=True)
class _Queues:
    urgent: list[Ticket] = field(default_factory=list)
    deferred: list[Ticket] = field(default_factory=list)
    pending: int = 0
    flush_at: float = 0.0
    dropped: int = 0
    closing: bool = False


class GroupCommit:
    """The writer of this process. `handlers` run in their order, each once a transaction; of work that is pending at
    the same time any may be committed first.

    `committed` is called after each commit with the kinds that it held; it must return at once.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        committed: Callable[[set[str]], None] = lambda _kinds: None,
        limits: Limits | None = None,
    ) -> None:
        self.stats = Stats()
        self._database = database
        self._handlers = handlers
        self._committed = committed
        self._limits = limits or Limits()
        self._queues = _Queues()
        lock = threading.Lock()
        self._wake, self._crowded = threading.Condition(lock), threading.Condition(lock)
        self._threads = [
            threading.Thread(target=self._run, args=(take,), name="group-commit", daemon=True)
            for take in (self._take, self._take_of_crowd)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, kind: str, payload: Any, weight: int = 1) -> Any:
        """Write `payload` with the next commit and return its handler's result, once it is durable.

        Raises Busy when too much is pending, Unavailable while the database is away, else what the handler raised.
        """
        done = threading.Lock()
        done.acquire()
        ticket = Ticket(kind, payload, weight, done)
        with self._wake:
            queues = self._queues
            if queues.closing:
                raise Unavailable("This server is shutting down.")
            if queues.pending + weight > self._limits.pending and queues.pending:
                raise Busy("Too much is waiting to be written.")
            queues.pending += weight
            queues.urgent.append(ticket)
            self._wake.notify()
            if queues.pending >= self._limits.crowd:
                self._crowded.notify()
        if not done.acquire(timeout=self._limits.patience):
            raise Unavailable("The database did not answer in time.")
        if ticket.error is not None:
            raise ticket.error
        return ticket.result

    def offer(self, kind: str, payload: Any) -> bool:
        """Write `payload` within a tenth of a second, without waiting; False when the buffer is full and it is lost."""
        with self._wake:
            queues = self._queues
            if len(queues.deferred) >= self._limits.deferred:
                queues.dropped += 1
                return False
            if not queues.deferred:
                queues.flush_at = time.monotonic() + self._limits.deferred_delay
                self._wake.notify()
            queues.deferred.append(Ticket(kind, payload))
            return True

    def alive(self) -> bool:
        """Whether the writer threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def close(self, timeout: float = 10.0) -> None:
        """Write what is pending and stop. Further submissions are refused."""
        with self._wake:
            self._queues.closing = True
            self._wake.notify()
            self._crowded.notify()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _run(self, take: Callable[[], tuple[list[Ticket], bool]]) -> None:
        line = Line(self._database)
        while True:
            tickets, last = take()
            self._write(tickets, line)
            self._report_drops()
            if last:
                line.close()
                return

    def _take(self) -> tuple[list[Ticket], bool]:
        """What is pending, urgent first; True with the last batch of a closing writer."""
        with self._wake:
            queues = self._queues
            while not (queues.urgent or queues.closing):
                if not queues.deferred:
                    self._wake.wait()
                elif (remaining := queues.flush_at - time.monotonic()) > 0:
                    self._wake.wait(remaining)
                else:
                    break
            taken = self._take_urgent()
            room = max(self._limits.per_commit - len(taken), 0)
            taken += queues.deferred[:room]
            del queues.deferred[:room]
            return taken, queues.closing and not (queues.urgent or queues.deferred)

    def _take_of_crowd(self) -> tuple[list[Ticket], bool]:
        """As `_take`, of urgent work, once so much is pending that it pays; deferred work can wait for the first."""
        with self._crowded:
            queues = self._queues
            while not queues.closing and queues.pending < self._limits.crowd:
                self._crowded.wait()
            return self._take_urgent(), queues.closing and not queues.urgent

    def _take_urgent(self) -> list[Ticket]:
        """From the front, up to the weight of one commit; one heavier than that goes alone."""
        queues, weight, count = self._queues, 0, 0
        for ticket in queues.urgent:
            if count and weight + ticket.weight > self._limits.per_commit:
                break
            weight += ticket.weight
            count += 1
        taken = queues.urgent[:count]
        del queues.urgent[:count]
        queues.pending -= weight
        return taken

    def _write(self, tickets: list[Ticket], line: Line) -> None:
        """Commit the tickets together; a failure is bisected, so that only the guilty one errs."""
        if not tickets:
            return
        try:
            results = self._commit(tickets, line)
        except Exception as error:
            self._fail(tickets, line, error)
            return
        self._note_away(False)
        with self._wake:
            self.stats.commits += 1
            self.stats.tickets += len(tickets)
        for ticket, result in zip(tickets, results, strict=True):
            ticket.resolve(result)
        self._tell({ticket.kind for ticket in tickets})

    def _fail(self, tickets: list[Ticket], line: Line, error: Exception) -> None:
        if diagnose(error) is Trouble.AWAY:
            self._note_away(True, error)
            self._give_back(tickets)
        elif len(tickets) > 1:
            middle = len(tickets) // 2
            self._write(tickets[:middle], line)
            self._write(tickets[middle:], line)
        else:
            if tickets[0].done is None:
                log.error("deferred write refused", kind=tickets[0].kind, error=repr(error))
            tickets[0].resolve(error=error)

    def _commit(self, tickets: list[Ticket], line: Line) -> list[Any]:
        """One transaction over all tickets; a lost race is run again. Results in the order of the tickets."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with line.transaction() as session:
                    return self._apply(session, tickets)
            except Exception as error:
                if attempt == ATTEMPTS or diagnose(error) is not Trouble.RACE:
                    raise
        raise AssertionError("unreachable")

    def _apply(self, session: Session, tickets: list[Ticket]) -> list[Any]:
        virtual = clock.virtual_now(session)
        moment = Moment(virtual or dt.datetime.now(dt.UTC), virtual is not None)
        results: dict[int, Any] = {}
        for kind, handler in self._handlers.items():
            mine = [ticket for ticket in tickets if ticket.kind == kind]
            if mine:
                answers = handler(session, [ticket.payload for ticket in mine], moment)
                results.update(zip(map(id, mine), answers, strict=True))
        return [results[id(ticket)] for ticket in tickets]

    def _give_back(self, tickets: list[Ticket]) -> None:
        """The database is away: who waits is told so, deferred work is kept while there is room."""
        kept = [ticket for ticket in tickets if ticket.done is None]
        for ticket in tickets:
            if ticket.done is not None:
                ticket.resolve(error=Unavailable("The database is away."))
        with self._wake:
            queues = self._queues
            if queues.closing:
                queues.dropped += len(kept) + len(queues.deferred)
                queues.deferred.clear()
                return
            room = self._limits.deferred - len(queues.deferred)
            queues.dropped += max(len(kept) - room, 0)
            queues.deferred[:0] = kept[:room]
            queues.flush_at = time.monotonic() + self._limits.retry_delay

    def _note_away(self, away: bool, error: Exception | None = None) -> None:
        if away != self.stats.away:
            self.stats.away = away
            if away:
                log.error("database away, requests get 503", error=str(error))
            else:
                log.info("database back")

    def _report_drops(self) -> None:
        with self._wake:
            dropped, self._queues.dropped = self._queues.dropped, 0
        if dropped:
            self.stats.dropped += dropped
            log.warning("hits dropped, the buffer was full", count=dropped)

    def _tell(self, kinds: set[str]) -> None:
        """The commit stands whatever the listener does, so its failure is logged and goes no further."""
        try:
            self._committed(kinds)
        except Exception:
            log.exception("listener of commits failed")
