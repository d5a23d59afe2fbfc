"""Replay a draft over one contact's history, with the `decide` code and the gate of the real run. Pure.

At one instant events come first, then changes, then wake-ups, and at last what was queued is sent; so it is on the
virtual clock. Nobody opens or clicks what was never sent: message verbs see what really happened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from heapq import heappop, heappush

from engine.expr import Facts, MessageFact, evaluate
from engine.expr.evaluate import judge, operand
from engine.expr.facts import EventFact
from engine.expr.values import View
from engine.messages import gate
from engine.zones import zones_of
from journeys.decide import Effect, chain
from journeys.decide.effects import Deliver, EmitEvent, StartJourney
from journeys.decide.split import is_held_out
from journeys.language.steps import Email, RuleText, Sms, Step, Webhook
from journeys.runtime.enrol import Before, Trigger, entry_key, may_again
from journeys.runtime.entry import Entry
from journeys.runtime.fate import fate
from journeys.runtime.leave import GoalEvent, worth_of
from journeys.runtime.listening import Ears, Fact
from journeys.runtime.run import Ended, Walk, move_one
from journeys.simulate.agenda import Agenda
from journeys.simulate.doing import done
from journeys.simulate.outbox import Letter, Outbox
from journeys.simulate.person import Person, Turn
from journeys.simulate.plan import Asked, Plan
from journeys.simulate.stay import FIRST_ID, Stay
from journeys.simulate.tally import Drawn, Tally
from journeys.simulate.winners import gains


class Replay:
    """One contact under way."""

    def __init__(self, plan: Plan, person: Person, tally: Tally) -> None:
        self.plan, self.person, self.tally = plan, person, tally
        self.facts = person.facts
        self.agenda = Agenda(plan, person)
        self.stays: list[Stay] = []
        self.keys: set[str] = set()
        self.hoping: list[Stay] = []
        self.alarms: list[tuple[dt.datetime, int]] = []
        self.now = plan.start
        self.outbox = Outbox(plan, person.sent)
        self.changed: list[Fact] = []
        self.chosen = plan.choosing
        self.drawn: list[tuple[Stay, str, str, dt.datetime]] = []
        self.messages = 0

    def run(self) -> None:
        """From the start of the span to its end."""
        agenda, outbox, now, end = self.agenda, self.outbox, self.plan.start, self.plan.end
        while True:
            if self.changed and not agenda.has_event_at(now):
                self._follow(self.changed.pop(0), now)
                continue
            wake, at = self._alarm(), agenda.at
            following = at if at <= wake else wake
            if outbox.held and outbox.held[0][0] < following:
                following = outbox.held[0][0]
            if outbox.queued and (following > now or following >= end) and self._send(now):
                continue
            if following >= end:
                break
            self.now = now = following
            if outbox.held and outbox.held[0][0] <= now:
                outbox.release(now)
            elif at <= wake:
                self._happen(agenda.pop(), now)
            else:
                self._wake(now)
        self._close()

    def _close(self) -> None:
        """Count how the entries ended, and what those brought that drew an arm of a split with a winner."""
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
        self.tally.waiting += len(self.outbox.held)
        self.tally.person(self.person.name, self.messages)

    # What happens -----------------------------------------------------------------------------------------------------

    def _happen(self, what: EventFact | Turn | Trigger, now: dt.datetime) -> None:
        enter = self.plan.journey.enter
        if isinstance(what, EventFact):
            if self.hoping:
                self._change(None, now, what)
            if what.name == enter.event:
                self._enrol(Trigger(self.person.id, *what[1:4], dict(what.properties)), now)
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
            self.facts = facts._replace(consent={**facts.consent, (turn.channel, turn.name): turn.state})
        elif turn.kind == "segment":
            self.facts = facts._replace(segments=_moved(facts.segments, turn))
        else:
            self.facts = facts._replace(lists=_moved(facts.lists, turn))

    def _follow(self, fact: Fact, now: dt.datetime) -> None:
        """A change that a step has made."""
        date = self.plan.journey.enter.date
        if date is not None and fact.kind == "attribute" and date.path.split(".")[0] in fact.names:
            self.agenda.move_date(self.facts, now)
        self._change(fact, now, None)

    def _change(self, fact: Fact | None, now: dt.datetime, event: EventFact | None) -> None:
        """Waits met, then exits, then goals: by a change of the contact, or by an event."""
        heard = self.plan.listening
        stays = self.hoping = [stay for stay in self.hoping if stay.hopes(now)]
        for stay in stays:
            ears = heard.steps.get(stay.step_id)
            if stay.status == "active" and (stay.phase == "ready" or self._minds(ears, fact, event, now)):
                self._advance(stay, now)
        if self._minds(heard.exits, fact, event, now):
            for stay in stays:
                self._exit(stay, now)
        if self._minds(heard.goal, fact, event, now):
            for stay in stays:
                self._goal(stay, now, event)

    def _minds(self, ears: Ears | None, fact: Fact | None, event: EventFact | None, now: dt.datetime) -> bool:
        """Whether this can change a verdict: of an event its properties count too, as in the real run."""
        if ears is None:
            return False
        if event is not None:
            return ears.minds(event.name, event.properties, self.plan.schema, now)
        return fact is not None and ears.hears(fact)

    def _set_alarm(self, stay: Stay, at: dt.datetime | None) -> None:
        stay.wake_at = at
        if at is not None:
            heappush(self.alarms, (at, stay.number))

    def _alarm(self) -> dt.datetime:
        """When the next entry wakes; the end of the span if none does. Alarms that were set anew are forgotten."""
        alarms = self.alarms
        while alarms:
            at, number = alarms[0]
            if self.stays[number].wake_at == at:
                return at
            heappop(alarms)
        return self.plan.end

    def _wake(self, now: dt.datetime) -> None:
        due = set()
        while self.alarms and self.alarms[0][0] <= now:
            due.add(heappop(self.alarms)[1])
        for number in sorted(due):
            stay = self.stays[number]
            if stay.wake_at is not None and stay.wake_at <= now:
                self._advance(stay, now)

    # Entering and leaving ---------------------------------------------------------------------------------------------

    def _enrol(self, trigger: Trigger, now: dt.datetime) -> None:
        journey = self.plan.journey
        where = journey.enter.where
        if where is not None:
            facts = self.facts._replace(event=trigger.properties) if self.plan.reads.trigger else self.facts
            if not evaluate(where.node, facts, now).value:
                return
        if self._passed_on_too_often(trigger, now):
            return
        key = entry_key(journey.enter.again, trigger)
        before = self._before()
        if key in self.keys or (before is not None and not may_again(journey.enter.again, key, before, now)):
            return
        held = before.held_out if before else is_held_out(journey.slug, self.person.id, journey.holdout)
        stay = Stay(len(self.stays), trigger, key, held, before is None, self.plan, now)
        self._set_alarm(stay, stay.wake_at)
        self.stays.append(stay)
        self.keys.add(key)
        self.hoping.append(stay)
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
        active = any(stay.status == "active" for stay in self.hoping)
        return Before(self.person.id, active, stays[-1].entered_at, stays[0].held_out, self.keys)

    def _exit(self, stay: Stay, now: dt.datetime) -> bool:
        """Whether an exit rule holds; it ends an entry that is still open."""
        for rule in self.plan.journey.exits:
            if self._holds(rule, stay, now):
                if stay.status in ("active", "held_out"):
                    self._end(stay, "exited")
                return True
        return False

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
        for step_id in self.outbox.cancel(stay):
            self.tally.withhold(step_id, reason, self.now)

    # Steps ------------------------------------------------------------------------------------------------------------

    def _advance(self, stay: Stay, now: dt.datetime) -> None:
        walk = move_one(self.plan.program, stay, now, self._answer, self._do)
        for step_id, outcome, visit in walk.log:
            self.tally.log(step_id, outcome.log, outcome.detail.get("path") if outcome.detail else None)
            if outcome.arm is not None and step_id in self.chosen:
                self.drawn.append((stay, step_id, outcome.arm, now))
            if outcome.send:
                step = self.plan.program.steps[step_id]
                assert isinstance(step, Email | Sms)
                self.outbox.put(stay, step, visit, now)
            elif outcome.log == "held":
                self.tally.put_off(now, "held")
        stay.taken += walk.taken
        stay.visit, stay.visits = walk.visit, walk.visits
        self._stop(stay, walk, now)

    def _stop(self, stay: Stay, walk: Walk, now: dt.datetime) -> None:
        """Where the entry stands now, or how it ended."""
        if isinstance(walk.stays, Ended):
            stay.status, stay.wake_at = walk.stays.status, None
            return
        stay.phase, stay.deadline = walk.phase, walk.stays.deadline
        wake_at = walk.stays.wake_at
        if walk.arrived:
            stay.arrived_at = now
        if walk.phase == "sending" and isinstance(self.plan.program.steps[stay.step_id], Webhook):
            stay.fate, wake_at = "settled", now  # nobody is called, so nobody answers
        self._set_alarm(stay, wake_at)

    def _answer(self, step_id: str, step: Step, rows: Sequence[Entry]) -> None:  # noqa: ARG002
        """What the one row has to know at this step."""
        (row,) = rows
        if row.phase == "ready":
            self.tally.arrive(step_id)
        asked = self.plan.asked.get(step_id)
        if asked is None:
            return
        assert isinstance(row, Stay)
        if asked.winner and step_id in self.plan.winners:
            since, arm = self.plan.winners[step_id]
            row.winner = arm if self.now >= since else None
        if asked.rules or asked.dates:
            self._ask(asked, row, self.now)
        if asked.zone:
            phone = self.facts.phone if asked.phone else None
            row.zones = zones_of(self.facts.timezone, phone, self.plan.workspace.zone)
        if asked.habits:
            row.habits = self.person.habits._replace(quiet=asked.quiet)

    def _ask(self, asked: Asked, row: Stay, now: dt.datetime) -> None:
        waits = row.phase == "waiting" and row.deadline is not None
        facts = self._facts(row, now)
        view = View(facts, min(now, row.deadline) if waits and row.deadline is not None else now)
        verdicts = [judge(node, view) for node in asked.rules]
        row.truths = tuple([verdict.value for verdict in verdicts])
        if asked.dates:
            row.dates = tuple(operand(path, View(facts, now)).instant() for path in asked.dates)
        if asked.time:
            row.changes_at = min((v.changes_at for v in verdicts if v.changes_at is not None), default=None)

    def _do(self, step_id: str, effect: Effect, rows: Sequence[Entry]) -> None:
        """In this replay only."""
        now = self.now
        for row in rows:
            cause = chain.message_id(row.id, step_id, row.visit)
            match effect:
                case EmitEvent():
                    event = EventFact(effect.name, now, now, cause, dict(effect.properties))
                    events = sorted([*self.facts.events, event], key=lambda fact: fact.key)
                    self.facts = self.facts._replace(events=tuple(events))
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
            entered = self.facts._replace(entry=stay.trigger, event=stay.event, journey=slug, step_since=since)
            known = stay.known = self.facts, since, entered
        return known[2]

    def _holds(self, rule: RuleText, stay: Stay, at: dt.datetime) -> bool:
        return evaluate(rule.node, self._facts(stay, at), at).value

    # Sending ----------------------------------------------------------------------------------------------------------

    def _send(self, now: dt.datetime) -> bool:
        """The gate, message by message, as the claim asks it. Then those go on who waited for the fate of theirs;
        whether there were any, or one is held now."""
        outbox = self.outbox
        waited, holding = [], len(outbox.held)
        while outbox.queued:
            letter = outbox.queued.pop(0)
            facts = self._at_the_gate(letter, now)
            verdict = gate.decide(facts, now)
            if verdict.action == "hold" and facts.quiet_until is not None:
                outbox.hold(letter, facts.quiet_until)
                self.tally.delay(letter.step.id, now)
                continue
            if verdict.action == "send":
                self._accept(letter, now)
            else:
                self.tally.withhold(letter.step.id, verdict.reason or verdict.action, now)
            if letter.is_awaited:
                letter.stay.fate = fate(verdict.action, verdict.reason)
                waited.append(letter.stay)
        for stay in waited:
            if stay.status == "active":
                self._advance(stay, now)
        return bool(waited) or len(outbox.held) > holding

    def _accept(self, letter: Letter, now: dt.datetime) -> None:
        step = letter.step
        self.tally.message(step, now)
        self.messages += 1
        self.outbox.accept(letter, now)
        if self.plan.reads.told:
            fact = MessageFact(now, step.content, step.id, self.plan.journey.slug)
            self.facts = self.facts._replace(messages=(*self.facts.messages, fact))

    def _at_the_gate(self, letter: Letter, now: dt.datetime) -> gate.Facts:
        step = letter.step
        facts, channel, pressure = self.facts, step.kind, self.plan.pressure[step.id]
        topic, since = pressure.topic, self.person.suppressed.get(channel)
        return gate.Facts(
            channel=channel,
            address=facts.email if channel == "email" else gate.dialable(facts.phone),
            channel_state=facts.consent.get((channel, "")),
            topic_state=facts.consent.get((channel, topic)) if topic else None,
            topic_default=self.plan.schema.topics.get(topic) if topic else None,
            suppressed=since is not None and since <= now,
            needs_consent=channel == "sms" and self.plan.workspace.sms_needs_consent,
            leaving=self._exit(letter.stay, now),
            expires_at=letter.expires_at,
            **self.outbox.pressed(facts, pressure, now),
        )


def _moved(slugs: frozenset[str], turn: Turn) -> frozenset[str]:
    return slugs | {turn.name} if turn.state == "in" else slugs - {turn.name}
