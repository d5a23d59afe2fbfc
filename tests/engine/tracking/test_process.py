"""From raw hits to first opens and clicks, events and counters."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import Database
from engine.tracking import hits
from engine.tracking.classify import HONEYPOT
from engine.tracking.hits import Hit
from engine.tracking.process import process
from tests.engine.tracking.seeds import Seed, message

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SENT = NOW - dt.timedelta(hours=1)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GMAIL = "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"


def hit(seed: Seed, seconds: float, kind: str = "open", position: int | None = None, **more: Any) -> Hit:
    at = SENT + dt.timedelta(seconds=seconds)
    return Hit(at, kind, seed.id, seed.origin_at, position, **{"user_agent": AGENT, **more})


def events(session: Session, seed: Seed) -> list[tuple[str, dict[str, Any], str]]:
    rows = session.execute(
        text("select name, properties, source from events where contact_id = :id order by occurred_at, message_id"),
        {"id": seed.contact_id},
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def rollup(session: Session, seed: Seed) -> tuple[int, ...]:
    row = session.execute(
        text(
            "select raw_opens, human_opens, raw_clicks, human_clicks from message_rollups "
            "where journey_id = :id and step_id = 'hello' and channel = 'email' and day = :day"
        ),
        {"id": seed.journey_id, "day": SENT.date()},
    ).one()
    return tuple(row)


def firsts(session: Session, seed: Seed) -> tuple[dt.datetime | None, dt.datetime | None]:
    found = text("select first_open_at, first_click_at from messages where id = :id")
    opened, clicked = session.execute(found, {"id": seed.id}).one()
    return opened, clicked


def test_an_open_and_a_click_become_events_that_say_which_message_and_link(session: Session) -> None:
    seed = message(session, SENT, links=("https://shop.example/a",), own_links={"1": "https://shop.example/own"})
    hits.store(session, [hit(seed, 60), hit(seed, 70, "click", 0), hit(seed, 80, "click", 1), hit(seed, 90)])
    counts = process(session, NOW)
    assert counts == {"messages": 1, "hits": 4, "events": 3, "human": 4}
    base = {"content": events(session, seed)[0][1]["content"], "step": "hello", "message": seed.token}
    base["journey"] = base["content"].replace("welcome", "trial")
    assert events(session, seed) == [
        ("Email Opened", base, "tracking"),
        ("Email Link Clicked", base | {"link": "https://shop.example/a"}, "tracking"),
        ("Email Link Clicked", base | {"link": "https://shop.example/own"}, "tracking"),
    ]
    assert firsts(session, seed) == (SENT + dt.timedelta(seconds=60), SENT + dt.timedelta(seconds=70))
    assert rollup(session, seed) == (2, 1, 2, 1)


def test_a_mail_that_is_opened_long_after_its_contact_was_forgotten_counts_and_names_nobody(session: Session) -> None:
    seed = message(session, SENT, links=("https://shop.example/a",))
    session.execute(text("update contacts set erased_at = :at"), {"at": SENT})
    hits.store(session, [replace(hit(seed, 60), ip="198.51.100.77", headers={"Accept": "x"})])
    process(session, NOW)
    assert rollup(session, seed) == (1, 1, 0, 0)
    assert session.execute(text("select classification, ip, user_agent, headers from hits")).all() == [
        ("human", None, None, None)
    ]


def test_a_click_without_an_open_implies_one(session: Session) -> None:
    seed = message(session, SENT, links=("https://shop.example/a",))
    hits.store(session, [hit(seed, 70, "click", 0)])
    process(session, NOW)
    assert [name for name, _, _ in events(session, seed)] == ["Email Link Clicked", "Email Opened"]
    assert firsts(session, seed) == (SENT + dt.timedelta(seconds=70),) * 2
    assert rollup(session, seed) == (0, 1, 1, 1)


def test_machines_are_counted_raw_and_do_nothing_else(session: Session) -> None:
    seed = message(session, SENT, links=("https://a.example", "https://b.example", "https://c.example"))
    burst = [hit(seed, 5 + n / 10, "click", n) for n in range(3)]
    others = [
        hit(seed, 4, "click", 0, method="HEAD"),
        hit(seed, 6, "click", HONEYPOT),
        hit(seed, 7, user_agent="curl/8"),
    ]
    hits.store(session, burst + others)
    assert process(session, NOW) == {"messages": 1, "hits": 6, "events": 0, "scanner": 6}
    assert events(session, seed) == []
    assert firsts(session, seed) == (None, None)
    assert rollup(session, seed) == (1, 0, 5, 0)


def test_a_proxy_open_counts_and_an_unknown_one_does_not(session: Session) -> None:
    proxied, unknown = message(session, SENT), message(session, SENT)
    hits.store(session, [hit(proxied, 60, user_agent=GMAIL), hit(unknown, 60, user_agent="Mozilla/5.0")])
    process(session, NOW)
    assert [name for name, _, _ in events(session, proxied)] == ["Email Opened"]
    assert events(session, unknown) == []


def test_a_double_click_is_one_click(session: Session) -> None:
    seed = message(session, SENT, links=("https://a.example",))
    hits.store(session, [hit(seed, 60, "click", 0), hit(seed, 60.4, "click", 0), hit(seed, 300, "click", 0)])
    process(session, NOW)
    assert [name for name, _, _ in events(session, seed)].count("Email Link Clicked") == 2


def test_nothing_is_judged_before_the_message_has_been_quiet_for_three_seconds(session: Session) -> None:
    seed = message(session, SENT)
    hits.store(session, [hit(seed, 60), hit(seed, 62)])
    at = SENT + dt.timedelta(seconds=62)
    assert process(session, at + dt.timedelta(seconds=2.9))["messages"] == 0
    assert process(session, at + dt.timedelta(seconds=3))["hits"] == 2


def test_a_message_that_never_rests_is_judged_after_a_minute(session: Session) -> None:
    seed = message(session, SENT)
    hits.store(session, [hit(seed, seconds) for seconds in range(0, 62, 2)])
    assert process(session, SENT + dt.timedelta(seconds=60))["hits"] == 31


def test_hits_wait_until_the_message_is_known_to_be_accepted(session: Session) -> None:
    seed = message(session, None, state="sending")
    hits.store(session, [hit(seed, 60)])
    assert process(session, NOW)["messages"] == 0
    accepted = text("update messages set state = 'accepted', accepted_at = :at")
    session.execute(accepted, {"at": SENT})
    assert process(session, NOW)["hits"] == 1


def test_a_human_click_settles_an_unknown_message_and_nothing_less_does(session: Session) -> None:
    seed, other = (message(session, None, links=("https://a.example",), state="unknown") for _ in range(2))
    session.execute(text("update messages set ended_at = :at"), {"at": SENT})
    hits.store(session, [hit(seed, 60, "click", 0), hit(other, 60), hit(other, 61, "click", 0, method="HEAD")])
    process(session, NOW)
    rows = session.execute(text("select id, state, accepted_at, ended_at, cost > 0 from messages order by id")).all()
    assert [tuple(row) for row in rows] == [
        (seed.id, "accepted", SENT, None, True), (other.id, "unknown", None, SENT, None),
    ]  # fmt: skip
    counted = text("select day, sent, undelivered, human_clicks from message_rollups where journey_id = :id")
    assert tuple(session.execute(counted, {"id": seed.journey_id}).one()) == (SENT.date(), 1, -1, 1)


def test_hits_of_an_erased_message_are_closed(session: Session) -> None:
    seed = message(session, SENT)
    session.execute(text("delete from messages"))
    hits.store(session, [hit(seed, 60)])
    assert process(session, NOW)["messages"] == 1
    assert process(session, NOW)["messages"] == 0
    assert session.execute(text("select classification from hits")).scalars().all() == ["unknown"]


def test_a_second_run_changes_nothing_and_later_hits_add_no_second_open(session: Session) -> None:
    seed = message(session, SENT)
    hits.store(session, [hit(seed, 60)])
    process(session, NOW)
    assert process(session, NOW) == {"messages": 0, "hits": 0, "events": 0}
    hits.store(session, [hit(seed, 600)])
    process(session, NOW)
    assert len(events(session, seed)) == 1
    assert rollup(session, seed)[:2] == (2, 1)


def test_two_processes_at_once_judge_each_message_once(database: Database) -> None:
    with database.transaction() as session:
        seeds = [message(session, SENT) for _ in range(3)]
        hits.store(session, [hit(seed, 60) for seed in seeds])
    with database.transaction() as first, database.transaction() as second:
        assert process(first, NOW)["messages"] == 3
        assert process(second, NOW)["messages"] == 0
    with database.transaction() as session:
        assert session.execute(text("select count(*) from events")).scalar() == 3


def test_hits_keep_what_they_came_with(session: Session) -> None:
    seed = message(session, SENT)
    given = hit(seed, 60, ip="203.0.113.9", headers={"Sec-Purpose": "prefetch"}, method="HEAD")
    hits.store(session, [given])
    row = session.execute(text("select kind, message_id, method, host(ip::inet), user_agent, headers from hits")).one()
    assert tuple(row) == ("open", seed.id, "HEAD", "203.0.113.9", AGENT, {"Sec-Purpose": "prefetch"})
