"""Several ways out for one channel: the first that works takes the messages.

Only what a relay did not try (`not_tried`: no byte of its data was sent, or we were refused, not the message) goes on
to the next one. What was tried keeps its result, so no message is ever handed to two relays.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import workspace
from engine.channels.addresses import addresses, name_of
from engine.channels.provider import Outgoing, Provider, Result
from engine.errors import ProviderError

REST = 60.0
STATUS = "status.relay"


@dataclass(frozen=True, slots=True)
class InUse:
    """The relay that took the last messages, since when, and why none before it did; `why` is empty for the first."""

    relay: str
    since: dt.datetime
    why: str = ""


def status_name(setting: str) -> str:
    """Where it is kept which of an identity's relays is in use; those of the installation have STATUS."""
    return f"{STATUS} of {name_of(addresses(setting)[0])}"


def in_use(session: Session, key: str = STATUS) -> InUse | None:
    """As the senders last noted it; None before the first message, and where there was never a second relay."""
    value = workspace.get(session, key)
    return InUse(value["relay"], dt.datetime.fromisoformat(value["since"]), value["why"]) if value else None


def current(session: Session, setting: str | None, key: str = STATUS) -> InUse | None:
    """`in_use` if the setting (CAIRN_SMTP_URL, or that of an identity) still names several relays and that one."""
    if len((setting or "").split()) < 2:
        return None
    found = in_use(session, key)
    return found if found is not None and found.relay in map(name_of, addresses(setting or "")) else None


def _note(session: Session, key: str, relay: str, why: str, now: dt.datetime) -> None:
    before = in_use(session, key)
    since = before.since if before is not None and before.relay == relay else now
    workspace.put(session, key, {"relay": relay, "since": since.isoformat(), "why": why.replace("\0", "")[:300]})


@dataclass(slots=True, eq=False)
class Relay:
    """A provider under the name that people see. It rests until `rests_until` because of `why`."""

    name: str
    provider: Provider
    rests_until: float = 0.0
    why: str = ""


@dataclass(slots=True)
class Passage:
    """A batch on its way: the results so far, and the relays that have had it."""

    items: dict[int, Outgoing]
    results: list[Result]
    done: Future[list[Result]]
    asked: set[Relay]


class Relays:
    """A provider made of others, in the order in which they are to be used. One that fails rests for `rest` seconds.

    Which one is in use is kept in the workspace's settings under `status`.

    Safe to use from several threads.
    """

    def __init__(
        self,
        relays: Sequence[tuple[str, Provider]],
        *,
        status: str = STATUS,
        rest: float = REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.relays = [Relay(name, provider) for name, provider in relays]
        self.channel = self.relays[0].provider.channel
        self.rest, self.clock, self.status = rest, clock, status
        self._used = self.relays[0]
        self._noted: tuple[str, str] | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The relay in use."""
        return self._used.name

    def open(self) -> None:
        """Find the first relay that can be used; raises `ProviderError` with the reasons of all.

        Those that rest are left out, unless all do.
        """
        awake = self._awake()
        for relay in awake or self.relays:
            try:
                relay.provider.open()
            except ProviderError as error:
                self._put_to_rest(relay, str(error))
                continue
            relay.rests_until = 0.0
            self._used = relay
            return
        raise ProviderError("; ".join(relay.why for relay in self.relays))

    def _awake(self) -> list[Relay]:
        now = self.clock()
        return [relay for relay in self.relays if relay.rests_until <= now]

    def _put_to_rest(self, relay: Relay, why: str) -> None:
        relay.why = why if relay.name in why else f"{relay.name}: {why}"
        relay.rests_until = self.clock() + self.rest

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Hand messages to the relay in use, and those that it did not try to the next one."""
        done: Future[list[Result]] = Future()
        passage = Passage({item.id: item for item in items}, [], done, set())
        with self._lock:
            awake = self._awake()
            first = awake[0] if awake else self._used
        self._hand(passage, first)
        return done

    def _hand(self, passage: Passage, relay: Relay) -> None:
        passage.asked.add(relay)
        future = relay.provider.submit(list(passage.items.values()))
        future.add_done_callback(lambda told: self._take(passage, relay, told))

    def _take(self, passage: Passage, relay: Relay, told: Future[list[Result]]) -> None:
        """Runs in the relay's thread, so nothing here may wait; what goes wrong must end the batch, not hang it."""
        try:
            results = told.result()
            left = [result for result in results if result.outcome == "not_tried"]
            following = self._after(passage, relay, left)
            if following is None:
                passage.done.set_result(passage.results + results)
                return
            passage.results += [result for result in results if result.outcome != "not_tried"]
            passage.items = {result.id: passage.items[result.id] for result in left}
            self._hand(passage, following)
        except Exception as error:
            passage.done.set_exception(error)

    def _after(self, passage: Passage, relay: Relay, left: list[Result]) -> Relay | None:
        """The relay that is to take what is left; None if nothing is, or nobody is left to ask."""
        with self._lock:
            if not left:
                self._used = relay
                return None
            self._put_to_rest(relay, left[0].text)
            return next((each for each in self._awake() if each not in passage.asked), None)

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """What the relay in use stores, and which one that is, when it has changed."""
        with self._lock:
            used = self._used
            before = self.relays[: self.relays.index(used)]
            found = used.name, "; ".join(relay.why for relay in before)
        used.provider.record(session, accepted, now)
        if accepted and found != self._noted:
            _note(session, self.status, *found, now)
            self._noted = found

    def close(self) -> None:
        """End all connections."""
        for relay in self.relays:
            relay.provider.close()
