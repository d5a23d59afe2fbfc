"""Every counter after a run in which everything happens: sends, refusals, opens, clicks, purchases, ends."""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import text

from engine.reports import roi
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from tests.ledger import assert_counters_equal_ledger

STEPS = """\
- split: story
  id: story
  paths:
    - share: 50%
      name: long
      do: [{email: hello, id: long}]
    - share: 50%
      name: short
      do: [{sms: short, id: short}]
- wait_for: opened step "long"
  id: open
  up_to: 1 day
  timeout: [{email: nudge, id: nudge, if: vip is not true, topic: tips}]
- email: last
  id: last
  at: 09:00 contact
"""
FRAME = """\
holdout: 20%
goal: {when: did "Order Completed", value: event.revenue, within: 9 days}
exit: plan is "gone"
"""
HIT = text("""
insert into hits (message_id, origin_at, at, kind, position, method, user_agent, headers)
select id, origin_at, :at, :kind, case when :kind = 'click' then 0 end, 'GET', :agent, '{}' from messages
where contact_id = :contact and state = 'accepted' and channel = 'email' order by id desc limit 1
""")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def hit(world: World, contact_id: int, kind: str) -> None:
    """Someone opens or clicks the contact's last email."""
    world.execute(HIT.text, at=world.now, kind=kind, agent=AGENT, contact=contact_id)


def test_counters_equal_the_ledger_after_a_run_of_everything(world: World) -> None:
    rng = random.Random(7)
    world.publish(journey(STEPS, FRAME, enter="on: Signed Up, again: always"))
    people = [world.contact(vip=n % 3 == 0, phone=f"+491511234{n:04}") for n in range(24)]
    for contact in people[::2]:
        world.consent(contact, "subscribed", channel="sms")
    for contact in people[::7]:
        world.consent(contact, "unsubscribed", "tips")
    for day in range(6):
        for contact in rng.sample(people, 8):
            world.event(contact, "Signed Up")
        world.live(HOUR)
        for contact in rng.sample(people, 8):
            hit(world, contact, rng.choice(("open", "open", "click")))
        world.live(dt.timedelta(minutes=1))
        for contact in rng.sample(people, 5):
            world.event(contact, "Order Completed", revenue=rng.randint(5, 80))
        if day % 2:
            world.change(rng.choice(people), plan="gone")
        world.live(DAY)
        with world.database.transaction() as session:
            assert_counters_equal_ledger(session)
    with world.database.transaction() as session:
        [found] = roi.report(session).journeys
    figures = found.figures
    assert min(figures.sent, figures.undelivered, figures.human_opens, figures.human_clicks, figures.raw_clicks) > 0
    assert figures.revenue > 0 and figures.cost > 0 and found.goals > 0 and found.held_out_entries > 0
    assert world.now > START + 6 * DAY


def test_a_goal_met_before_the_draw_counts_in_the_arm_of_who_stayed(world: World) -> None:
    split = STEPS.partition("- wait_for")[0]
    world.publish(
        journey(f"- wait: 2 days\n  id: rest\n{split}", 'goal: {when: did "Paid", value: event.amount, stay: true}\n')
    )
    people = [world.contact() for _ in range(12)]
    for contact in people:
        world.event(contact, "Signed Up")
    world.live(HOUR)
    for contact in people[:5]:
        world.event(contact, "Paid", amount=7)
    world.live(3 * DAY)
    with world.database.transaction() as session:
        assert_counters_equal_ledger(session)
    counted = world.execute(
        "select sum(entries)::int, sum(goals)::int, sum(value)::int from entry_rollups where split_id = 'story'"
    )
    assert [tuple(row) for row in counted] == [(12, 5, 35)]


def test_the_detail_of_a_log_line_is_an_object(world: World) -> None:
    world.publish(journey("- exit: done\n  id: out"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    kinds = world.execute("select distinct jsonb_typeof(detail) from step_log where detail is not null")
    assert [tuple(row) for row in kinds] == [("object",)]
