"""One turn of sending on one channel: claim, hand over, write results, until nothing is due or time is up.

Two batches are under way at a time: while the provider works on one, the other one's results are written and the next
is claimed. A provider may take minutes over a message (RFC 5321, section 4.5.3.2). No turn waits for that: batches that
are not back in time stay in `flying`, and a later turn writes their results.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import workspace
from engine.channels.allowed import Allowed
from engine.channels.dkim import Dkim
from engine.channels.provider import Provider, Result
from engine.db import Database
from engine.errors import ProviderError
from engine.identities import store as identities
from engine.identities.values import House, Senders
from engine.messages import blocks, claims, paused, rates, status, warmup
from engine.messages.claim import Claim, ExitCheck, claim
from engine.messages.compose import Composed, Composer, load_events, load_renderers
from engine.messages.departures import Departures, way_of
from engine.messages.handed import Candidate
from engine.messages.limits import Limits
from engine.messages.results import Finished, write_results
from engine.messages.warmup import WarmingUp
from engine.messages.ways import Ways
from engine.receipts.verp import ReturnPath
from engine.signing import Signer

most_deadlocks = 5
grace, short_while = 2.0, 0.2
quick, slow, smallest = 1.0, 4.0, 100
is_due = text(
    "select exists (select from messages where channel = :channel and state = 'queued' and claimed_at is null "
    "and ended_at is null and send_after <= :now)"
)


@dataclass(slots=True)
class Counts:
    """What a turn did: messages claimed, what became of them, what the gate ended and why; why it stopped early."""

    claimed: int = 0
    results: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    unreachable: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of a claim that take one way, handed over at `started` on the monotonic clock."""

    claim: int
    way: str
    started: float
    messages: dict[int, Candidate]
    composed: dict[int, Composed]
    future: Future[list[Result]]


@dataclass(slots=True)
class Turn:
    """`until` is a reading of `time.monotonic`. `clock` gives the instant that holds for the workspace.

    `flying` are the batches under way, left by earlier turns at the start and to later ones at the end. `limit` is the
    most that a batch holds: batches grow and shrink with the speed of the provider, so that none takes long.
    """

    database: Database
    provider: Provider
    ways: Ways
    journal: str
    signer: Signer
    site: str
    clock: Callable[[Session], dt.datetime]
    until: float
    limit: int
    flying: deque[Batch]
    stopping: Callable[[], bool] = bool
    dkim: Dkim | None = None
    bounces: ReturnPath | None = None
    exit_check: ExitCheck | None = None
    allowed: Allowed | None = None
    relay: Callable[[], str] = str
    senders: Senders | None = None
    paced: frozenset[str] = frozenset()
    warming: frozenset[str] = frozenset()
    counts: Counts = field(default_factory=Counts)
    depth: int = 2
    size: int = smallest

    def run(self) -> Counts:
        """Send. Raises what the database raises; then the journal knows what was sent."""
        if self.flying:
            self._land_leftovers()
        if self._ready():
            self._loop()
        return self.counts

    def _land_leftovers(self) -> None:
        """While a provider still works on what an earlier turn gave it, it gets no more, and nobody waits for it."""
        wait([self.flying[-1].future], timeout=short_while)
        for batch in [each for each in self.flying if each.future.done()]:
            self.flying.remove(batch)
            self._land(batch)

    def _ready(self) -> bool:
        """Whether something is due and the provider can be reached. While it cannot, nothing is claimed."""
        channel = self.provider.channel
        self._hold_paused(channel)
        with self.database.transaction() as session:
            if not session.execute(is_due, {"channel": channel, "now": self.clock(session)}).scalar():
                return False
            seen = status.read(session, channel)
            self.paced, self.warming = rates.names(session), warmup.names(session)
            self._know_senders(session, workspace.load(session))
        self.ways.hold_up({each.way for each in self.flying})
        if self.flying and not self._others():
            return False
        if seen is not None and not seen.ok:
            self.depth = 1  # one message first: the server may refuse us again
        try:
            self.provider.open()
        except ProviderError as error:
            self._away("", str(error))
            with self.database.transaction() as session:
                status.write(session, channel, self.clock(session), str(error))
            return self._others()
        self.ways.wake("")
        return True

    def _know_senders(self, session: Session, known: workspace.Workspace) -> None:
        if self.provider.channel == "email":
            self.senders = identities.load(session, known, House(self.site, self.signer.sealing_keys, self.dkim))

    def _others(self) -> bool:
        """Whether some identity has relays of its own: then one that is away is no reason for all to wait."""
        return self.senders is not None and any(each.relays for each in self.senders.by_slug.values())

    def _away(self, way: str, why: str) -> None:
        if not way:
            self.counts.unreachable = why
        if self._others():
            self.ways.rest(way)
            self.depth = 2
        else:
            self._stop(why)

    def _hold_paused(self, channel: str) -> None:
        """What may not go is put aside, a batch a transaction, so that no claim reads past it."""
        more = True
        while more and not self._over():
            with self.database.transaction() as session:
                more = paused.hold(session, channel, self.clock(session)) == paused.BATCH

    def _stop(self, error: str) -> None:
        self.counts.unreachable = error
        self.until = min(self.until, time.monotonic())

    def _loop(self) -> None:
        more = True
        awaited: list[Batch] = []
        while more or awaited:
            more = more and not self._over() and self._take_off()
            awaited = [each for each in self.flying if not self.ways.is_held_up(each.way)]
            if awaited and (not more or max(Counter(each.way for each in awaited).values()) >= self.depth):
                if not self._back(awaited[0]):
                    return
                self.flying.remove(awaited[0])
                self._land(awaited.pop(0))

    def _back(self, batch: Batch) -> bool:
        """Wait for a batch as long as the turn may last, and a little longer."""
        while not batch.future.done():
            if self._over() and time.monotonic() >= self.until + grace:
                return False
            wait([batch.future], timeout=short_while)
        return True

    def _over(self) -> bool:
        """Whether time is up, or the process is asked to stop."""
        now = time.monotonic()
        if self.stopping():
            self.until = min(self.until, now)
        return now >= self.until

    def _take_off(self) -> bool:
        """Claim a batch and hand it over. False when nothing can be claimed."""
        composer, claimed = self._claim()
        self.counts.ended += claimed.ended
        self.counts.claimed += len(claimed.messages)
        for claim_id, part in claimed.parts:
            way = way_of(part[0])
            future = self.ways.provider(way).submit([composer.outgoing(message) for message in part])
            messages = {message.id: message for message in part}
            self.flying.append(Batch(claim_id, way, time.monotonic(), messages, composer.composed, future))
        return claimed.locked > 0

    def _claim(self) -> tuple[Composer, Claim]:
        """A claim that meets a deadlock (an exit that ends the same entry) has changed nothing and is made again."""
        for _ in range(most_deadlocks):
            try:
                return self._claim_once()
            except OperationalError as error:
                if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                    raise
        return self._claim_once()

    def _claim_once(self) -> tuple[Composer, Claim]:
        channel = self.provider.channel
        with self.database.transaction() as session:
            now, settings = self.clock(session), workspace.load(session)
            self._know_senders(session, settings)
            relay = self.ways.relay_of(self.relay()) if self.paced or self.warming else None
            warming = WarmingUp(self.warming, settings.zone, relay) if relay and self.warming else None
            claimed = claim(
                session,
                channel,
                now,
                limit=1 if self.depth == 1 else min(self.size, self.limit),
                journal=self.journal,
                signer=self.signer,
                needs_consent=channel == "sms" and settings.sms_needs_consent,
                exit_check=self.exit_check,
                pressure=Limits.of(settings),
                allowed=self.allowed,
                pace=rates.Pace(self.paced, relay) if relay and self.paced else None,
                departing=Departures(self.senders, self.ways.closed, warming) if self.senders else None,
            )
            renderers = load_renderers(session, (message.content_version_id for message in claimed.messages))
            load_events(session, claimed.messages, renderers)
            renderers = blocks.decide(session, claimed.messages, renderers, now)
            blocks.keep(session, claimed.messages, renderers)
        return Composer(settings, renderers, self.signer, self.site, now, self.dkim, self.bounces), claimed

    def _slowed(self, message: Candidate) -> str:
        """Who says that a message came too fast: its recipient's domain, or the gateway of all texts."""
        return self.relay() if message.channel == "sms" else rates.domain_of(message.recipient)

    def _slow_down(self, domains: set[str], batch: Batch, took: float) -> None:
        """In a transaction of its own: claims lock these rows before the counters that results are added to."""
        with self.database.transaction() as session:
            rates.slow_down(session, domains, batch.messages.values(), took, self.clock(session), self._slowed)
        self.paced |= domains

    def _land(self, batch: Batch) -> None:
        """Write the results of a batch. What was not tried says that the provider is away: the turn ends."""
        results = batch.future.result()
        away = next((result.text for result in results if result.outcome == "not_tried"), "")
        nothing = Composed()
        finished = [
            Finished(batch.messages[result.id], result, known.links, known.parts, known.untracked)
            for result in results
            for known in [batch.composed.get(result.id, nothing)]
        ]
        with self.database.transaction() as session:
            now, known = self.clock(session), workspace.load(session)
            written = write_results(session, finished, now, workspace=known, signer=self.signer)
            if away and self.warming:
                untried = [batch.messages[result.id] for result in results if result.outcome == "not_tried"]
                warmup.give_back(session, untried, known.zone, now)
            claims.end(session, batch.claim)
            self.ways.provider(batch.way).record(session, written.accepted, now)
            status.write(session, self.ways.status_of(batch.way), now, away)
        self.counts.results += written.counts
        took = time.monotonic() - batch.started
        if domains := rates.too_fast(batch.messages, results, self._slowed):
            self._slow_down(domains, batch, took)
        if took < quick:
            self.size = min(self.size * 2, self.limit)
        elif took > slow:
            self.size = max(self.size // 2, smallest)
        if away:
            self._away(batch.way, away)
        elif not batch.way:
            self.depth = 2
