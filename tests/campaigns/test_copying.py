"""Drafts made from campaigns."""

from __future__ import annotations

import pytest

from engine import clock
from engine.campaigns import copying, definition, store
from engine.errors import InvalidInput
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR, START

FILE = "# ours\ncampaign: spring\naudience: email is set  # all\ncontent: mail-a\nat: 2026-03-02 13:00\nzone: contact\n"


def test_a_duplicate_says_the_same_without_the_hour_that_is_over(town: Town) -> None:
    with town.database.transaction() as session:
        store.save(session, definition.parse(FILE), START, "ann", FILE)
        ahead = copying.duplicate(session, "spring", "", START, "ann")
        later = copying.duplicate(session, "spring", "Zwei", START + 48 * HOUR, "ann")
    assert (ahead.slug, ahead.name, ahead.state) == ("spring-2", "spring, copy", "draft")
    assert "# ours\ncampaign: spring-2\n" in (ahead.source or "") and "# all" in (ahead.source or "")
    assert ahead.definition["at"] == "2026-03-02 13:00" and ahead.definition["zone"] == "contact"
    assert (later.slug, later.name) == ("spring-3", "Zwei") and not {"at", "zone"} & set(later.definition)


def test_who_did_not_open_gets_it_again_once(town: Town) -> None:
    people = town.people(4)
    with town.database.transaction() as session:
        store.save(session, definition.parse(FILE.replace("at: 2026-03-02 13:00\nzone: contact\n", "")), START, "ann")
        with pytest.raises(InvalidInput, match="has sent no email"):
            copying.again(session, "spring", START, "ann")
    town.start()
    town.live(HOUR)
    town.people(1)  # who came later never got it
    town.event(people[0], "Email Opened", content="mail-a")
    town.event(people[1], "Email Link Clicked", content="mail-a")
    town.settle()
    with town.database.transaction() as session:
        copying.again(session, "spring", clock.now(session), "ann")
    town.do("start", "spring-2")
    town.live(HOUR)
    second = town.execute("select contact_id from messages where campaign_id = (select id from campaigns "
                          "where slug = 'spring-2') order by 1")  # fmt: skip
    assert [row[0] for row in second] == people[2:]
