"""The sender of a process: its journal, its providers, and the turns they take."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from engine import clock as clocks
from engine.channels.addresses import addresses, name_of
from engine.channels.allowed import Allowed
from engine.channels.dkim import Dkim
from engine.channels.journal import Journal
from engine.channels.mail_api import is_account
from engine.channels.naming import Naming
from engine.channels.provider import Provider
from engine.channels.relays import Relays, status_name
from engine.channels.sms import gateway
from engine.channels.smtp import Timeouts, Transmitter
from engine.db import Database
from engine.messages import reaper
from engine.messages.claim import ExitCheck
from engine.messages.turn import Batch, Counts, Turn
from engine.messages.ways import Ways
from engine.receipts.verp import ReturnPath
from engine.signing import Signer

large_journal = 64_000


class Sender:
    """Sends what is queued in one workspace. One a process; calls from several threads take turns.

    `home` is CAIRN_HOME, `site` the base of all addresses in messages, `smtp_url` as in `channels.smtp.Server.parse` or
    `channels.mail_api.account.parse`, several with blanks between, `sms_url` as in `channels.sms.gateway.parse`; texts
    go to the local phone without one. Connections stay open between calls; a turn ends early when `stopping` says so.
    `dkim` signs email; what bounces comes back to `bounces`. Nobody but `allowed` gets anything, where that is set.
    """

    def __init__(
        self,
        home: Path,
        smtp_url: str,
        *,
        site: str,
        signer: Signer,
        connections: int = 8,
        batch: int = 1000,
        timeouts: Timeouts | None = None,
        clock: Callable[[Session], dt.datetime] = clocks.now,
        stopping: Callable[[], bool] = bool,
        dkim: Dkim | None = None,
        bounces: ReturnPath | None = None,
        sms_url: str | None = None,
        allowed: Allowed | None = None,
    ) -> None:
        self.folder = home / "journal"
        self.journal = Journal(self.folder)
        naming = Naming(site, signer)
        self.providers: tuple[Provider, ...] = (
            self._mail(smtp_url, naming, connections, timeouts),
            gateway.provider(sms_url, self.journal, naming),
        )
        self.site, self.signer, self.batch, self.clock = site, signer, batch, clock
        self.stopping, self.dkim, self.bounces, self.allowed = stopping, dkim, bounces, allowed
        self._smtp_url, self._gateway = smtp_url, gateway.name_of(sms_url)
        made = [Ways(each, partial(self._own_relays, naming, connections, timeouts)) for each in self.providers]
        self.ways = {each.main.channel: each for each in made}
        self._flying: dict[str, deque[Batch]] = {each.channel: deque() for each in self.providers}
        self._lock = threading.Lock()

    def _mail(self, setting: str, naming: Naming, connections: int, timeouts: Timeouts | None) -> Provider:
        """One relay stands for itself; several take each other's place."""
        urls = addresses(setting)
        made = [self._relay(url, naming, connections, timeouts) for url in urls]
        return made[0] if len(made) == 1 else Relays(list(zip(map(name_of, urls), made, strict=True)))

    def _own_relays(self, naming: Naming, connections: int, timeouts: Timeouts | None, setting: str) -> Provider:
        """Those of an identity."""
        found = self._mail(setting, naming, connections, timeouts)
        if isinstance(found, Relays):
            found.status = status_name(setting)
        return found

    def _relay(self, url: str, naming: Naming, connections: int, timeouts: Timeouts | None) -> Provider:
        """What vendors' interfaces need is loaded only where one is used."""
        if not is_account(url):
            return Transmitter(url, self.journal, connections=connections, timeouts=timeouts)
        from engine.channels.mail_api.account import provider

        return provider(url, self.journal, naming)

    def relay(self) -> str:
        """The name of the relay that email goes through now, as rates call it."""
        mail = self.providers[0]
        return mail.name if isinstance(mail, Relays) else name_of(self._smtp_url)

    @property
    def busy(self) -> bool:
        """Whether a provider still works on messages of an earlier turn."""
        return any(self._flying.values())

    def send(self, database: Database, *, seconds: float = 10.0, exit_check: ExitCheck | None = None) -> int:
        """Send on every channel for about `seconds`; the number of messages claimed or ended at the gate."""
        turns = self.turns(database, seconds=seconds, exit_check=exit_check)
        return sum(counts.claimed + counts.ended.total() for counts in turns.values())

    def turns(
        self, database: Database, *, seconds: float = 10.0, exit_check: ExitCheck | None = None
    ) -> dict[str, Counts]:
        """Send on every channel for about `seconds`; what was done, by channel."""
        with self._lock:
            self._settle_own(database)
            until = time.monotonic() + seconds
            done = {each.channel: self._turn(database, each, until, exit_check).run() for each in self.providers}
            if self.journal.size > large_journal and not self.busy:
                self.journal.reset()
            return done

    def _turn(self, database: Database, provider: Provider, until: float, exit_check: ExitCheck | None) -> Turn:
        return Turn(
            database=database,
            provider=provider,
            ways=self.ways[provider.channel],
            journal=self.journal.name,
            signer=self.signer,
            site=self.site,
            clock=self.clock,
            until=until,
            limit=self.batch,
            flying=self._flying[provider.channel],
            stopping=self.stopping,
            dkim=self.dkim,
            bounces=self.bounces,
            exit_check=exit_check,
            allowed=self.allowed,
            relay=self.relay if provider.channel == "email" else lambda: self._gateway,
        )

    def _settle_own(self, database: Database) -> Counter[str]:
        """A turn that lost the database before its results were written left them in our own journal."""
        flying = [batch.claim for batches in self._flying.values() for batch in batches]
        with database.transaction() as session:
            now = self.clock(session)
            known = self.journal.known()
            return reaper.settle(session, self.journal.name, known, now, self.signer, flying=flying)

    def reap(self, database: Database) -> Counter[str]:
        """Settle what senders that died left behind, and a turn of our own that lost the database; counts by new state.

        At the start of a worker, and by sweeps. What a slow provider has given back since the last turn is written too.
        """
        if self.busy:
            self.turns(database, seconds=0)
        with self._lock:
            own = self._settle_own(database)
        return own + reaper.reap(database, self.folder, self.clock, self.signer)

    def close(self) -> None:
        """End the connections and give the journal up."""
        with self._lock:
            for ways in self.ways.values():
                ways.close()
            self.journal.close()
