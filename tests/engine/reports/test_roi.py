"""The ROI report, as values, JSON and CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.model import Cost, Journey
from engine.reports import roi, rollup
from engine.reports.spreadsheet import safe_cell

MARCH, APRIL = dt.date(2026, 3, 10), dt.date(2026, 4, 10)


def journey(session: Session, slug: str, live: bool = True) -> int:
    """A journey; one that was never published has no live version."""
    row = Journey(slug=slug, state="live", live_version_id=1 if live else None)
    session.add(row)
    session.flush()
    return row.id


def fill(session: Session, journey_id: int) -> None:
    """Two steps over two months, entries in three arms."""
    metrics = {"sent": 100, "human_opens": 40, "raw_opens": 60, "revenue": Decimal("50"), "cost": Decimal("10")}
    deltas = [
        rollup.MessageDelta(journey_id, "hello", "email", MARCH, metrics | {"conversions": Decimal(2)}),
        rollup.MessageDelta(journey_id, "hello", "email", APRIL, metrics),
        rollup.MessageDelta(journey_id, "=text", "sms", APRIL, {"sent": 5, "undelivered": 1, "cost": Decimal("0.5")}),
    ]
    rollup.messages(session, deltas)
    entries = []
    for arm, count, goals in (("", 90, 18), ("holdout", 60, 3)):
        entries += [rollup.EntryDelta("", arm, MARCH, True)] * count
        entries += [rollup.EntryDelta("", arm, MARCH, True, Decimal(10))] * goals
    entries += [rollup.EntryDelta("", "", MARCH, False)] * 10 + [rollup.EntryDelta("", "", MARCH, False, Decimal(10))]
    entries += [rollup.EntryDelta("story", "a", MARCH, True)] * 45
    rollup.entries(session, journey_id, entries)


def test_an_empty_workspace_has_an_empty_report(session: Session) -> None:
    found = roi.report(session)
    assert (found.journeys, found.total, found.currency) == ([], roi.Figures(), "USD")
    assert json.loads(json.dumps(roi.as_json(found), allow_nan=False))["total"]["roi"] is None


def test_figures_add_up_by_step_and_journey(session: Session) -> None:
    fill(session, journey(session, "welcome"))
    journey(session, "draft", live=False)
    [found] = roi.report(session).journeys
    assert [(step.step_id, step.figures.sent) for step in found.steps] == [("=text", 5), ("hello", 200)]
    assert (found.figures.sent, found.figures.undelivered, found.figures.revenue) == (205, 1, 100)
    assert found.figures.cost == Decimal("20.5")
    assert found.figures.roi == (100 - Decimal("20.5")) / Decimal("20.5")


def test_lift_counts_each_contact_once_and_goals_count_all(session: Session) -> None:
    fill(session, journey(session, "welcome"))
    [found] = roi.report(session).journeys
    assert (found.entries, found.goals, found.held_out_entries, found.held_out_goals) == (100, 19, 60, 3)
    assert (found.whole.treated.contacts, found.whole.treated.conversions, found.whole.treated.value) == (90, 18, 180)
    assert found.whole.lift is not None and found.whole.lift.enough
    assert found.whole.lift.rate.estimate == pytest.approx(18 / 90 - 3 / 60)
    assert [(arm.split_id, arm.arm, arm.treated.contacts) for arm in found.arms] == [("story", "a", 45)]


def test_without_a_holdout_there_is_no_lift(session: Session) -> None:
    rollup.entries(session, journey(session, "welcome"), [rollup.EntryDelta("", "", MARCH, True)])
    [found] = roi.report(session).journeys
    assert found.holdout is None and found.whole.lift is None


@pytest.mark.parametrize(
    ("since", "until", "sent"),
    [
        (None, None, 205),
        (MARCH, MARCH, 100),
        (None, APRIL - dt.timedelta(days=1), 100),
        (MARCH + dt.timedelta(days=1), None, 105),
        (APRIL, APRIL, 105),
        (dt.date(2027, 1, 1), None, 0),
    ],
)
def test_days_bound_the_report_both_included(
    session: Session, since: dt.date | None, until: dt.date | None, sent: int
) -> None:
    fill(session, journey(session, "welcome"))
    assert roi.report(session, since, until).total.sent == sent


def test_fixed_costs_belong_to_a_journey_or_to_all_and_to_one_report_only(session: Session) -> None:
    """A cost of the first of April is none of March."""
    own = journey(session, "welcome")
    april = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    for journey_id, amount in ((own, 30), (None, 7)):
        session.add(Cost(kind="fixed", journey_id=journey_id, name="design", amount=Decimal(amount), valid_from=april))
    session.flush()
    march = roi.report(session, dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    found = roi.report(session, dt.date(2026, 4, 1), dt.date(2026, 4, 30))
    assert (march.total.cost, found.total.cost) == (0, 37)
    assert (found.journeys[0].figures.cost, found.fixed_cost) == (30, 7)


def test_json_has_no_number_that_json_cannot_say(session: Session) -> None:
    own = journey(session, "welcome")
    rollup.entries(session, own, [rollup.EntryDelta("", arm, MARCH, True) for arm in ("", "holdout")])
    plain = json.loads(json.dumps(roi.as_json(roi.report(session, MARCH)), allow_nan=False))
    [found] = plain["journeys"]
    assert (plain["since"], plain["until"], found["journey"]) == ("2026-03-10", None, "welcome")
    assert found["lift"]["enough"] is False
    assert found["lift"]["value"] == {"estimate": 0.0, "low": None, "high": None}
    assert found["holdout"]["contacts"] == 1


def test_csv_has_a_line_a_journey_and_a_step_and_no_formulas(session: Session) -> None:
    fill(session, journey(session, "welcome"))
    written = roi.as_csv(roi.report(session))
    assert written.count("\r\n") == 4
    lines = list(csv.DictReader(io.StringIO(written)))
    assert [(line["journey"], line["step"]) for line in lines] == [
        ("welcome", ""),
        ("welcome", "'=text"),
        ("welcome", "hello"),
    ]
    assert (lines[0]["sent"], lines[0]["cost"], lines[0]["currency"]) == ("205", "20.5", "USD")
    assert float(lines[2]["roi"]) == pytest.approx(4)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", '=cmd|" /C calc"!A0'])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(value: str) -> None:
    assert safe_cell(value) == "'" + value


@pytest.mark.parametrize("value", ["", "hello", "a=b", "5", "ü"])
def test_other_cells_stay_as_they_are(value: str) -> None:
    assert safe_cell(value) == value


def test_counters_of_several_deltas_of_one_key_are_added_up(session: Session) -> None:
    delta = rollup.MessageDelta(1, "a", "email", MARCH, {"sent": 1, "cost": Decimal("0.1")})
    for _ in range(2):
        rollup.messages(session, [delta, delta])
        rollup.steps(session, 1, MARCH, {("a", "queued"): 3})
    rows = session.execute(text("select sent, cost, undelivered from message_rollups")).all()
    assert [tuple(row) for row in rows] == [(4, Decimal("0.4"), 0)]
    assert session.execute(text("select count from step_rollups")).scalars().all() == [6]
