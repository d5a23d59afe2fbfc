"""Why a contact got something or not, as the ledger tells it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine import clock
from engine.contacts.find import find
from engine.errors import NotFound
from engine.imports.events import import_events
from engine.messages import limits
from engine.messages.gate import GATES
from engine.signing import signer
from journeys.explain import Story, as_json, explain_journey, words
from journeys.explain.values import Entry, Gate, Rule
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from webapp.cli._explaining import show_story
from workers import pipeline, sending

MAIL = "- email: hello\n  id: mail"


def story(world: World, contact: int, slug: str = "j") -> Story:
    """The story, which must be writable as JSON too."""
    with world.database.transaction() as session:
        found = explain_journey(session, slug, contact, "anna", signer(), clock.now(session))
    json.dumps(as_json(found))
    return found


def refused(world: World, contact: int) -> list[str]:
    return [refusal.why for refusal in story(world, contact).refusals]


def gates(found: Story) -> list[dict[str, str]]:
    """Of each message of the only entry: gate -> verdict."""
    [entry] = found.entries
    return [{gate.name: gate.verdict for gate in message.gates} for message in entry.messages]


def asked_of(entry: Entry) -> list[Rule]:
    return [rule for step in entry.steps for rule in step.rules]


# Never entered --------------------------------------------------------------------------------------------------------


def test_a_trigger_that_never_happened(world: World) -> None:
    world.publish(journey(MAIL))
    found = story(world, world.contact())
    assert (found.entries, [one.why for one in found.refusals]) == ((), ["never_happened"])
    assert found.verdict == "Never entered. “Signed Up” never happened to this contact."


def test_a_where_that_is_false_shows_the_values_that_it_saw(world: World) -> None:
    world.publish(journey(MAIL, enter="on: Signed Up, where: 'plan is \"pro\" and event.seats >= 5'"))
    anna = world.contact(plan="free")
    world.event(anna, "Signed Up", seats=7)
    world.settle()
    [refusal] = story(world, anna).refusals
    assert (refusal.why, refusal.version) == ("where", 1)
    assert refusal.rule is not None
    plan, seats = refusal.rule.parts
    assert (plan.verdict, plan.seen[0].value) == (False, "free")
    assert (seats.verdict, seats.seen[0].value) == (True, 7)


def test_an_event_before_the_journey_was_live(world: World) -> None:
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    world.jump(HOUR)
    world.publish(journey(MAIL))
    assert refused(world, anna) == ["not_live"]


def test_an_event_that_nobody_has_looked_at_yet(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact()
    world.event(anna, "Signed Up")
    assert refused(world, anna) == ["not_looked_at"]


def test_an_event_received_too_late(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact()
    world.event(anna, "Signed Up", at=START - 2 * DAY)
    world.settle()
    assert refused(world, anna) == ["late"]


def test_an_imported_event(world: World, tmp_path: Path) -> None:
    world.publish(journey(MAIL))
    anna = world.contact("anna")
    path = tmp_path / "events.csv"
    with path.open("w", newline="") as file:
        rows = [["external_id", "name", "occurred_at"], ["anna", "Signed Up", START.isoformat()]]
        csv.writer(file).writerows(rows)
    import_events(world.database, path, now=START + HOUR, folder=tmp_path)
    world.settle()
    assert refused(world, anna) == ["imported"]


def test_who_may_not_enter_again(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact()
    for _ in range(2):
        world.event(anna, "Signed Up")
        world.settle()
        world.jump(HOUR)
    found = story(world, anna)
    assert len(found.entries) == 1
    [refusal] = found.refusals
    assert refusal.why == "again"
    assert refusal.seen == {"again": "once", "last_entered": START, "in_it_then": False}


def test_who_joined_the_segment_before_and_who_is_not_in_it(world: World) -> None:
    member, other = world.contact(plan="pro"), world.contact(plan="free")
    world.segment("pro", 'plan is "pro"')
    world.jump(HOUR)
    world.publish(journey(MAIL, enter="segment: pro"))
    assert refused(world, member) == ["joined_before"]
    [refusal] = story(world, other).refusals
    assert refusal.why == "not_a_member" and refusal.rule is not None
    assert refusal.rule.seen[0].value == "free"


def test_who_is_about_to_be_let_in_or_could_not_be(world: World) -> None:
    world.segment("pro", 'plan is "pro"')
    anna = world.contact(plan="pro")
    world.segment("pro", 'plan is "pro"')
    world.publish(journey(MAIL, enter="segment: pro, existing: true"))
    assert refused(world, anna) == ["not_looked_at"]
    world.execute("update entry_inbox set error = 'ValueError: no'")
    [refusal] = story(world, anna).refusals
    assert (refusal.why, refusal.words) == ("set_aside", "The entry was set aside: ValueError: no")


def test_who_has_no_date_to_enter_by(world: World) -> None:
    world.publish(journey(MAIL, enter="date: 3 days before trial.ends_at"))
    [refusal] = story(world, world.contact(trial={"ends_at": "soon"})).refusals
    assert (refusal.why, refusal.seen) == ("never_happened", {"trial.ends_at": "soon"})


def test_a_journey_that_is_none_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        story(world, world.contact(), "nothing")


# Entered --------------------------------------------------------------------------------------------------------------


def test_who_is_held_out(world: World) -> None:
    world.publish(journey(MAIL, "holdout: 100%\n"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    found = story(world, anna)
    assert [(entry.status, entry.held_out, entry.messages) for entry in found.entries] == [("held_out", True, ())]
    assert [(step.outcome, step.detail) for step in found.entries[0].steps] == [("held_out", {"share": "100%"})]
    assert found.refusals == ()


def test_steps_version_arms_and_what_is_waited_for(world: World) -> None:
    steps = """\
    - split: Half
      id: half
      paths: [{share: 100%, name: all, do: []}, {share: 0%, name: none, do: []}]
    - wait_for: did "Order Completed" at least 2 times
      id: order
      up_to: 3 days
    """
    world.publish(journey(steps, 'exit: plan is "pro"\n'))
    anna = world.contact(plan="free")
    world.event(anna, "Signed Up")
    world.settle()
    world.jump(HOUR)
    world.event(anna, "Order Completed")
    world.settle()
    [entry] = story(world, anna).entries
    assert (entry.version, entry.arms, entry.status) == (1, {"half": "all"}, "active")
    assert [(step.step, step.kind, step.outcome) for step in entry.steps] == [
        ("", "", "entered"),
        ("half", "split", "split"),
        ("order", "wait_for", "waiting"),
    ]
    assert entry.waiting is not None
    assert (entry.waiting.step, entry.waiting.deadline) == ("order", START + 3 * DAY)
    wait, exit_ = entry.rules
    assert (wait.what, wait.explained.verdict, wait.explained.seen[0].value) == ("wait", False, 1)
    assert (exit_.what, exit_.explained.verdict, exit_.explained.seen[0].value) == ("exit", False, "free")


def test_the_gates_of_steps_show_their_rules_with_values(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    steps = """\
    - email: hello
      id: mail
      if: plan is "pro"
    - branch:
      id: kind
      paths: [{when: seats > 5, name: big, do: []}, {else: null, do: []}]
    - wait_for: plan is "free"
      id: free
      up_to: 1 day
    - email: hello
      id: late
      at: 18:00 UTC
    """
    world.publish(journey(steps))
    anna = world.contact(plan="free", seats=2)
    world.event(anna, "Signed Up")
    world.settle()
    found = story(world, anna)
    show_story(found)
    assert 'if, by the values of now:\n      no   plan is "pro"  plan = free' in capsys.readouterr().out
    [entry] = found.entries
    assert [(step.step, step.outcome, step.detail) for step in entry.steps[1:]] == [
        ("mail", "skipped", {"gate": "if", "rule": 'plan is "pro"'}),
        ("kind", "branched", {"path": "else"}),
        ("free", "met", {"rule": 'plan is "free"'}),
        ("late", "held", {"gate": "at", "until": START.replace(hour=18).isoformat()}),
    ]
    told = [(rule.what, rule.explained.verdict, rule.explained.seen[0].value) for rule in asked_of(entry)]
    assert told == [("if", False, "free"), ("path big", False, 2)]


def test_each_gate_of_a_message_that_went_and_of_one_over_its_cap(world: World) -> None:
    world.publish(journey("- email: a\n  id: a\n- email: b\n  id: b", "send: {cap: 1 per day}\n"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    found = story(world, anna)
    went, capped = gates(found)
    assert set(went.values()) == {"passed"}
    assert capped == dict.fromkeys(went, "passed") | {"cap": "refused"}
    [entry] = found.entries
    counts = [message.gates[-1].seen for message in entry.messages]
    assert counts == [{"allowed": "1 per 1 day", "count": 0}, {"allowed": "1 per 1 day", "count": 1}]


def test_a_refusal_is_told_with_the_values_of_then(world: World) -> None:
    """The contact subscribes again afterwards; what the gate saw stays."""
    world.publish(journey("- email: a\n  id: a\n  topic: news"))
    anna = world.contact()
    world.consent(anna, "unsubscribed", "news")
    world.event(anna, "Signed Up")
    world.settle()
    world.jump(HOUR)
    world.consent(anna, "subscribed", "news")
    found = story(world, anna)
    [entry] = found.entries
    [message] = entry.messages
    [verdicts] = gates(found)
    assert (message.reason, verdicts["consent"], verdicts["cap"]) == ("unsubscribed", "refused", "not asked")
    [consent] = [gate for gate in message.gates if gate.name == "consent"]
    assert consent.seen["topic_state"] == "unsubscribed"


def test_a_message_that_waits_shows_what_it_will_meet(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.state("j", "paused")
    sending.send(world.database)
    found = story(world, anna)
    [entry] = found.entries
    assert set(gates(found)[0].values()) == {"waiting"}
    assert entry.messages[0].gates[0].seen == {"state": "paused"}


def test_the_workspaces_limits_are_told_with_what_they_saw(world: World) -> None:
    world.publish(journey(f"{MAIL}\n- {{email: hello, id: again}}"))
    anna = world.contact()
    with world.database.transaction() as session:
        limits.set_cap(session, "email", "1 per day", "test", START)
    world.event(anna, "Signed Up")
    world.settle()
    gates_of = [{gate.name: gate for gate in message.gates} for message in story(world, anna).entries[0].messages]
    assert [(each["cap"].verdict, each["cap"].seen) for each in gates_of] == [
        ("passed", {"email": "0 of 1 per 1 day"}),
        ("refused", {"email": "1 of 1 per 1 day"}),
    ]


def test_a_message_in_quiet_hours_tells_until_when(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact(timezone="UTC")
    with world.database.transaction() as session:
        limits.set_quiet(session, "email", "00:00-23:59", "test", START)
    world.event(anna, "Signed Up")
    world.settle()
    [message] = story(world, anna).entries[0].messages
    seen = next(gate.seen for gate in message.gates if gate.name == "quiet")
    assert (message.state, message.reason, seen["hours"]) == ("queued", "quiet", "00:00-23:59")
    assert seen["until"] == START.replace(hour=23, minute=59, second=0, microsecond=0).isoformat()


def test_a_message_whose_entry_was_left_says_so(world: World) -> None:
    world.publish(journey(f"{MAIL}\n- wait: 1 day\n  id: rest", 'exit: plan is "pro"\n'))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.change(anna, plan="pro")
    world.settle()
    found = story(world, anna)
    [entry] = found.entries
    assert (entry.status, entry.reason) == ("exited", 'exit: plan is "pro"')
    assert gates(found)[0]["exit"] == "refused"


def test_consent_given_after_a_message_went_does_not_show(world: World) -> None:
    world.publish(journey(MAIL))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    world.jump(dt.timedelta(minutes=5))
    world.consent(anna, "unsubscribed")
    [entry] = story(world, anna).entries
    [consent] = [gate for gate in entry.messages[0].gates if gate.name == "consent"]
    assert (consent.verdict, consent.seen["channel_state"]) == ("passed", None)


def test_it_reads_as_text_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.publish(
        journey(MAIL, 'send: {cap: 1 per day}\nexit: plan is "pro"\n', enter="on: Signed Up, where: email is set")
    )
    anna, ben = world.contact(), world.contact(email=None)
    for contact in (anna, ben):
        world.event(contact, "Signed Up")
    world.settle()
    for contact in (anna, ben):
        show_story(story(world, contact))
    told = capsys.readouterr().out
    for expected in (
        "Entered 1 time",
        "mail: queued",
        "email hello of mail: accepted",
        "    Is it within the limit of messages? yes  allowed = 1 per 1 day, had before = 0",
        "Entered 2 Mar 2026, 12:00:00 UTC",
    ):
        assert expected in told
    assert "Not entered: 2 Mar 2026, 12:00:00 UTC  The rule of the trigger is false" in told
    assert "    no   email is set  email = nothing" in told


def test_a_contact_is_found_by_what_a_person_would_type(world: World) -> None:
    anna = world.contact("anna", phone="+12025550100")
    with world.database.transaction() as session:
        assert {find(session, text).id for text in ("anna", "ANNA@x.example", "+12025550100")} == {anna}
        with pytest.raises(NotFound):
            find(session, "nobody")


def test_instants_are_told_as_dates_in_the_zone_and_flags_as_yes_and_no() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert words.told(START, berlin) == "2 Mar 2026, 13:00:00 CET"
    assert words.told("2026-07-01T10:00:00+00:00", berlin) == "1 Jul 2026, 12:00:00 CEST"
    assert [words.told(one, berlin) for one in (True, False, None, 3, "2026-07-01")] == [
        "yes",
        "no",
        "nothing",
        "3",
        "2026-07-01",
    ]


def test_every_gate_has_a_question_and_the_one_that_refused_comes_first() -> None:
    assert words.QUESTIONS.keys() == set(GATES)
    gates = [Gate(name, "refused" if name == "consent" else "passed", {}) for name in GATES]
    first, *rest = words.refused_first(gates)
    assert (words.question(first), words.answer(first)) == ("Has the contact agreed to get it?", "no")
    assert [gate.name for gate in rest] == [name for name in GATES if name != "consent"]
