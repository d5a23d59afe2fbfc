"""Two simulations of the same history give the same bytes, however many processes replay it; the page shows them."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest

from engine.imports.events import import_events
from journeys.simulate import Plan, as_json
from tests.journeys.runtime.world import START, World
from tests.journeys.simulate.test_equals_the_run import LENGTH, NURTURE, populate
from webapp.cli._simulation import simulation_page
from workers import simulate as simulating

PRICES = {"email": Decimal("0.001"), "sms": Decimal("0.05")}


@pytest.fixture
def history(world: World, tmp_path: Path) -> World:
    world.execute("insert into topics (slug, name) values ('news', 'News')")
    world.segment("pro", 'plan is "pro"')
    path = populate(world, random.Random(1), tmp_path)
    import_events(world.database, path, now=START, folder=tmp_path, virtual=True, trigger=True)
    return world


def report(history: World, processes: int) -> tuple[Plan, str]:
    plan, tally = simulating.simulate(history.database, NURTURE, START, START + LENGTH, processes=processes)
    return plan, json.dumps(as_json(tally, PRICES, list(plan.program.steps)))


def test_the_same_bytes_whatever_the_number_of_processes(history: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, alone = report(history, 1)
    monkeypatch.setattr(simulating, "SLICE", 4)
    monkeypatch.setattr(simulating, "SMALL", 0)
    assert report(history, 1)[1] == alone
    assert report(history, 2)[1] == alone
    assert json.loads(alone)["messages"] >= 5


def test_the_page_shows_all_of_it_without_scripts(history: World) -> None:
    plan, written = report(history, 1)
    found = json.loads(written)
    found["most_messaged"].append({"contact": "<b>", "messages": 1})
    page = simulation_page(plan, found, "EUR")
    assert page.count("<rect") == len(found["by_day"]) + 24
    assert all(f"<td>{step}</td>" in page for step in found["by_step"])
    assert f"{found['cost']} EUR" in page and f"<dd>{found['entries']:,}</dd>" in page
    assert "prefers-color-scheme: dark" in page and "@media print" in page
    assert "&lt;b&gt;" in page and "<script" not in page and "http" not in page
