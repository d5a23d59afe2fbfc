"""Two simulations of the same history give the same bytes, however many processes replay it; the page shows them."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest

from engine.expr import Schema
from engine.imports.events import import_events
from engine.workspace import Workspace
from journeys.simulate import Plan, Tally, as_json, notes, plan
from journeys.simulate.notes import ALWAYS
from tests.journeys.runtime.world import START, World, journey
from tests.journeys.simulate.test_equals_the_run import LENGTH, NURTURE, populate
from webapp.cli._simulation import show_simulation, simulation_page
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
    return plan, json.dumps(as_json(tally, PRICES, list(plan.program.steps), notes(plan)))


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
    assert page.count("<rect") == len(found["by_day"]) + len(found["put_off_by_day"]) + 24
    assert found["put_off_by_day"] and "Messages held or dropped, a day" in page
    assert all(f"<td>{step}</td>" in page for step in found["by_step"])
    assert f"{found['cost']} EUR" in page and f"<dd>{found['entries']:,}</dd>" in page
    assert found["notes"] and all(f"<li>{escape(note)}</li>" in page for note in found["notes"])
    assert "prefers-color-scheme: dark" in page and "@media print" in page
    assert "&lt;b&gt;" in page and "<script" not in page and "http" not in page


@pytest.mark.parametrize(
    ("steps", "frame", "told"),
    [
        ("- {id: x, email: a}", "", ""),
        ('- {id: x, email: a, if: plan is "pro"}', "", "Attributes, addresses and time zones are those of today"),
        ("- {id: x, wait: until 09:00 contact}", "", "Attributes, addresses and time zones are those of today"),
        ('- {id: x, email: a, if: in segment "vip"}', "", "nobody was in one before it was made"),
        ('- {id: x, email: a, if: in journey "other"}', "", "at the start of the span"),
        ('- {id: x, email: a, if: opened "a"}', "", "`opened` sees only what really happened"),
        (
            "- {id: x, email: a}",
            'exit: [clicked "a", replied]\n',
            "`clicked` and `replied` see only what really happened",
        ),
        ("- {id: x, email: a, expires: 2 days}", "", "none expires that no quiet hours hold"),
        ("- {id: x, email: a, cap: 1 per day}", "", "Caps count what other journeys"),
        ("- {id: x, email: a, fallback: [{sms: b, id: y}]}", "", "No message bounces"),
        ("- {sms: a, id: x}", "", "one part"),
        ("- {sms: a, id: x}", "", "quiet hours are those of today"),
        ("- {id: x, email: a, at: best}", "", "best hours of contacts"),
        (
            "- {split: S, id: s, winner: clicks after 3 days, paths: [{share: 50%, name: a}, {share: 50%, name: b}]}",
            "",
            "`s` keeps its shares",
        ),
        ("- {webhook: crm, id: x}", "", "No program is called"),
        ("- {journey: other, id: x}", "", "other journeys"),
    ],
)
def test_a_report_names_what_it_cannot_know_of_this_draft(steps: str, frame: str, told: str) -> None:
    read = plan(journey(steps, frame=frame), Schema(), Workspace(), START, START + LENGTH)
    found = notes(read)
    assert found[:2] == list(ALWAYS)
    assert any(told in note for note in found[2:]) if told else len(found) == 2


def test_the_terminal_shows_the_notes(capsys: pytest.CaptureFixture[str]) -> None:
    read = plan(journey("- {sms: a, id: x}"), Schema(), Workspace(), START, START + LENGTH)
    show_simulation(read, as_json(Tally(), PRICES, list(read.program.steps), notes(read)), "EUR")
    shown = capsys.readouterr().out
    assert all(f"- {note}" in shown for note in notes(read))
