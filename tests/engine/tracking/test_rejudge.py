"""Stored hits judged again by other rules than those that judged them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.reports.hits import WORDS, report
from engine.tracking import classify, hits, rejudging
from engine.tracking.classify import RULES
from engine.tracking.process import process
from engine.tracking.rejudge import rejudge
from tests.engine.tracking.seeds import Seed, message
from tests.engine.tracking.test_process import NOW, SENT, events, firsts, hit, rollup
from tests.ledger import HIT_COUNTS, HIT_ROLLUPS


def judged(session: Session, seed: Seed) -> tuple[object, ...]:
    """Everything that hits amount to."""
    classes = session.execute(
        text("select classification from hits where message_id = :id order by at, id"), {"id": seed.id}
    )
    names = [name for name, _, _ in events(session, seed)]
    counted = session.execute(text(HIT_ROLLUPS)).all()
    assert counted == session.execute(text(HIT_COUNTS)).all()
    return tuple(classes.scalars()), tuple(names), rollup(session, seed), firsts(session, seed), tuple(counted)


@pytest.fixture
def seed(session: Session) -> Seed:
    """A message with an open, a click, and a burst of three links."""
    made = message(session, SENT, links=("https://a.example/", "https://b.example/", "https://c.example/"))
    burst = [hit(made, 60 + n / 10, "click", n) for n in range(3)]
    hits.store(session, [hit(made, 30), *burst, hit(made, 600, "click", 1)])
    return made


def run(session: Session) -> dict[tuple[str, str], int]:
    moved: dict[tuple[str, str], int] = {}
    after: int | None = 0
    while after is not None:
        done = rejudge(session, NOW, after=after, everything=True, limit=1)
        after, moved = done.after, {**moved, **done.moved}
    return moved


def test_what_was_taken_for_people_and_is_a_machines_goes(
    session: Session, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(session, NOW)
    right = judged(session, seed)
    assert right[0] == ("human", "scanner", "scanner", "scanner", "human")
    with monkeypatch.context() as older:
        older.setattr(classify, "BURST_LINKS", 99)
        assert run(session) == {("scanner", "human"): 3}
        wrong = judged(session, seed)
        assert wrong[1].count("Email Link Clicked") == 4  # type: ignore[attr-defined]
        assert wrong[3] != right[3]
    session.execute(text("delete from event_inbox"))
    assert run(session) == {("human", "scanner"): 3}
    assert judged(session, seed) == right
    told = session.execute(text("select name, triggers from event_inbox")).all()
    assert [tuple(row) for row in told] == [("Email Link Clicked", False)] * 3
    assert run(session) == {}


def test_what_comes_back_may_come_again(session: Session, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(classify, "BURST_LINKS", 99)
        process(session, NOW)
        first = judged(session, seed)
    run(session)
    with monkeypatch.context() as older:
        older.setattr(classify, "BURST_LINKS", 99)
        run(session)
        assert judged(session, seed) == first


def test_only_what_other_rules_judged_is_looked_at(session: Session, seed: Seed) -> None:
    process(session, NOW)
    assert rejudge(session, NOW).after is None
    session.execute(text("update hits set classifier_version = classifier_version - 1"))
    assert rejudge(session, NOW).messages == 1
    versions = session.execute(text("select distinct classifier_version from hits")).scalars().all()
    assert versions == [classify.VERSION]


def test_hits_that_wait_for_their_first_class_are_left_alone(session: Session, seed: Seed) -> None:
    assert rejudge(session, NOW, everything=True).after is None
    assert process(session, NOW)["hits"] == 5


def test_what_a_forgotten_person_did_keeps_its_class(session: Session, seed: Seed) -> None:
    process(session, NOW)
    before = judged(session, seed)
    session.execute(text("update contacts set erased_at = :now"), {"now": NOW})
    session.execute(text("update hits set ip = null, user_agent = null, headers = null"))
    assert run(session) == {}
    assert judged(session, seed) == before


def judge_as_version_1(session: Session) -> None:
    """Leave the hits as an older version did, with its counters."""
    session.execute(text("update hits set classification = 'human', rule = null, classifier_version = 1"))
    session.execute(text("delete from hit_rollups"))
    backfill = "insert into hit_rollups (day, kind, classification, rule, version, hits) " + HIT_COUNTS
    session.execute(text(backfill))


def test_what_older_versions_judged_moves_to_the_rules_of_now(session: Session, seed: Seed) -> None:
    process(session, NOW)
    right = judged(session, seed)
    judge_as_version_1(session)
    run(session)
    assert judged(session, seed)[4] == right[4]
    assert session.execute(text("select sum(hits) from hit_rollups where version = 1")).scalar() == 0


def test_who_asks_gets_it_done_in_batches_and_once(session: Session, seed: Seed) -> None:
    process(session, NOW)
    right = judged(session, seed)
    judge_as_version_1(session)
    assert report(session, classify.VERSION).stale == 5 and not rejudging.step(session, NOW)
    rejudging.ask(session, "ann", NOW, everything=False)
    rejudging.ask(session, "bob", NOW, everything=True)
    assert rejudging.step(session, NOW)
    goes_on = rejudging.progress(session)
    assert goes_on and (goes_on.by, goes_on.messages, goes_on.moved, goes_on.finished_at) == ("ann", 1, 3, None)
    assert not rejudging.step(session, NOW)
    done = rejudging.progress(session)
    assert done and done.finished_at == NOW
    assert judged(session, seed)[4] == right[4] and report(session, classify.VERSION).stale == 0


def test_the_report_counts_by_rule_what_the_ledger_has(session: Session, seed: Seed) -> None:
    process(session, NOW)
    found = report(session, classify.VERSION)
    assert [(one.rule, one.opens, one.clicks) for one in found.rules] == [("person", 1, 1), ("burst", 0, 3)]
    assert (found.opens, found.clicks, found.machine_clicks, found.other_opens) == (1, 4, 3, 0)
    assert found.total[4:] == (1, 1, 4, 1)
    assert WORDS.keys() == RULES.keys() | {""}
