"""The model: everything that may happen to a workspace, in any order, with workers that die anywhere."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from sqlalchemy.orm import Session

from engine import clock
from engine.campaigns import definition, resuming, states
from engine.campaigns import store as campaigns
from engine.contacts.consent import suppress
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.errors import InvalidInput
from engine.events.record import LATE, NewEvent, record
from engine.imports.events import import_events
from engine.imports.report import Counts
from engine.receipts import streams
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.signing import signer
from engine.tracking import hits, unsubscribe
from journeys.erasing import erase
from journeys.language.choice import EVERY, read_choice
from journeys.language.parse import parse
from journeys.publish import publish
from journeys.runtime import catalogue as catalogues
from journeys.runtime import turn
from tests import invariants
from tests.invariants import Ban
from tests.journeys.runtime.world import DAY, HOUR
from tests.model.crew import Crew, Nothing
from tests.model.mailserver import FAULTS
from tests.model.moves import (
    BROWSER,
    CAMPAIGN,
    MINUTE,
    MOST_CAMPAIGNS,
    PEOPLE,
    TEST,
    Task,
    people,
    spans,
    stopped,
    tasks,
    words,
    workers,
)
from tests.model.questions import ARRIVED, HANDED_OVER, LEFT_OUT, ORDERS, SENT, SLOTS, UNDER_WAY
from tests.model.stories import STORIES
from workers import virtual
from workers.due import due

MOST_ROUNDS = 600


class Machine(Crew):
    """Rules are what may happen; the invariants are looked at after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.bans: dict[int, Ban] = {}
        self.orders: set[tuple[int, str]] = set()
        self.editions = dict.fromkeys(STORIES, 0)
        self.number = 0
        self.campaigns: list[str] = []
        self.broken = False

    @initialize()
    def begin(self) -> None:
        """Four people are known."""
        self.people = [self.world.contact(f"p{number}") for number in range(PEOPLE)]

    # What people, marketers and time do -------------------------------------------------------------------------------

    @rule(who=people, what=st.sampled_from(["Signed Up", "Paid", "Paid", "Seen"]), order=st.integers(1, 3))
    def happens(self, who: int, what: str, order: int) -> None:
        """An event, now."""
        self._event(who, what, order, dt.timedelta())

    @rule(
        who=people,
        what=st.sampled_from(["Signed Up", "Paid", "Seen"]),
        order=st.integers(1, 3),
        late=st.sampled_from([MINUTE, 5 * HOUR, 2 * DAY]),
        twice=st.booleans(),
    )
    def comes_late(self, who: int, what: str, order: int, late: dt.timedelta, twice: bool) -> None:
        """An event of a while ago, behind others that happened after it; perhaps delivered twice."""
        message_id = self._event(who, what, order, late)
        if twice and message_id:
            self._event(who, what, order, late, message_id)

    @rule(who=st.lists(people, min_size=1, max_size=3, unique=True), trigger=st.booleans(), order=st.integers(4, 5))
    def imported(self, who: list[int], trigger: bool, order: int) -> None:
        """A file of purchases; with or without starting journeys."""
        path = self.servers.home / "events.csv"
        now = self.world.now
        rows = "".join(f"p{each},Paid,{now.isoformat()},{order},7\n" for each in who)
        path.write_text(f"external_id,name,occurred_at,order,total\n{rows}")
        options = {"now": now, "folder": self.servers.home, "virtual": True, "trigger": trigger}
        counts: list[Counts] = []
        done = self._done(lambda: counts.append(import_events(self.database, path, **options)))
        if done and trigger and counts[0].accepted == len(who):
            self.orders |= {(self.people[each], str(order)) for each in who}

    @rule(who=people, plan=st.sampled_from(["left", "stays"]))
    def changes(self, who: int, plan: str) -> None:
        """An attribute that an exit rule reads."""
        self._done(lambda: self.world.change(self.people[who], plan=plan))

    @rule(who=people, way=st.sampled_from(["consent", "address", "link"]))
    def says_no(self, who: int, way: str) -> None:
        """Unsubscribed, by a form or by the link of a message; or the address is suppressed."""
        contact_id = self.people[who]
        if self._done(lambda: self._refuse(contact_id, way)):
            with self.database.transaction() as session:
                self.bans.setdefault(contact_id, invariants.ban(session, contact_id))

    @rule(who=people)
    def is_forgotten(self, who: int) -> None:
        """Somebody is erased and signs up anew: a new contact, whom nothing reaches that did not reach the old one."""
        old, born = self.people[who], list[int]()

        def write(session: Session) -> None:
            turn.take(session)
            now = clock.now(session)
            erase(session, catalogues.load(session), [old], now, signer(), "test")
            born.extend(identify(session, [Profile(f"p{who}", f"p{who}@x.example")], now))

        if self._done(lambda: self._write(write)):
            self.people[who] = born[-1]
            self.orders = {order for order in self.orders if order[0] != old}
            if old in self.bans:
                with self.database.transaction() as session:
                    self.bans[born[-1]] = invariants.ban(session, born[-1])

    @rule(who=people)
    def hits_a_pixel(self, who: int) -> None:
        """Somebody opens what arrived."""

        def store(session: Session) -> None:
            rows = session.execute(SENT).all()
            at = clock.now(session)
            seen = [hits.Hit(at, "open", row.id, row.origin_at, user_agent=BROWSER) for row in rows[who::PEOPLE]]
            hits.store(session, seen)

        self._done(lambda: self._write(store))

    @rule(who=people, kinds=st.lists(words, min_size=1, max_size=4), late=spans, twice=st.booleans())
    def is_told(self, who: int, kinds: list[str], late: dt.timedelta, twice: bool) -> None:
        """Receipts of messages that arrived: late, out of order, perhaps delivered twice."""

        def bring(session: Session) -> None:
            rows = [row for row in session.execute(HANDED_OVER) if row.token in self.mail.record][who::PEOPLE]
            now = clock.now(session)
            for row, kind in itertools.product(rows, kinds):
                self.number += 1
                at = now - self.number % 3 * late
                one = Receipt("mail", f"r{self.number}", kind, message=(row.id, row.origin_at), occurred_at=at)
                for _ in range(1 + twice):
                    store(session, [one], now, signer())

        self._done(lambda: self._write(bring))

    @rule(slug=st.sampled_from(sorted(STORIES)), choice=st.sampled_from(["stay", "reschedule", "move", "exit"]))
    def is_edited(self, slug: str, choice: str) -> None:
        """The other text of a journey is published, and those inside stay, go along, start over, or leave."""
        edition = 1 - self.editions[slug]
        source = STORIES[slug][edition]
        first = parse(source).steps[0].id
        choices = {EVERY: read_choice(f"move:{first}" if choice == "move" else choice)}
        if self._done(
            lambda: self._write(lambda session: publish(session, source, clock.now(session), "test", choices))
        ):
            self.editions[slug] = edition

    @rule(slug=st.sampled_from(["welcome", "buyers"]), state=st.sampled_from(["paused", "live", "draining", "stopped"]))
    def is_paused(self, slug: str, state: str) -> None:
        """A journey is paused, let go on, closed for entries, or stopped; one that is stopped is published again."""
        if self.world.execute("select from journeys where slug = :slug and state = 'stopped'", slug=slug):
            source = STORIES[slug][self.editions[slug]]
            self._done(lambda: self._write(lambda session: publish(session, source, clock.now(session), "test")))
        else:
            self._done(lambda: self.world.state(slug, state))

    @rule(
        throttle=st.sampled_from(["", "3600 per hour", "2 per hour"]),
        test=st.booleans(),
        holdout=st.sampled_from(["", "25%"]),
        when=st.sampled_from([None, MINUTE]),
    )
    def campaign_starts(self, throttle: str, test: bool, holdout: str, when: dt.timedelta | None) -> None:
        """A campaign to everybody, now or soon; perhaps with a test and a hold-back."""
        at = (self.world.now + when).isoformat() if when else ""
        values = {"campaign": f"c{len(self.campaigns)}", "at": at, "throttle": throttle, "holdout": holdout}

        def start(session: Session) -> None:
            found = definition.read(CAMPAIGN | values | (TEST if test else {}))
            campaigns.save(session, found, clock.now(session), "test")
            states.change(session, found.slug, "start", clock.now(session), "test")

        if len(self.campaigns) < MOST_CAMPAIGNS and self._done(lambda: self._write(start)):
            self.campaigns.append(values["campaign"])

    @rule(which=st.integers(0, 2), verb=st.sampled_from(["pause", "resume", "resume", "cancel"]))
    def campaign_is(self, which: int, verb: str) -> None:
        """A campaign is paused, let go on, or cancelled."""

        def change(session: Session) -> None:
            with contextlib.suppress(InvalidInput):  # it is in another state by now
                states.change(session, self.campaigns[which], verb, clock.now(session), "test")

        if which < len(self.campaigns):
            self._done(lambda: self._write(change))

    @rule()
    def streams_go_on(self) -> None:
        """A colleague lets what refusals have paused go on."""
        self._done(lambda: self._write(self._resume_streams))

    def _resume_streams(self, session: Session) -> int:
        """How many streams were paused."""
        paused = streams.listed(session)
        for one in paused:
            resuming.resume(session, one.stream, "test", clock.now(session))
        return len(paused)

    # What the machines do ---------------------------------------------------------------------------------------------

    @rule(who=st.sets(people, min_size=1), what=st.sampled_from(["Signed Up", "Paid"]), number=workers, task=tasks)
    def rush(self, who: set[int], what: str, number: int, task: Task) -> None:
        """Several people do the same, and what follows from it is done up to a point."""
        for each in sorted(who):
            self._event(each, what, self.number + 10, dt.timedelta())
        self._flow(number, task)

    @rule(length=spans, number=workers, task=tasks)
    def later(self, length: dt.timedelta, number: int, task: Task) -> None:
        """The clock goes on, and what has come due is done up to a point."""
        self._done(lambda: self.world.jump(length))
        self._flow(number, task)

    @rule(number=workers, task=tasks)
    def works(self, number: int, task: Task) -> None:
        """One job, out of turn."""
        self._work(number, task)

    @rule(number=workers, task=stopped("schedule"))
    def schedules(self, number: int, task: Task) -> None:
        """A scheduler takes part in the election and does what its timetable says."""
        self._work(number, task)

    @rule()
    def lease_ends(self) -> None:
        """A leader that was killed, or stands still, leads no longer."""
        self._done(lambda: self.world.execute("update leases set lease_until = '-infinity'"))

    @rule(kill=st.booleans())
    def wakes_or_dies(self, kill: bool) -> None:
        """Who stands still goes on, or is killed."""
        for number, worker in enumerate(self.workers):
            if worker.state == "held" and kill:
                self.kill(number)
            elif worker.state == "held":
                self.go_on(number)

    @rule(number=workers, turns=st.integers(1, 6))
    def hears_doorbells(self, number: int, turns: int) -> None:
        """A worker's own loop: doorbells, or a look around."""
        for _ in range(turns):
            self.order(number, "turn")

    @rule()
    def loses_redis(self) -> None:
        """All doorbells are gone."""
        self.servers.redis.flushall()

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def mail_server_errs(self, faults: list[str]) -> None:
        """The mail server will refuse, defer, or hang up."""
        self.mail.faults.extend(faults)

    # What must hold ---------------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """I1 to I5, and each slot of a schedule once."""
        accepted = self.mail.record
        with self.database.transaction() as session:
            found = invariants.violations(session, accepted, list(self.bans.values()))
            assert session.execute(SLOTS).scalar() == 0, "an action came to pass twice in its slot, or not at all"
        self.broken = found != []
        assert found == []

    def teardown(self) -> None:
        """I6: whatever happened, once everything runs again the system comes to rest, and nobody was lost."""
        try:
            if hasattr(self, "people") and not self.broken:
                self._rest()
        finally:
            for worker in self.workers:
                worker.kill()

    def _rest(self) -> None:
        self.mail.faults.clear()
        for number, worker in enumerate(self.workers):
            if worker.state == "held":
                self.go_on(number)
        for (slug,) in self.world.execute("select slug from journeys where state in ('paused', 'draining')"):
            self.world.state(slug, "live")
        for (slug,) in self.world.execute("select slug from campaigns where state = 'paused'"):
            self._write(lambda session, slug=slug: states.change(session, slug, "resume", clock.now(session), "test"))
        for _ in range(MOST_ROUNDS):
            if not self._round():
                break
        else:
            raise AssertionError("the system does not come to rest")
        self.holds()
        with self.database.transaction() as session:
            assert invariants.quiet(session, clock.now(session)) == []
            assert session.execute(UNDER_WAY).all() == []
            assert session.execute(LEFT_OUT).all() == [], "somebody in the audience was lost"
            entered = {(contact_id, key) for contact_id, key in session.execute(ORDERS)}
        assert entered >= self.orders, "somebody who bought was lost"

    def _round(self) -> bool:
        """Do what is due, or let time pass to what is due next. False when there is nothing any more."""
        with self.database.transaction() as session:
            now = clock.now(session)
            if not due(session, now):
                waiting = session.execute(UNDER_WAY).all()
                if not waiting:
                    return False
                soon = session.execute(virtual.NEXT, {"now": now, "segments_at": now + DAY}).scalar()
                if soon is None:
                    assert self._resume_streams(session), waiting
                else:
                    clock.set_virtual(session, min(soon, now + DAY))
        self.order(0, "turn")
        return True

    # ------------------------------------------------------------------------------------------------------------------

    def _event(self, who: int, what: str, order: int, late: dt.timedelta, message_id: str = "") -> str:
        """Record an event; '' if a lock was in its way."""
        self.number += 1
        message_id = message_id or f"m{self.number}"

        def write(session: Session) -> None:
            now = clock.now(session)
            new = NewEvent(self.people[who], what, now - late, message_id, {"order": order, "total": 10})
            record(session, [new], now)

        if not self._done(lambda: self._write(write)):
            return ""
        if what == "Paid" and late <= LATE:
            self.orders.add((self.people[who], str(order)))
        return message_id

    def _refuse(self, contact_id: int, way: str) -> None:
        if way == "consent":
            self.world.consent(contact_id, "unsubscribed")
        else:
            self._write(self._suppress(contact_id) if way == "address" else self._follow_link(contact_id))

    def _suppress(self, contact_id: int) -> Callable[[Session], object]:
        address = f"p{self.people.index(contact_id)}@x.example"
        return lambda session: suppress(session, "email", [address], "manual", clock.now(session))

    def _follow_link(self, contact_id: int) -> Callable[[Session], object]:
        """By a message of the contact's, if one arrived; else there is nothing to follow."""

        def follow(session: Session) -> None:
            row = session.execute(ARRIVED, {"id": contact_id}).first()
            if row is None:
                raise Nothing
            unsubscribe.unsubscribe(session, [unsubscribe.Wish(tuple(row), "channel", "link")], clock.now(session))

        return follow
