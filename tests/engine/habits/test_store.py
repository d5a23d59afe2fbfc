"""Hours are counted where hits are classified, follow who is merged, and equal a recount."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.merge import merge
from engine.habits import recount, store
from engine.habits.estimate import slot_of
from engine.tracking import classify, hits
from engine.tracking.process import process
from engine.tracking.rejudge import rejudge
from tests.engine.tracking.seeds import Seed, message
from tests.engine.tracking.test_process import NOW, SENT, hit

UTC, TOKYO = ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo")
LATER = NOW + dt.timedelta(days=1)


def hours(session: Session, seed: Seed) -> dict[int, int]:
    return dict(store.counts_of(session, [seed.contact_id]).get(seed.contact_id, {}))


def slot(seconds: float, zone: ZoneInfo = UTC) -> int:
    return slot_of(SENT + dt.timedelta(seconds=seconds), zone)


def everything(session: Session) -> set[tuple[int, int, int]]:
    rows = session.execute(text("select contact_id, slot, messages from contact_hours where messages <> 0"))
    return {tuple(row) for row in rows}  # type: ignore[misc]


@pytest.fixture
def seed(session: Session) -> Seed:
    """A message that was opened, and clicked ten hours later."""
    made = message(session, SENT, links=("https://a.example/", "https://b.example/", "https://c.example/"))
    hits.store(session, [hit(made, 60), hit(made, 61, "click", 1), hit(made, 90), hit(made, 36_000, "click", 0)])
    process(session, LATER)
    return made


def test_a_message_counts_once_in_the_hour_of_its_open_and_once_in_that_of_its_first_click(session: Session) -> None:
    one, other = (
        message(session, SENT, links=("https://a.example/",)),
        message(session, SENT, links=("https://b.example/",)),
    )
    hits.store(session, [hit(one, 60), hit(one, 65, "click", 0), hit(one, 36_000, "click", 0)])
    hits.store(session, [hit(other, 60), hit(other, 36_000, "click", 0)])
    process(session, LATER)
    assert hours(session, one) == {slot(60): 1}
    assert hours(session, other) == {slot(60): 1, slot(36_000): 1}
    assert store.counts_of(session, [])[store.EVERYBODY] == {slot(60): 2, slot(36_000): 1}


def test_a_click_that_is_classified_later_counts_if_its_hour_is_another(session: Session) -> None:
    made = message(session, SENT, links=("https://a.example/",))
    for seconds, kind in ((60, "open"), (70, "click")):
        hits.store(session, [hit(made, seconds, kind, 0 if kind == "click" else None)])
        process(session, LATER)
    assert hours(session, made) == {slot(60): 1}


def test_hours_are_those_of_the_contacts_zone(session: Session) -> None:
    made = message(session, SENT)
    session.execute(text("update contacts set timezone = 'Asia/Tokyo' where id = :id"), {"id": made.contact_id})
    hits.store(session, [hit(made, 60)])
    process(session, LATER)
    assert hours(session, made) == {slot(60, TOKYO): 1}


def test_machines_do_not_count_and_what_turns_out_to_be_one_goes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = message(session, SENT, links=("https://a.example/", "https://b.example/", "https://c.example/"))
    hits.store(session, [hit(made, 36_000 + n / 10, "click", n) for n in range(3)])
    process(session, LATER)
    assert hours(session, made) == {}
    with monkeypatch.context() as older:
        older.setattr(classify, "BURST_LINKS", 99)
        rejudge(session, LATER, everything=True)
        assert hours(session, made) == {slot(36_000): 1}
    rejudge(session, LATER, everything=True)
    assert hours(session, made) == {}
    assert store.counts_of(session, [])[store.EVERYBODY] == {}


def test_who_is_merged_brings_its_hours_along(session: Session, seed: Seed) -> None:
    other = message(session, SENT)
    hits.store(session, [hit(other, 60)])
    process(session, LATER)
    before = store.counts_of(session, [])[store.EVERYBODY]
    merge(session, [(other.contact_id, seed.contact_id)], LATER)
    assert hours(session, seed)[slot(60)] == 2
    assert hours(session, other) == {}
    assert store.counts_of(session, [])[store.EVERYBODY] == before


@pytest.mark.usefixtures("seed")
def test_counts_equal_a_recount(session: Session) -> None:
    away = message(session, SENT, links=("https://a.example/",))
    session.execute(text("update contacts set timezone = 'Asia/Tokyo' where id = :id"), {"id": away.contact_id})
    nowhere = message(session, SENT)
    session.execute(text("update contacts set timezone = 'Mars/Base' where id = :id"), {"id": nowhere.contact_id})
    hits.store(session, [hit(away, 60), hit(away, 36_000, "click", 0), hit(nowhere, 90)])
    process(session, LATER)
    counted = everything(session)
    assert {row[0] for row in counted} >= {store.EVERYBODY, away.contact_id, nowhere.contact_id}
    session.execute(text("update contact_hours set messages = messages + 3"))
    recount.recount(session, UTC)
    assert everything(session) == counted
