"""The dashboard, the ROI report and its chart."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from flask.testing import FlaskClient
from sqlalchemy import func, select

from engine import workspace
from engine.db import Database
from engine.messages import status
from engine.model import MessageRollup
from engine.reports.lift import Interval
from tests.webapp.pages.sample import Shop
from webapp.pages.formats import money
from webapp.pages.intervals import Scale, scale_of


def revenue(database: Database) -> Decimal:
    """What the ledger's rollup holds."""
    with database.transaction() as session:
        return session.execute(select(func.sum(MessageRollup.revenue))).scalar_one()


def lines(client: FlaskClient, period: str) -> list[dict[str, str]]:
    """The lines of the sample journey in the file."""
    text = client.get(f"/reports/roi.csv?period={period}").text
    return [row for row in csv.DictReader(io.StringIO(text)) if row["journey"] == "welcome"]


def test_the_dashboard_shows_true_figures(marketer: FlaskClient) -> None:
    page = marketer.get("/").text
    assert "<dd>140" in page
    assert "Email is not leaving" not in page


def test_the_dashboard_says_when_mail_does_not_leave(
    marketer: FlaskClient, shop_database: Database, shop: Shop
) -> None:
    with shop_database.transaction() as session:
        status.write(session, "email", shop.now, "connection refused")
    page = marketer.get("/").text
    with shop_database.transaction() as session:
        workspace.put(session, "status.smtp", None)
    assert "Email is not leaving" in page
    assert "connection refused" in page


def test_the_dashboard_says_when_another_relay_is_used_and_why(
    marketer: FlaskClient, shop_database: Database, shop: Shop
) -> None:
    own = marketer.application.extensions["cairn.settings"]
    both = own.model_copy(update={"smtp_url": "smtp://a.example:25 smtp://u:secret@b.example:25"})
    used = {"relay": "b.example:25", "since": shop.now.isoformat(), "why": "a.example:25: connection refused"}
    with shop_database.transaction() as session:
        workspace.put(session, "status.relay", used)
    try:
        marketer.application.extensions["cairn.settings"] = both
        page = marketer.get("/").text
        assert "Email goes by another mail server" in page
        assert "a.example:25: connection refused" in page
        assert "secret" not in page
    finally:
        marketer.application.extensions["cairn.settings"] = own
    assert "another mail server" not in marketer.get("/").text, "one address alone has nobody to stand in for it"


def test_the_report_shows_what_the_ledger_holds(marketer: FlaskClient, shop_database: Database) -> None:
    page = marketer.get("/reports/roi").text
    assert money(revenue(shop_database), "USD") in page
    assert 'class="range up"' in page
    assert "hello-a" in page


def test_the_file_has_a_line_for_each_journey_and_step(marketer: FlaskClient, shop_database: Database) -> None:
    disposition = marketer.get("/reports/roi.csv").headers["Content-Disposition"]
    assert disposition == 'attachment; filename="cairn-roi.csv"'
    rows = lines(marketer, "all")
    assert [row["step"] for row in rows] == ["", "hello-a", "hello-b", "nudge", "nudge-sms"]
    assert Decimal(rows[0]["revenue"]) == revenue(shop_database)


def test_the_chart_sums_to_the_report(marketer: FlaskClient, shop_database: Database) -> None:
    chart = marketer.get("/reports/revenue.json").json
    assert [series["name"] for series in chart["series"]] == ["welcome", "Cost"]
    assert all(len(series["values"]) == len(chart["labels"]) for series in chart["series"])
    assert round(sum(chart["series"][0]["values"]), 2) == float(revenue(shop_database))
    assert chart["unit"] == "USD"


def test_a_shorter_period_holds_less(marketer: FlaskClient) -> None:
    month, whole = (lines(marketer, period)[0] for period in ("30", "all"))
    assert 0 < int(month["sent"]) < int(whole["sent"])


def test_bars_share_a_scale_that_holds_zero() -> None:
    good, bad, open_ = Interval(0.05, 0.02, 0.08), Interval(-0.03, -0.05, -0.01), Interval(0.01, -0.02, 0.04)
    scale = scale_of([good, bad, open_])
    assert scale == Scale(-0.05, 0.08)
    assert [scale.bar(interval).tone for interval in (good, bad, open_)] == ["up", "down", "even"]
    bar = scale.bar(open_)
    assert bar.low < bar.zero < bar.estimate < bar.high
    assert scale_of([]).place(0.0) == 72.0
