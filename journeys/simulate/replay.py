"""Replay a draft over one contact's history, with the `decide` code and the gate of the real run. Pure.

At one instant events come first, then changes, then wake-ups, and at last what was queued is sent; so it is on the
virtual clock. Nobody opens or clicks what was never sent: message verbs see what really happened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from engine.expr import Facts, MessageFact, ast, evaluate
from engine.expr.evaluate import operand
from engine.expr.facts import EventFact, EventKey
from engine.expr.values import View
from engine.messages import cap, gate
from engine.zones import zones_of
from journeys.decide import Effect, chain
from journeys.decide.effects import Deliver, EmitEvent, StartJourney
from journeys.decide.split import is_held_out
from journeys.language.steps import Email, RuleText, Sms, Step, WaitFor, Webhook
from journeys.runtime.enrol import Before, Trigger, entry_key, may_again
from journeys.runtime.entry import Entry
from journeys.runtime.fate import fate
from journeys.runtime.leave import GoalEvent, worth_of
from journeys.runtime.listening import Ears, Fact
from journeys.runtime.run import Ended, Party, move_one
from journeys.simulate.agenda import Agenda
from journeys.simulate.doing import done
from journeys.simulate.person import Person, Turn
from journeys.simulate.plan import Plan
from journeys.simulate.tally import Drawn, Tally
from journeys.simulate.winners import gains

FIRST_ID = 10**17
"""Entries of a replay are numbered from here, far from those that its history knows."""


class Stay(Entry):
    """An entry of the replay: a row of the executor with what the enrolments table knows of it."""

    __slots__ = ("event", "goal_at", "goal_until", "held_out", "key", "known", "status", "trigger", "wake_at")

    def __init__(
        self, number: int, trigger: Trigger, key: str, held_out: bool, first: bool, plan: Plan, now: dt.datetime
    ) -> None:
        super().__init__(
            FIRST_ID + number, trigger.contact_id, plan.program.first, "ready", None, None, now, 0, first, 1, None
        )
        self.trigger = EventKey(trigger.occurred_at, trigger.received_at, trigger.message_id)
        self.event = trigger.properties or {}
        self.key, self.held_out = key, held_out
        self.status = "held_out" if held_out else "active"
        self.wake_at: dt.datetime | None = None if held_out else now
        self.goal_until = plan.journey.goal.within.after(now) if plan.journey.goal else None
        self.goal_at: dt.datetime | None = None
        self.known: tuple[Facts, dt.datetime | None, Facts] | None = None


class Replay:
    """One contact under way."""

    def __init__(self, plan: Plan, person: Person, tally: Tally) -> None:
        self.plan, self.person, self.tally = plan, person, tally
        self.facts = person.facts
        self.agenda = Agenda(plan, person)
        self.stays: list[Stay] = []
        self.queued: list[tuple[Stay, Email | Sms]] = []
        self.changed: list[Fact] = []
        self.chosen = plan.choosing
        self.drawn: list[tuple[Stay, str, str, dt.datetime]] = []
        self.accepted = [fact.accepted_at for fact in person.facts.messages]
        self.messages = 0

    def run(self) -> None:
        """From the start of the span to its end."""
        plan, now = self.plan, self.plan.start
        while True:
            if self.changed and not self.agenda.has_event_at(now):
                self._follow(self.changed.pop(0), now)
                continue
            wake = min((stay.wake_at for stay in self.stays if stay.wake_at is not None), default=plan.end)
            at = self.agenda.at
            following = min(at, wake)
            if self.queued and (following > now or following >= plan.end) and self._send(now):
                continue
            if following >= plan.end:
                break
            now = following
            if at <= wake:
                self._happen(self.agenda.pop(), now)
            else:
                self._wake(now)
        for stay in self.stays:
            self.tally.ended[stay.status] += 1
        for stay, step_id, arm, at in self.drawn:
            later = (
                (fact.occurred_at, fact.name, dict(fact.properties))
                for fact in self.facts.events
                if stay.trigger.occurred_at < fact.occurred_at < self.plan.end
            )
            brought = gains(self.plan, self.chosen[step_id], stay.goal_at, later)
            self.tally.drawn[step_id].append(Drawn(arm, at, brought))
        self.tally.person(self.person.name, self.messages)

    # What happens -----------------------------------------------------------------------------------------------------

    def _happen(self, what: EventFact | Turn | Trigger, now: dt.datetime) -> None:
        enter = self.plan.journey.enter
        if isinstance(what, EventFact):
            self._change(Fact("event", (what.name,)), now, what)
            if what.name == enter.event:
                self._enrol(Trigger(self.person.id, *what.key, dict(what.properties)), now)
        elif isinstance(what, Turn):
            self._turn(what)
            self._change(Fact(what.kind, (what.name,)), now, None)
            if what.kind == "segment" and what.state == "in" and what.name == enter.segment:
                self._enrol(Trigger(self.person.id, now, now), now)
        else:
            self._enrol(what, now)

    def _turn(self, turn: Turn) -> None:
        facts = self.facts
        if turn.kind == "consent":
            self.facts = replace(facts, consent={**facts.consent, (turn.channel, turn.name): turn.state})
        elif turn.kind == "segment":
            self.facts = replace(facts, segments=_moved(facts.segments, turn))
        else:
            self.facts = replace(facts, lists=_moved(facts.lists, turn))

    def _follow(self, fact: Fact, now: dt.datetime) -> None:
        """A change that a step has made."""
        date = self.plan.journey.enter.date
        if date is not None and fact.kind == "attribute" and date.path.split(".")[0] in fact.names:
            self.agenda.move_date(self.facts, now)
        self._change(fact, now, None)

    def _change(self, fact: Fact, now: dt.datetime, event: EventFact | None) -> None:
        """Waits met, then exits, then goals."""
        heard = self.plan.listening
        if not self.stays:
            return
        for stay in self.stays:
            ears = heard.steps.get(stay.step_id)
            if stay.status == "active" and (stay.phase == "ready" or self._minds(ears, fact, event, now)):
                self._advance(stay, now)
        if self._minds(heard.exits, fact, event, now):
            for stay in self.stays:
                self._exit(stay, now)
        if self._minds(heard.goal, fact, event, now):
            for stay in self.stays:
                self._goal(stay, now, event)

    def _minds(self, ears: Ears | None, fact: Fact, event: EventFact | None, now: dt.datetime) -> bool:
        """Whether this can change a verdict: of an event its properties count too, as in the real run."""
        if ears is None or not ears.hears(fact):
            return False
        return event is None or ears.minds(event.name, event.properties, self.plan.schema, now)

    def _wake(self, now: dt.datetime) -> None:
        for stay in self.stays:
            if stay.wake_at is not None and stay.wake_at <= now:
                self._advance(stay, now)

    # Entering and leaving ---------------------------------------------------------------------------------------------

    def _enrol(self, trigger: Trigger, now: dt.datetime) -> None:
        journey = self.plan.journey
        where = journey.enter.where
        if where is not None:
            facts = replace(self.facts, event=trigger.properties) if self.plan.reads.trigger else self.facts
            if not evaluate(where.node, facts, now).value:
                return
        if self._passed_on_too_often(trigger, now):
            return
        key = entry_key(journey.enter.again, trigger)
        before = self._before()
        if before is not None and not may_again(journey.enter.again, key, before, now):
            return
        held = before.held_out if before else is_held_out(journey.slug, self.person.id, journey.holdout)
        stay = Stay(len(self.stays), trigger, key, held, before is None, self.plan, now)
        self.stays.append(stay)
        self.tally.entries += 1
        self.tally.holdout += held
        self._exit(stay, now)

    def _passed_on_too_often(self, trigger: Trigger, now: dt.datetime) -> bool:
        length, cause = 0, chain.cause(trigger.message_id)
        while cause is not None and cause >= FIRST_ID and length < chain.MOST:
            stay = self.stays[cause - FIRST_ID]
            if stay.entered_at <= now - chain.SPAN:
                break
            length, cause = length + 1, chain.cause(stay.trigger.message_id)
        return length >= chain.MOST

    def _before(self) -> Before | None:
        stays = self.stays
        if not stays:
            return None
        active = any(stay.status == "active" for stay in stays)
        last = max(stay.entered_at for stay in stays)
        return Before(self.person.id, active, last, any(stay.held_out for stay in stays), [stay.key for stay in stays])

    def _exit(self, stay: Stay, now: dt.datetime) -> bool:
        """Whether an exit rule holds; it ends an entry that is still open."""
        exits = self.plan.journey.exits
        if not exits or not any(self._holds(rule, stay, now) for rule in exits):
            return False
        if stay.status in ("active", "held_out"):
            self._end(stay, "exited")
        return True

    def _goal(self, stay: Stay, now: dt.datetime, event: EventFact | None) -> None:
        goal = self.plan.journey.goal
        if goal is None or stay.goal_at is not None or stay.goal_until is None or now > stay.goal_until:
            return
        if not self._holds(goal.when, stay, min(now, stay.goal_until)):
            return
        stay.goal_at = now
        met = GoalEvent(now, event.name, event.message_id, event.properties) if event else GoalEvent(now)
        self.tally.conversions += 1
        self.tally.held_out_conversions += stay.held_out
        self.tally.value += worth_of(self.plan.workspace, goal.value, met)
        if not goal.stay:
            if stay.status in ("active", "held_out"):
                self._end(stay, "converted")
            self._cancel(stay, "converted")

    def _end(self, stay: Stay, status: str) -> None:
        stay.status, stay.wake_at = status, None
        self._cancel(stay, status)

    def _cancel(self, stay: Stay, reason: str) -> None:
        for queued, step in self.queued:
            if queued is stay:
                self.tally.withheld[step.id][reason] += 1
        self.queued = [one for one in self.queued if one[0] is not stay]

    # Steps ------------------------------------------------------------------------------------------------------------

    def _advance(self, stay: Stay, now: dt.datetime) -> None:
        program = self.plan.program
        party = move_one(
            program,
            stay,
            now,
            lambda id_, step, rows: self._answer(id_, step, rows, now),
            lambda id_, effect, rows: self._do(id_, effect, rows, now),
        )
        for step_id, outcome, _ in party.log:
            self.tally.log(step_id, outcome.log, outcome.detail.get("path") if outcome.detail else None)
            if outcome.arm is not None and step_id in self.chosen:
                self.drawn.append((stay, step_id, outcome.arm, now))
            step = program.steps[step_id]
            if outcome.send and isinstance(step, Email | Sms):
                self.queued.append((stay, step))
        stay.taken += party.taken
        stay.visit, stay.visits = party.visit, party.visits
        self._stop(stay, party, now)

    def _stop(self, stay: Stay, party: Party, now: dt.datetime) -> None:
        """Where the entry stands now, or how it ended."""
        if isinstance(party.stays, Ended):
            stay.status, stay.wake_at = party.stays.status, None
        elif party.stays is not None:
            stay.phase, stay.wake_at, stay.deadline = party.phase, party.stays.wake_at, party.stays.deadline
            stay.arrived_at = now if party.arrived else stay.arrived_at
            if stay.phase == "sending" and isinstance(self.plan.program.steps[stay.step_id], Webhook):
                stay.fate, stay.wake_at = "settled", now  # nobody is called, so nobody answers

    def _answer(self, step_id: str, step: Step, rows: Sequence[Entry], now: dt.datetime) -> None:
        wanted = self.plan.needs[step_id]
        for row in rows:
            assert isinstance(row, Stay)
            if row.phase == "ready":
                self.tally.arrive(step_id)
            if wanted.winner and step_id in self.plan.winners:
                since, arm = self.plan.winners[step_id]
                row.winner = arm if now >= since else None
            if not (wanted.rules or wanted.dates or wanted.zone):
                continue
            as_of = min(now, row.deadline) if row.phase == "waiting" and row.deadline is not None else now
            facts = self._facts(row, now)
            verdicts = [evaluate(rule.node, facts, as_of) for rule in wanted.rules]
            row.truths = tuple(verdict.value for verdict in verdicts)
            row.dates = tuple(operand(ast.Path(tuple(p.split("."))), View(facts, now)).instant() for p in wanted.dates)
            if wanted.zone:
                phone = facts.phone if step.kind == "sms" else None
                row.zones = zones_of(facts.timezone, phone, self.plan.workspace.zone)
            row.changes_at = None
            if isinstance(step, WaitFor) and self.plan.listening.steps[step_id].time:
                row.changes_at = min((v.changes_at for v in verdicts if v.changes_at is not None), default=None)

    def _do(self, step_id: str, effect: Effect, rows: Sequence[Entry], now: dt.datetime) -> None:
        """In this replay only."""
        for row in rows:
            cause = chain.message_id(row.id, step_id, row.visit)
            match effect:
                case EmitEvent():
                    event = EventFact(effect.name, now, now, cause, dict(effect.properties))
                    events = sorted([*self.facts.events, event], key=lambda fact: fact.key)
                    self.facts = replace(self.facts, events=tuple(events))
                    self.agenda.add(event)
                case StartJourney():
                    if effect.journey == self.plan.journey.slug:
                        self.agenda.add(Trigger(self.person.id, now, now, cause, {}))
                case Deliver():
                    continue  # nobody is called
                case _:
                    self.facts, changed = done(self.facts, effect)
                    self.changed += changed

    def _facts(self, stay: Stay, now: dt.datetime) -> Facts:
        """The contact with this entry; made anew only when something about them has changed."""
        since = (stay.arrived_at or now) if self.plan.reads.step else None
        known = stay.known
        if known is None or known[0] is not self.facts or known[1] != since:
            slug = self.plan.journey.slug
            entered = replace(self.facts, entry=stay.trigger, event=stay.event, journey=slug, step_since=since)
            known = stay.known = self.facts, since, entered
        return known[2]

    def _holds(self, rule: RuleText, stay: Stay, at: dt.datetime) -> bool:
        return evaluate(rule.node, self._facts(stay, at), at).value

    # Sending ----------------------------------------------------------------------------------------------------------

    def _send(self, now: dt.datetime) -> bool:
        """The gate, message by message, as the claim asks it. Then those go on who waited for the fate of theirs;
        whether there were any."""
        waited = []
        while self.queued:
            stay, step = self.queued.pop(0)
            verdict = gate.decide(self._at_the_gate(stay, step, now), now)
            if verdict.action == "send":
                self._accept(step, now)
            else:
                self.tally.withheld[step.id][verdict.reason or verdict.action] += 1
            if stay.phase == "sending" and stay.step_id == step.id:
                stay.fate = fate(verdict.action, verdict.reason)
                waited.append(stay)
        for stay in waited:
            if stay.status == "active":
                self._advance(stay, now)
        return bool(waited)

    def _accept(self, step: Email | Sms, now: dt.datetime) -> None:
        self.tally.message(step, now)
        self.messages += 1
        self.accepted.append(now)
        if self.plan.reads.told:
            fact = MessageFact(now, step.content, step.id, self.plan.journey.slug)
            self.facts = replace(self.facts, messages=(*self.facts.messages, fact))

    def _at_the_gate(self, stay: Stay, step: Email | Sms, now: dt.datetime) -> gate.Facts:
        options, facts, channel = self.plan.program.sends[step.id], self.facts, step.kind
        limit = cap.parse(f"{options.cap.count} per {options.cap.per}") if options.cap else None
        since = self.person.suppressed.get(channel)
        return gate.Facts(
            channel=channel,
            address=facts.email if channel == "email" else facts.phone,
            channel_state=facts.consent.get((channel, "")),
            topic_state=facts.consent.get((channel, options.topic)) if options.topic else None,
            topic_default=self.plan.schema.topics.get(options.topic) if options.topic else None,
            suppressed=since is not None and since <= now,
            needs_consent=channel == "sms" and self.plan.workspace.sms_needs_consent,
            leaving=self._exit(stay, now),
            cap=limit,
            cap_count=sum(limit.since(now) < at <= now for at in self.accepted) if limit else 0,
        )


def _moved(slugs: frozenset[str], turn: Turn) -> frozenset[str]:
    return slugs | {turn.name} if turn.state == "in" else slugs - {turn.name}
