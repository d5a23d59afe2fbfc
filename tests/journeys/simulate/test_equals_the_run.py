"""A simulation and a real run on the virtual clock, over the same random history, agree in every count."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections import Counter
from pathlib import Path

import pytest

from engine import clock, workspace
from engine.imports.events import import_events
from journeys.simulate import Tally, as_json
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers.simulate import simulate
from workers.virtual import run_until

LENGTH, PEOPLE = 16 * DAY, 18
NURTURE = journey(
    """
    - split: Half
      id: half
      paths:
        - share: 50%
          do: [{email: hello-a, id: a, fallback: [{wait: 1 hour, id: a-wait}, {sms: short, id: a-text}]}]
        - share: 1/2
          do: [{email: hello-b, id: b}]
    - wait: 2 days
      id: settle
    - branch: Bought
      id: bought
      paths:
        - when: did "Order Completed" where (total >= 50)
          do:
            - set: {tier: gold}
              id: gold
            - email: thanks
              id: thanks
              quiet: 21:00-08:00 contact
        - when: plan is "pro"
          do:
            - email: pro-tips
              id: tips
              at: 09:30 contact
              fallback: [{set: {tier: unreached}, id: unreached}, {wait: 1 hour, id: breath}, {sms: short, id: text}]
        - else:
    - wait_for: did "Browsed" at least 2 times since step
      id: interest
      up_to: 3 days
      timeout:
        - email: come-back
          id: back
          if: never purchased ever
    - email: last
      id: last
      fallback: [{sms: short, id: last-text, fallback: [{set: {gone: true}, id: gone}]}]
    """,
    frame="""
    holdout: 20%
    send: {cap: 3 per week}
    goal: {when: did "Order Completed" where (total >= 90), within: 10 days, value: event.total}
    exit: ['did "Cancelled"', 'not subscribed to "news" on email']
    """,
    enter="on: Signed Up, where: plan is set, again: after 5 days",
    slug="nurture",
)
RESCUE = journey(
    """
    - wait_for:
      id: outcome
      up_to: 2 days
      any:
        - when: did "Order Completed" then "Browsed" within 1 day
          do: [{email: more, id: more}]
        - when: did "Browsed" without "Order Completed" within 6 hours
          do: [{email: rescue, id: rescue}]
      timeout: []
    - wait: until monday 10:00 contact
      id: monday
    - email: weekly
      id: weekly
    """,
    enter="on: Order Completed, again: per event.order",
    frame="goal: {when: purchased, within: 3 days, value: 5, stay: true}\n",
    slug="rescue",
)
WELCOME = journey(
    """
    - email: hi
      id: hi
      topic: news
    - wait: until 1 day before trial_ends_at
      id: trial
    - branch: Tier
      id: tier
      paths:
        - when: tier is "gold" or in segment "pro"
          do: [{email: gold, id: gold, exit: true}]
    - email: bye
      id: bye
    """,
    enter="on: Signed Up, again: always",
    frame="send: {cap: 1 per 2 days}\n",
    slug="hi",
)
ACTING = journey(
    """
    - email: thanks
      id: thanks
    - score: 7
      id: points
    - list: {add: warm}
      id: warm
    - branch: Hot
      id: hot
      paths:
        - when: score >= 14 and in list "warm"
          do:
            - list: {add: hot, remove: warm}
              id: heat
            - score: -14
              id: reset
              exit: true
    - wait_for: in list "hot" or did "Browsed" since step
      id: cool
      up_to: 3 days
      timeout:
        - list: {remove: warm}
          id: cold
    - email: after
      id: after
      if: score > 0
    """,
    enter="on: Order Completed, again: per event.order",
    frame="exit: [score > 20]\n",
    slug="acting",
)
LOOP = journey(
    """
    - repeat: 3 times
      id: loop
      do:
        - email: again
          id: again
          if: tries < 2 or tries is not set
        - wait_for: did "Browsed" since step
          id: look
          up_to: 2 days
          timeout: [{score: 1, name: tries, id: try}]
        - branch: Bought
          id: bought
          paths:
            - when: purchased
              do: [{exit: bought, id: stop}]
    - email: last
      id: last
    """,
    enter="on: Signed Up, again: after 3 days",
    slug="loop",
)
PASSING = journey(
    """
    - event: Browsed
      id: emit
      properties: {total: 95}
    - email: sent
      id: sent
    - wait_for: did "Browsed" at least 3 times
      id: keen
      up_to: 2 days
      timeout:
        - event: Order Completed
          id: order
          properties: {total: 12, order: 9}
    - branch: Round
      id: round
      paths:
        - when: rounds < 3 or rounds is not set
          do:
            - score: 1
              name: rounds
              id: count
            - journey: passing
              id: itself
              exit: true
    - email: end
      id: end
    """,
    frame="""
    goal: {when: did "Order Completed" where (total >= 90), within: 3 days, value: event.total}
    exit: ['did "Browsed" where (total >= 110)']
    """,
    enter="on: Order Completed, again: always",
    slug="passing",
)
SCHEDULED = journey(
    """
    - email: digest
      id: digest
      quiet: 21:00-08:00 contact
    - wait: until friday 10:00 Europe/Berlin
      id: friday
    - score: 1
      id: point
    """,
    enter="schedule: every weekday 07:00 Europe/Berlin, where: purchased in the last 4 days, again: after 2 days",
    frame="holdout: 20%\n",
    slug="scheduled",
)
DATED = journey(
    """
    - email: ending
      id: ending
    - branch: Once more
      id: more
      paths:
        - when: extended is not set
          do: [{set: {extended: true, trial_ends_at: '2026-03-15T00:00:00Z'}, id: extend}]
    """,
    enter="date: 1 day before trial_ends_at, again: always",
    slug="dated",
)
CHOSEN = journey(
    """
    - split: Half
      id: half
      winner: revenue after 4 days
      paths:
        - share: 50%
          do: [{email: hello-a, id: a}]
        - share: 50%
          do: [{email: hello-b, id: b}]
    - wait: 1 day
      id: pause
    - split: Then
      id: then
      winner: goal after 5 days
      paths:
        - share: 50%
          do: [{score: 1, id: x}]
        - share: 50%
          do: [{score: 2, id: y}]
    """,
    enter="on: Signed Up, again: always",
    frame='goal: {when: did "Browsed", within: 10 days}\n',
    slug="chosen",
)
PRESSED = journey(
    """
    - email: hello
      id: hello
      fallback: [{sms: short, id: text, topic: news, expires: 8 hours}]
    - wait: 3 hours
      id: pause
    - email: more
      id: more
      topic: offers
      expires: 7 hours
    - sms: code
      id: code
      topic: orders
    - wait_for: did "Browsed" since step
      id: browsed
      up_to: 1 day
      timeout: []
    - email: last
      id: last
      topic: offers
      at: best
    """,
    enter="on: Order Completed, again: per event.order",
    frame="exit: ['did \"Cancelled\"']\n",
    slug="pressed",
)
LIMITS = {
    "caps": {"all": "4 per week", "email": "3 per 5 days", "topic:offers": "1 per 2 days"},
    "quiet_hours": {"email": "19:00-08:00", "sms": "21:00-11:00"},
    "unlimited_topics": ["orders"],
    "sms_needs_consent": False,
}
LIBRARY = Path(__file__).parents[3] / "journeys" / "library"
EVENTS = ("Signed Up", "Order Completed", "Browsed", "Browsed", "Cancelled")


def populate(world: World, random_: random.Random, folder: Path, events: tuple[str, ...] = EVENTS) -> Path:
    """People with attributes and refusals, and a file of a month's events, some of them at the same instants."""
    lines = []
    for number in range(PEOPLE):
        plan = random_.choice(["pro", "free", None])
        ends = (START + random_.randint(-5, 15) * DAY).isoformat()
        zone = random_.choice(["Europe/Berlin", "America/Los_Angeles", None])
        unreachable = {"email": None} if number % 3 == 1 else {}
        id_ = world.contact(f"u{number}", plan=plan, trial_ends_at=ends, timezone=zone, **unreachable)
        if random_.random() < 0.2:
            world.consent(id_, "unsubscribed", "news")
        for _ in range(random_.randint(2, 9)):
            at = START + random_.randint(0, 15 * 24) * HOUR
            name = random_.choices(events, weights=(6, 5, 5, 5, 1))[0]
            lines.append([f"u{number}", name, at.isoformat(), random_.randint(10, 120), random_.randint(1, 3)])
    path = folder / "events.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "name", "occurred_at", "message_id", "total", "order"])
        writer.writerows([who, name, at, f"e{n:05}", *rest] for n, (who, name, at, *rest) in enumerate(lines))
    return path


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("source", "seed"),
    [
        (NURTURE, 1),
        (RESCUE, 2),
        (WELCOME, 3),
        (ACTING, 4),
        (LOOP, 5),
        (PASSING, 6),
        (SCHEDULED, 7),
        (DATED, 8),
        (CHOSEN, 9),
    ],
    ids=["nurture", "rescue", "welcome", "acting", "loop", "passing", "scheduled", "dated", "chosen"],
)
def test_both_agree(world: World, tmp_path: Path, source: str, seed: int) -> None:
    agree(world, tmp_path, source, populate(world, random.Random(seed), tmp_path))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("welcome", ("Signed Up", "Order Completed", "Browsed", "Email Opened", "Email Link Clicked")),
        ("review-request", ("Order Delivered", "Order Completed", "Browsed", "Email Opened", "Email Link Clicked")),
        ("abandoned-cart", ("Checkout Started", "Order Completed", "Browsed", "Cart Updated", "Email Opened")),
    ],
)
def test_stock_journeys_agree(world: World, tmp_path: Path, name: str, events: tuple[str, ...]) -> None:
    source = (LIBRARY / f"{name}.yaml").read_text("utf-8")
    agree(world, tmp_path, source, populate(world, random.Random(9), tmp_path, events))


@pytest.mark.timeout(600)
def test_both_agree_under_the_workspaces_limits(world: World, tmp_path: Path) -> None:
    with world.database.transaction() as session:
        workspace.save(session, **LIMITS)
    tally = agree(world, tmp_path, PRESSED, populate(world, random.Random(10), tmp_path))
    withheld = sum(tally.withheld.values(), Counter[str]())
    put_off = sum(tally.put_offs.values(), Counter[str]())
    assert put_off["quiet"] == tally.delayed.total() >= 5
    assert put_off["cap"] == withheld["cap"] >= 3
    assert withheld["expired"]


def agree(world: World, tmp_path: Path, source: str, path: Path) -> Tally:
    """Simulate the file's history, then run it, and compare every count."""
    world.execute("insert into topics (slug, name) values ('news', 'News')")
    world.execute(
        "insert into lists (public_id, slug, name) values ('w', 'warm', 'Warm'), ('h', 'hot', 'Hot')"
        ", ('c', 'needs-care', 'Care'), ('f', 'fans', 'Fans')"
    )
    world.segment("pro", 'plan is "pro"')
    world.publish(source)
    done = import_events(world.database, path, now=START, folder=tmp_path, virtual=True, trigger=True)
    assert done.accepted == len(path.read_text().splitlines()) - 1
    with world.database.transaction() as session:
        assert clock.now(session) == START
    end = START + LENGTH
    plan, tally = simulate(world.database, source, START, end, processes=1)
    run_until(world.database, end - dt.timedelta(microseconds=1))

    simulated = Counter({f"{step}:{name}": n for step, counts in tally.steps.items() for name, n in counts.items()})
    assert simulated == Counter({key: n for key, n in world.log().items() if ":" in key})
    states = Counter(dict(world.execute("select status, count(*) from enrolments group by 1")))
    assert states == +tally.ended
    leaving = world.execute("select accepted_at from messages where state = 'accepted'")
    assert Counter(at.date() for (at,) in leaving) == tally.days
    assert Counter(at.hour for (at,) in leaving) == tally.hours
    [(waiting,)] = world.execute("select count(*) from messages where state = 'queued' and reason = 'quiet'")
    assert waiting == tally.waiting
    sent = Counter(dict(world.execute("select step_id, count(*) from messages where state = 'accepted' group by 1")))
    assert sent == tally.sent
    withheld = Counter(
        dict(
            world.execute(
                "select reason, count(*) from messages where ended_at is not null and reason <> '' group by 1"
            )
        )
    )
    report = as_json(tally, {}, list(plan.program.steps))
    assert Counter(report["withheld"]) == withheld
    [(goals, value)] = world.execute("select count(*), coalesce(sum(value), 0) from conversions where kind = 'goal'")
    assert (report["conversions"], tally.value) == (goals, value)
    if source is NURTURE:
        assert simulated["last:fell_back"] and simulated["a:settled"]
    assert bool(plan.winners) is ("winner:" in source)
    assert tally.entries >= 5 and tally.sent.total() >= 5
    return tally
