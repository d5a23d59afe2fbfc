"""Every row of the tables in docs/language.md, judged by both evaluators."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import DateTime, literal, select
from sqlalchemy.orm import Session

from engine.expr import (
    EventFact,
    EventKey,
    Facts,
    MessageFact,
    Schema,
    ast,
    evaluate,
    parse,
    since_entry_default,
    unparse,
)
from engine.expr.compile_sql import Scope, condition, matching
from engine.expr.literals import parse_moment
from engine.model import Contact, Enrolment
from tests.conftest import drop, new_database
from tests.engine.expr import population

DOCUMENT = (Path(__file__).parents[3] / "docs" / "language.md").read_text("utf-8").split("## Journeys")[0]
ROW = re.compile(
    r"^\| `(?P<rule>[^|]*)` \| `(?P<contact>[^|]*)` \| (?P<verdict>true|false)(?: \+ (?P<day>\S+))? \|$", re.M
)
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
TOPICS = {"news": "subscribed", "offers": "unsubscribed"}


@dataclass(frozen=True)
class Case:
    """A row of the documentation; `number` is its contact's id."""

    number: int
    rule: str
    contact: dict[str, Any]
    verdict: bool
    day: str | None

    @property
    def entered(self) -> bool:
        return bool(self.contact.get("entry"))

    @property
    def node(self) -> ast.Node:
        return since_entry_default(parse(self.rule)) if self.entered else parse(self.rule)


CASES = [
    Case(number, row["rule"], json.loads(row["contact"]), row["verdict"] == "true", row["day"])
    for number, row in enumerate(ROW.finditer(DOCUMENT), 1)
]


def moment(text: str) -> dt.datetime:
    found = parse_moment(text)
    assert found is not None
    return found


def facts(case: Case) -> Facts:
    known = case.contact
    events = [
        EventFact(name, moment(at), moment(at), f"{case.number}-{number}", dict(*rest))
        for number, (name, at, *rest) in enumerate(known.get("events", []))
    ]
    consent = {tuple((*key.split(" "), "")[:2]): state for key, state in known.get("consent", {}).items()}
    made = Facts(
        email=known.get("email"), phone=known.get("phone"),
        created_at=moment(known.get("created_at", "2026-01-01")), attributes=known.get("attributes", {}),
        events=tuple(events),
        messages=tuple(MessageFact(moment(m[0]), m[1], "hello", "trial") for m in known.get("messages", [])),
        segments=frozenset(known.get("segments", [])), lists=frozenset(known.get("lists", [])), consent=consent,
        topics=TOPICS, zone=known.get("zone", "UTC"),
    )  # fmt: skip
    if not case.entered:
        return made
    since = moment(known["step_since"]) if "step_since" in known else None
    return made._replace(entry=events[0].key, event=events[0].properties, journey="trial", step_since=since)


def stays(known: Facts) -> tuple[tuple[str, str, dt.datetime, dt.datetime | None], ...]:
    start = NOW - dt.timedelta(days=9)
    groups = (("segment", known.segments), ("list", known.lists))
    return tuple((kind, slug, start, None) for kind, slugs in groups for slug in slugs)


def with_entry(known: Facts, nobody: EventKey) -> Facts:
    """Every contact gets an enrolment; only rows with an entry look at it."""
    return known._replace(entry=known.entry or nobody, event=known.event or {})


@pytest.fixture(scope="module")
def store(postgres_url: str) -> Iterator[Session]:
    database = new_database(postgres_url)
    nobody = EventFact("A", NOW, NOW, "none").key
    with database.transaction() as session:
        homes = [(case, facts(case)) for case in CASES]
        residents = [
            population.Resident(case.number, known, with_entry(known, nobody), stays(known), NOW)
            for case, known in homes
        ]
        population.settle(session, residents)
        yield session
    drop(database)


def test_the_documentation_has_its_tables() -> None:
    assert len(CASES) > 120
    assert DOCUMENT.count("\n| `") == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.rule[:60]}")
def test_one_contact(case: Case) -> None:
    verdict = evaluate(case.node, facts(case), NOW)
    assert verdict.value is case.verdict
    changes = verdict.changes_at
    assert (changes and changes.date().isoformat()) == case.day or (
        case.day is None and changes is not None and case.rule.startswith("never")
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.rule[:60]}")
def test_the_database(store: Session, case: Case) -> None:
    schema = Schema(zone=facts(case).zone)
    scope = Scope(contact=Contact.__table__.alias(), now=literal(NOW, DateTime(timezone=True)))
    if case.entered:
        entry = (Enrolment.trigger_occurred_at, Enrolment.trigger_received_at, Enrolment.trigger_message_id)
        scope = replace(scope, entry=entry, event=Enrolment.trigger_event, step_since=Enrolment.arrived_at)
        scope = replace(scope, enrolment_id=Enrolment.id)
    mine = select(condition(case.node, schema, scope)).where(
        scope.contact.c.id == case.number, Enrolment.contact_id == scope.contact.c.id
    )
    assert store.scalar(mine) is case.verdict
    if not case.entered:
        everyone = matching(case.node, schema, NOW).subquery()
        assert (store.scalar(select(everyone).where(everyone.c.id == case.number)) is not None) is case.verdict


def test_listed_rules_are_canonical() -> None:
    for block in re.findall(r"```rules\n(.*?)```", DOCUMENT, re.DOTALL):
        for line in block.splitlines():
            assert unparse(parse(line)) == line


def test_the_examples_for_programs_print_what_the_documentation_says() -> None:
    """One session, from the first block to the last."""
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.M | re.S)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "language.md", None, 0)
    assert len(test.examples) > 8
    assert doctest.DocTestRunner().run(test).failed == 0
