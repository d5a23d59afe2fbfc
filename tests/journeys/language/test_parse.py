"""Journey files are read whole, or refused with a place and a hint."""

from __future__ import annotations

import datetime as dt
import time
from fractions import Fraction
from pathlib import Path

import pytest

from engine.errors import LanguageError
from journeys.language.durations import Duration
from journeys.language.parse import parse, read
from journeys.language.steps import (
    Branch,
    Cap,
    DateOffset,
    Email,
    LocalTime,
    Quiet,
    Set,
    Sms,
    Split,
    Wait,
    WaitFor,
    Webhook,
    effective,
)
from tests.journeys.language.writing import steps

LIBRARY = Path(__file__).parents[3] / "journeys" / "library"
TRIAL = (LIBRARY / "trial-to-paid.yaml").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_library_reads_without_a_problem(path: Path) -> None:
    reading = read(path.read_text("utf-8"))
    assert reading.problems == []
    assert reading.journey is not None and reading.journey.slug == path.stem


def test_the_frame_of_the_example_is_read_in_full() -> None:
    journey = parse(TRIAL)
    assert (journey.slug, journey.holdout) == ("trial-to-paid", Fraction(1, 10))
    assert (journey.enter.kind, journey.enter.event) == ("event", "Signed Up")
    assert (journey.enter.again.kind, journey.enter.again.duration) == ("after", Duration(90, "day"))
    assert journey.enter.where is not None and journey.enter.where.text == 'plan is "trial" and email is set'
    assert journey.goal is not None and journey.goal.value is not None and journey.goal.value.path == ("mrr",)
    assert journey.goal.within == Duration(30, "day") and not journey.goal.stay
    assert [rule.text for rule in journey.exits] == ['not subscribed to "product" on email']
    assert journey.send.topic == "product" and journey.send.cap == Cap(3, Duration(1, "week"))
    assert journey.send.quiet == Quiet(dt.time(21), dt.time(8), "contact")
    assert [(move.source, move.to) for move in journey.moved] == [("nudge", "need-a-hand")]
    assert journey.layout == {"size": (420, 610)}


def test_the_steps_of_the_example_are_read_in_full() -> None:
    journey = parse(TRIAL)
    split, activated, size, decision, done = journey.steps
    assert isinstance(split, Split) and [arm.share for arm in split.paths] == [Fraction(1, 2)] * 2
    assert split.winner is not None and split.winner.after == Duration(3, "day")
    assert isinstance(activated, WaitFor) and activated.up_to == Duration(3, "day")
    assert isinstance(size, Branch) and size.paths[1].when is None and size.paths[1].do == ()
    call = size.paths[0].do[0]
    assert isinstance(call, Webhook) and call.exit and call.webhook == "crm/create-task"
    assert isinstance(decision, WaitFor) and decision.up_to == DateOffset("trial_ends_at", Duration(2, "day"), True)
    assert isinstance(done, Set) and done.values == (("lifecycle", "trial_done"),)


def test_the_sends_of_the_example_carry_their_options() -> None:
    decision = parse(TRIAL).steps[3]
    assert isinstance(decision, WaitFor)
    opened = decision.rules[0].do[1]
    assert isinstance(opened, WaitFor)
    text, ending = opened.timeout[0], decision.timeout[0]
    assert isinstance(text, Sms) and text.send.if_ is not None and text.send.if_.line == 65
    assert text.send.quiet == Quiet(dt.time(20), dt.time(9), "contact")
    assert isinstance(ending, Email) and ending.send.at == LocalTime(dt.time(9, 30), "contact")
    assert [step.id for step in ending.send.fallback] == ["ending-sms"]


def test_a_step_takes_the_options_of_its_journey_unless_it_has_or_lifts_them() -> None:
    text = steps("  - {email: a, id: a, quiet: none, cap: 1 per day}").replace(
        "steps:", "send: {topic: news, quiet: 21:00-08:00, cap: 3 per week}\nsteps:"
    )
    journey = parse(text)
    step = journey.steps[0]
    assert isinstance(step, Email)
    options = effective(journey, step)
    assert (options.topic, options.quiet, options.cap) == ("news", None, Cap(1, Duration(1, "day")))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3 days", Duration(3, "day")),
        ("a week", Duration(1, "week")),
        ("1 month", Duration(1, "month")),
        ("until 09:30", LocalTime(dt.time(9, 30))),
        ("until 09:30 workspace", LocalTime(dt.time(9, 30), "workspace")),
        ("until monday 09:30 Europe/Berlin", LocalTime(dt.time(9, 30), "Europe/Berlin", (0,))),
        ("until monday or thursday at 18:00", LocalTime(dt.time(18), "contact", (0, 3))),
        ("until weekdays 08:00", LocalTime(dt.time(8), "contact", (0, 1, 2, 3, 4))),
        ("until trial_ends_at", DateOffset("trial_ends_at")),
        ("until 2 days before company.renews_at", DateOffset("company.renews_at", Duration(2, "day"), True)),
        ("1 week after birthday", DateOffset("birthday", Duration(1, "week"))),
        ("until trial_ends_at - 2 days", DateOffset("trial_ends_at", Duration(2, "day"), True)),
    ],
)
def test_wait_takes_a_duration_a_local_time_or_a_date(written: str, expected: object) -> None:
    step = parse(steps(f"  - wait: {written}", "    id: a")).steps[0]
    assert isinstance(step, Wait) and step.until == expected


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("on: Signed Up", "event"),
        ("segment: vip\n  existing: true", "segment"),
        ("schedule: every monday at 09:00", "schedule"),
        ("api: true", "api"),
        ("date: 3 days before trial_ends_at", "date"),
    ],
)
def test_enter_takes_each_trigger(trigger: str, kind: str) -> None:
    journey = parse(f"journey: x\nenter:\n  {trigger}\nsteps: [{{exit: true, id: a}}]\n")
    assert journey.enter.kind == kind and journey.enter.existing == (kind == "segment")


def test_every_step_kind_is_read() -> None:
    text = steps(
        "  - {webhook: crm/task, id: a, store: crm_id, if: plan is 1}",
        "  - {score: -5, id: b, name: lead}",
        "  - {list: {add: [vip, beta], remove: old}, id: c}",
        "  - {notify: sales@example.com, message: 'Call: now', id: d, exit: true}",
        "  - {event: Trial Ended, properties: {total: 3.5, tags: [a, b]}, id: e}",
        "  - {journey: win-back, id: f}",
        "  - {repeat: 3 times, id: g, do: [{wait: 1 day, id: h}]}",
        "  - {exit: gave up, id: i}",
    )
    kinds = [step.kind for step in parse(text).steps]
    assert kinds == ["webhook", "score", "list", "notify", "event", "journey", "repeat", "exit"]


def test_words_that_older_yaml_takes_for_booleans_stay_text() -> None:
    step = parse(steps("  - {set: {a: yes, b: on, c: 12:30, d: 2026-01-02, e: '5', f: 5, g: null}, id: no}")).steps[0]
    assert isinstance(step, Set) and step.id == "no"
    assert step.values == (
        ("a", "yes"),
        ("b", "on"),
        ("c", "12:30"),
        ("d", "2026-01-02"),
        ("e", "5"),
        ("f", 5),
        ("g", None),
    )


def test_tests_of_a_journey_are_read() -> None:
    journey = parse(
        steps(
            "  - {exit: x, id: a}",
            "tests:",
            "  - name: leaves",
            "    contact: {plan: trial}",
            "    events: [{at: 2 days, event: Paid, properties: {total: 5}}, {at: '2026-01-02T10:00:00Z', event: B}]",
            "    expect: {path: [a], messages: []}",
        )
    )
    test = journey.tests[0]
    assert (test.name, test.contact, test.path, test.messages) == ("leaves", (("plan", "trial"),), ("a",), ())
    assert [event.at for event in test.events] == [Duration(2, "day"), dt.datetime(2026, 1, 2, 10, tzinfo=dt.UTC)]


def test_the_first_mistake_of_the_file_is_raised_and_all_are_listed() -> None:
    text = steps("  - {emial: a, id: a}", "  - {wait: 3d, id: b}", "  - {email: c}")
    assert [problem.line for problem in read(text).problems] == [4, 5, 6]
    with pytest.raises(LanguageError) as caught:
        parse(text)
    assert caught.value.line == 4


def test_a_comment_that_looks_like_the_rest_of_a_rule_is_warned_of() -> None:
    reading = read(steps('  - wait_for: opened "promo" #1 or opened "b"', "    id: a", "    up_to: 1 day"))
    assert [(problem.severity, problem.line) for problem in reading.problems] == [("warning", 4)]
    assert "single quotes" in reading.problems[0].hint


def test_a_layout_of_a_step_that_is_gone_is_warned_of() -> None:
    reading = read(steps("  - {exit: x, id: size}", "layout: {sise: [1, 2]}"))
    assert reading.journey is not None and reading.journey.layout == {}
    assert [(problem.severity, problem.hint) for problem in reading.problems] == [("warning", "Did you mean `size`?")]


def test_sixty_lines_are_read_within_ten_times_fifty_milliseconds() -> None:
    text = TRIAL.partition("tests:")[0]
    parse(text)
    best = min(_seconds(text) for _ in range(5))
    assert best < 10 * 0.05


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "? " * 100_000,
        "a: " + "x " * 120_000,
        "journey: " + '"' * 99_999,
        "journey: x\nexit: [" + "a, " * 30_000 + "]\n",
        "enter: {on: A, where: '" + "(" * 15_000 + "'}",
        "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(1000)),
        "#" * 200_000,
        " " * 200_000 + "a: b",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_files_are_refused_quickly(text: str) -> None:
    assert _seconds(text, refused=True) < 5


def _seconds(text: str, refused: bool = False) -> float:
    begin = time.perf_counter()
    assert (read(text).journey is None) == refused
    return time.perf_counter() - begin
