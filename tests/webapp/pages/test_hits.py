"""The page of opens and clicks."""

from __future__ import annotations

import datetime as dt

from flask.testing import FlaskClient
from sqlalchemy import text

from engine.db import Database
from engine.tracking import rejudging
from tests.webapp.pages.conftest import post

PAGE = "/reports/hits"


def test_rules_and_sources_stand_with_raw_and_human_figures(marketer: FlaskClient, shop_database: Database) -> None:
    with shop_database.transaction() as session:
        row = "(current_date, 'click', 'scanner', 'burst', 1, 12345)"
        session.execute(text(f"insert into hit_rollups (day, kind, classification, rule, version, hits) values {row}"))
    page = marketer.get(PAGE + "?period=all").text
    assert "three different links or more within two seconds" in page and "12,345" in page
    assert "Judged by older rules: 12,345 hits" in page and "Judge again by today" in page
    assert "Opened by people" in page and marketer.get(PAGE + "?period=nonsense").status_code == 200


def test_a_marketer_asks_for_judging_again_and_a_viewer_does_not(
    marketer: FlaskClient, viewer: FlaskClient, shop_database: Database
) -> None:
    assert post(viewer, PAGE + "/rejudge").status_code == 403
    assert PAGE + "/rejudge" not in viewer.get(PAGE).text
    assert post(marketer, PAGE + "/rejudge", everything="yes").status_code == 302
    assert "Judging again: 0 messages so far" in marketer.get(PAGE).text
    with shop_database.transaction() as session:
        while rejudging.step(session, dt.datetime.now(dt.UTC)):
            pass
    assert "Judging again" not in marketer.get(PAGE).text
