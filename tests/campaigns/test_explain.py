"""Why a contact got a campaign, or not."""

from __future__ import annotations

import json

import pytest

from engine import clock
from engine.content import store as contents
from engine.reports import languages
from engine.signing import signer
from journeys.explain import as_json
from journeys.explain.campaigns import CampaignStory, explain_campaign
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR, MAIL, START
from webapp.cli._explaining import show_campaign_story


def story(town: Town, contact: int) -> CampaignStory:
    with town.database.transaction() as session:
        found = explain_campaign(session, "spring", contact, "anna", signer(), clock.now(session))
    json.dumps(as_json(found))
    return found


def test_it_tells_rule_draw_gates_and_state(town: Town) -> None:
    pro, left, free = town.contact(plan="pro"), town.contact(plan="pro", staff=True), town.contact(plan="free")
    town.save(audience='plan is "pro"', topic="news", **{"except": "staff is true"})
    assert story(town, pro).verdict == "The campaign has not started; the contact would be in its audience."
    town.do("start")
    town.consent(pro, "unsubscribed")
    town.live(HOUR)
    found = story(town, pro)
    assert found.verdict == "In the audience; the message is suppressed (unsubscribed)."
    assert (found.variant, found.held_back, found.changed) == ("a", False, False)
    assert found.message is not None
    assert [gate.name for gate in found.message.gates if gate.verdict == "refused"] == ["consent"]
    assert [(rule.what, rule.explained.verdict) for rule in story(town, left).rules] == [
        ("audience", True),
        ("except", True),
    ]
    assert story(town, left).verdict == story(town, free).verdict == "Not in the audience."
    town.live(HOUR)
    town.change(free, plan="pro")
    late = story(town, free)
    assert late.changed and late.verdict.startswith("Not in the audience: the rule is true by today's attributes")


def test_it_tells_who_is_held_back_and_who_waits_for_the_winner(town: Town) -> None:
    people = town.people(40)
    variants = [{"name": "a", "content": "mail-a"}, {"name": "b", "content": "mail-b"}]
    town.start(content=None, variants=variants, test="30%", winner={"by": "clicks", "after": "1 hour"}, holdout="30%")
    town.settle()
    arms = dict(town.execute("select arm, min(contact_id) from campaign_contacts group by 1"))
    assert len(people) == 40
    assert story(town, arms["holdout"]).held_back
    assert "waits for the winner" in story(town, arms["rest"]).verdict
    assert story(town, arms["b"]).message is not None


def test_it_tells_whose_history_chose_the_hour(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    new = town.contact()
    town.start(at="best")
    town.settle()
    found = story(town, new)
    assert found.best_hour == "default"
    show_campaign_story(found)
    assert "the best hour by default, as nobody has opened anything yet" in capsys.readouterr().out


def test_it_tells_the_language_of_either_arm_and_why(town: Town) -> None:
    german, nobody = town.contact(language="de-AT"), town.contact()
    town.save(content=None, variants=[{"name": "a", "content": "mail-a"}, {"name": "b", "content": "mail-b"}])
    for slug in ("mail-a", "mail-b"):
        english = MAIL.replace("subject:", f"language: en\nsubject: {slug}")
        with town.database.transaction() as session:
            others = {"de": MAIL.replace("subject:", f"subject: {slug} de")}
            contents.save(session, english, slug, "email", clock.now(session), ours=True, others=others)
    town.do("start")
    town.live(HOUR)
    told = [(one.language, one.because) for one in (story(town, german).message, story(town, nobody).message) if one]
    assert told == [("de", "the contact's language is “de-AT”"), ("en", "the contact has no language")]
    town.change(german, language="fr")
    later = story(town, german).message
    assert later and (later.language, later.because) == ("de", "at that time; now it would be en")
    with town.database.transaction() as session:
        sent = [languages.report(session, slug, START) for slug in ("mail-a", "mail-b")]
    assert sorted((row.language, row.sent) for rows in sent for row in rows) == [("de", 1), ("en", 1)]
