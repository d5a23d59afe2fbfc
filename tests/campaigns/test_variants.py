"""Variants, the test and its winner, the hold-back and its lift."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.campaigns import winner
from engine.reports.lift import Arm
from tests.campaigns.town import Town
from tests.journeys.runtime.world import DAY, HOUR, START

TWO = [{"name": "a", "content": "mail-a"}, {"name": "b", "content": "mail-b"}]
CLICKED = "update messages set first_click_at = accepted_at where right(step_id, 2) = chr(58) || 'b'"
COUNTED = "update message_rollups set human_clicks = sent where right(step_id, 2) = chr(58) || 'b'"


def arms(town: Town) -> dict[str, int]:
    return {row[0]: row[1] for row in town.execute("select arm, count(*) from campaign_contacts group by 1")}


def test_variants_get_their_shares_and_contents(town: Town) -> None:
    town.people(60)
    town.start(content=None, variants=TWO)
    town.live(HOUR)
    found = arms(town)
    assert found.keys() == {"a", "b"} and min(found.values()) > 15
    rows = town.execute("select split_part(m.step_id, ':', 2), c.slug, count(*)::int from messages m "
                        "join contents c on c.id = m.content_id group by 1, 2 order by 1")  # fmt: skip
    assert [tuple(row) for row in rows] == [("a", "mail-a", found["a"]), ("b", "mail-b", found["b"])]
    assert {one.name: one.figures.sent for one in town.report().arms} == found


def test_those_held_back_get_nothing(town: Town) -> None:
    town.people(60)
    town.start(holdout="30%")
    town.live(HOUR)
    found = arms(town)
    assert 5 < found["holdout"] < 35
    assert town.states() == {"accepted": found["a"]}
    assert town.campaign().state == "sent"


def test_the_rest_waits_for_the_winner_and_gets_it(town: Town) -> None:
    town.people(150)
    town.start(content=None, variants=TWO, test="90%", winner={"by": "clicks", "after": "2 hours"})
    town.live(HOUR)
    found = arms(town)
    assert town.states() == {"accepted": found["a"] + found["b"]}
    for statement in (CLICKED, COUNTED):  # everybody who got b clicked
        town.execute(statement)
    town.live(2 * HOUR)
    campaign = town.campaign()
    assert (campaign.winner, campaign.state) == ("b", "sent")
    report = {one.name: one for one in town.report().arms}
    assert report["b"].figures.sent == found["b"] + found["rest"]
    assert report["rest"].people.contacts == found["rest"]
    town.execute("update messages set first_click_at = null")
    town.execute("update message_rollups set human_clicks = 0")


def test_without_enough_data_the_control_wins(town: Town) -> None:
    town.people(20)
    town.start(content=None, variants=TWO, test="50%", winner={"by": "opens", "after": "1 hour"})
    town.live(3 * HOUR)
    campaign = town.campaign()
    assert (campaign.winner, campaign.state) == ("a", "sent")
    assert campaign.winner_note and not campaign.winner_note["arms"][1]["enough"]


@pytest.mark.parametrize(
    ("clicks", "wins"),
    [((50, 50), "a"), ((50, 60), "a"), ((50, 90), "b"), ((90, 50), "a"), ((0, 0), "a"), ((50, 90, 140), "c")],
)
def test_a_variant_replaces_the_control_only_when_the_data_say_so(clicks: tuple[int, ...], wins: str) -> None:
    given = {name: Arm(1000, count) for name, count in zip("abc", clicks, strict=False)}
    assert winner.best(winner.compared("clicks", given)) == wins


def test_revenue_is_compared_by_the_mean_of_a_contact() -> None:
    few = Arm(500, 20, 400.0, 8_000.0)
    many = Arm(500, 60, 1_800.0, 54_000.0)
    found = winner.compared("revenue", {"a": few, "b": many})
    assert winner.best(found) == "b"
    assert found[1].chance is not None and found[1].chance > 0.99


def test_the_goal_counts_those_held_back_too_and_so_shows_the_lift(town: Town) -> None:
    people = town.people(40)
    early, late, *others = people
    town.event(early, "Order Completed", total=5)  # before the campaign
    town.start(holdout="50%", goal={"when": 'did "Order Completed"', "within": "2 days"})
    town.live(HOUR)
    for number, contact_id in enumerate(others[:10]):
        town.event(contact_id, "Order Completed", total=10 + number)
    town.event(others[0], "Order Completed", total=1000)
    town.live(3 * DAY)
    town.event(late, "Order Completed", total=7)  # after the goal's time
    town.live(DAY)
    report = town.report()
    assert report.holdout is not None and report.lift is not None and not report.lift.enough
    assert report.treated.conversions + report.holdout.conversions == 10
    assert report.treated.value + report.holdout.value == 1000 + sum(range(10, 20))
    rows = town.execute("select contact_id from campaign_contacts where converted_at is not null order by 1")
    assert [row[0] for row in rows] == sorted(others[:10])
    assert town.campaign().next_at is None
    assert town.execute("select min(converted_at) from campaign_contacts")[0][0] < town.now - dt.timedelta(days=2)


def test_the_winner_waits_until_a_throttled_test_has_left(town: Town) -> None:
    town.people(60)
    town.start(
        content=None, variants=TWO, test="50%", winner={"by": "clicks", "after": "10 minutes"}, throttle="60 per hour"
    )
    town.live(HOUR / 4)
    assert town.campaign().winner is None
    test = town.execute("select count(*) from campaign_contacts where arm <> 'rest'")[0][0]
    town.live(HOUR)
    found = town.campaign()
    assert found.winner == "a" and found.winner_at is not None
    [(last,)] = town.execute("select max(accepted_at) from (select accepted_at from messages order by accepted_at "
                             "limit :test) m", test=test)  # fmt: skip
    assert found.winner_at >= last + HOUR / 6 - HOUR / 10


def test_who_waits_for_a_late_winner_gets_it_at_their_hour_of_the_next_day(town: Town) -> None:
    town.people(40)
    town.start(content=None, variants=TWO, test="50%", winner={"by": "clicks", "after": "10 minutes"},
               at="2026-03-02 13:00", zone="contact")  # fmt: skip
    town.live(HOUR)
    town.do("pause")
    town.live(26 * HOUR)
    town.do("resume")
    town.live(HOUR)
    assert town.campaign().winner == "a"
    before = sum(town.states().values())
    town.live(21 * HOUR)
    waves = town.execute("select at from campaign_waves where not test and contacts > 0")
    assert all(at.hour == 13 and at > START + 24 * HOUR for (at,) in waves)
    town.live(4 * HOUR)
    assert sum(town.states().values()) == 40 > before
