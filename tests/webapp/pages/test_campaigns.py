"""Campaigns: written, checked, started and watched on pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from engine import clock, workspace
from engine.campaigns import store
from engine.content import store as contents
from engine.db import Database
from engine.model import Campaign
from engine.previews import handing
from tests.webapp.pages.conftest import post
from tests.webapp.pages.sample import Shop
from webapp.pages.campaign_form import Form, filled, mapping
from workers import campaigning

MAIL = """---
subject: {subject}
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>
"""
FORM = {
    "name": "Spring sale",
    "channel": "email",
    "audience": 'plan is "pro"',
    "content_0": "sale-a",
    "zone": "workspace",
}


@pytest.fixture
def ready(shop_database: Database, shop: Shop) -> Iterator[Database]:
    """Contents, and a workspace that may send; campaigns are gone afterwards."""
    with shop_database.transaction() as session:
        before = workspace.load(session)
        workspace.save(session, sender_address="news@shop.io", postal_address="1 High Street")
        for slug in ("sale-a", "sale-b"):
            contents.save(session, MAIL.replace("{subject}", slug), slug, "email", clock.now(session), ours=True)
    yield shop_database
    with shop_database.transaction() as session:
        workspace.save(session, sender_address=before.sender_address, postal_address=before.postal_address)
        session.query(Campaign).filter(Campaign.slug != "sample").delete()


def saved(database: Database, slug: str) -> Campaign:
    with database.transaction() as session:
        return store.find(session, slug)


def test_a_campaign_is_written_checked_started_and_cancelled(marketer: FlaskClient, ready: Database) -> None:
    assert "Winter news" in marketer.get("/campaigns").text
    answer = post(marketer, "/campaigns/-/new", **FORM | {"action": "check"})
    assert answer.location == "/campaigns/spring-sale/check"
    page = marketer.get(answer.location).text
    assert "Look at this" in page and "Will get it" in page
    assert saved(ready, "spring-sale").state == "draft"
    refused = post(marketer, "/campaigns/spring-sale/state", action="start")
    assert "needs your word" in marketer.get(refused.location).text
    post(marketer, "/campaigns/spring-sale/state", action="start", accepted="yes")
    assert saved(ready, "spring-sale").state == "scheduled"
    campaigning.campaigns(ready)
    page = marketer.get("/campaigns/spring-sale").text
    assert "frozen" in page and 'aria-label="Messages that have come to their end"' in page
    behind = marketer.get("/campaigns/spring-sale/contacts?what=waiting").text
    assert "Queued" in behind and "/contacts/" in behind
    [why, *_] = re.findall(r'href="(/campaigns/spring-sale/contacts/[^"?]+)"', behind)
    story = marketer.get(why).text
    assert "In the audience; the message is queued." in story and "Is the campaign running?" in story
    [contact] = re.findall(r"spring-sale/contacts/([\w-]+)", why)
    assert '<a class="text-link" href="/campaigns/spring-sale">' in marketer.get(f"/contacts/{contact}").text
    post(marketer, "/campaigns/spring-sale/state", action="cancel")
    assert saved(ready, "spring-sale").state == "cancelled"
    assert "Cancelled" in marketer.get("/campaigns").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"audience": "plan is is"}, ""), ({"name": "!"}, "Name: cannot be"),
     ({"holdout": "lots"}, "Held back, %: “lots%” is no part of a whole"),
     ({"zone": "contact"}, "Day and time: must be"), ({"throttle": "many"}, "At most, an hour: “many”"),
     ({"test": "20"}, "Test on, % and Winner by: belong together"),
     ({"goal_when": "x is 1", "goal_within": "long"}, "Within: “long” is no length"),
     ({"content_1": "sale-b", "share_0": "20", "share_1": "20"}, "Content: shares make 40%")],
)  # fmt: skip
def test_what_does_not_read_is_not_saved_and_not_lost(
    marketer: FlaskClient, ready: Database, fields: dict[str, str], said: str
) -> None:
    answer = post(marketer, "/campaigns/-/new", **FORM | fields)
    if said:
        assert answer.status_code == 422 and said in answer.text and "It is not saved" in answer.text
        assert "sale-a" in answer.text
    else:  # a draft may have gaps; the check tells
        assert "Audience, line 1, column " in marketer.get("/campaigns/spring-sale/check").text


def test_the_editor_shows_what_was_saved(marketer: FlaskClient, ready: Database) -> None:
    fields = FORM | {"content_1": "sale-b", "test": "20", "winner_by": "clicks", "holdout": "10", "throttle": "5000",
                     "at": "2030-01-05T09:00", "zone": "contact", "goal_when": 'did "Order Completed"'}  # fmt: skip
    post(marketer, "/campaigns/-/new", **fields)
    found = saved(ready, "spring-sale").definition
    again = mapping(Form(filled(found)), "spring-sale")
    assert again | {"at": found["at"], "throttle": found["throttle"]} == found
    page = marketer.get("/campaigns/spring-sale/edit").text
    for part in ('value="2030-01-05T09:00"', 'value="5000"', 'value="20%"', 'value="sale-b" selected'):
        assert part in page


def test_the_audience_is_counted_without_those_left_out(marketer: FlaskClient, ready: Database) -> None:
    whole = post(marketer, "/campaigns/-/audience", audience='plan is "pro"').text
    none = post(marketer, "/campaigns/-/audience", audience='plan is "pro"', **{"except": 'plan is "pro"'}).text
    assert "match now" in whole and ">0 <" in none and ">0 <" not in whole


FILE = """# agreed with Ann
campaign: by-file
name: By file
audience: plan is "pro"   # paying
variants:
  - {name: plain, content: sale-a, share: 50%}
  - {name: bold, content: sale-b, share: 50%}
at: 2030-01-05 09:00+02:00
"""


def source_of(page: str) -> str:
    [found] = re.findall(r'<textarea[^>]* name="source"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return html.unescape(found).strip() + "\n"


def test_fields_and_file_are_two_views_of_one_thing_and_comments_stay(marketer: FlaskClient, ready: Database) -> None:
    fields = post(marketer, "/campaigns/-/new", mode="file", source=FILE, action="form").text
    assert 'value="By file"' in fields and source_of(fields) == FILE
    shown = dict.fromkeys(("share_0", "share_1"), "50") | {"content_0": "sale-a", "content_1": "sale-b"}
    form = shown | {"name": "By hand", "channel": "email", "audience": 'plan is "pro"', "at": "2030-01-05T09:00",
                    "zone": "workspace", "mode": "form", "source": source_of(fields)}  # fmt: skip
    as_file = post(marketer, "/campaigns/-/new", **form, action="file").text
    changed = FILE.replace("name: By file", "name: By hand")
    assert source_of(as_file) == changed
    with ready.transaction() as session:
        assert session.query(Campaign).filter(Campaign.slug == "by-file").count() == 0
    post(marketer, "/campaigns/-/new", **form, action="save")
    found = saved(ready, "by-file")
    assert found.source == changed and found.definition["at"] == "2030-01-05 09:00+02:00"
    assert [one["name"] for one in found.definition["variants"]] == ["plain", "bold"]
    assert source_of(marketer.get("/campaigns/by-file/edit").text) == changed
    refused = post(marketer, "/campaigns/by-file/edit", mode="file", source="campaign: other", action="save")
    assert refused.status_code == 422 and "stays by-file" in refused.text
    assert source_of(refused.text) == "campaign: other\n"
    copied = post(marketer, "/campaigns/by-file/copy", action="duplicate")
    assert copied.location == "/campaigns/by-file-2/edit" and "# agreed with Ann" in marketer.get(copied.location).text
    refused = post(marketer, "/campaigns/by-file/copy", action="again")
    assert "has sent no email" in marketer.get(refused.location).text


def test_the_calendar_shows_campaigns_on_their_days_in_any_month(marketer: FlaskClient, ready: Database) -> None:
    post(marketer, "/campaigns/-/new", **FORM | {"at": "2030-01-05T09:00", "zone": "contact"})
    page = marketer.get("/campaigns/-/calendar?month=2030-01").text
    [cell] = re.findall(r"<td[^>]*>(?:(?!</td>).)*Spring sale.*?</td>", page, re.DOTALL)
    assert re.search(r"</span>5</span>", cell) and "09:00" in cell and 'href="/campaigns/spring-sale"' in cell
    for month in ("", "2030-13", "9999-12", "0001-01", "x\0", "2030-1-1"):
        assert marketer.get("/campaigns/-/calendar", query_string={"month": month}).status_code == 200


def test_campaigns_are_compared_side_by_side(marketer: FlaskClient, ready: Database) -> None:
    post(marketer, "/campaigns/-/new", **FORM)
    page = marketer.get("/campaigns/-/compare?campaign=sample&campaign=spring-sale&campaign=sample").text
    assert page.count('<th scope="col" class="num">') == 2 and "Revenue per 1,000 messages" in page
    assert marketer.get("/campaigns/-/compare?campaign=nowhere").status_code == 404
    assert "Which ones" in marketer.get("/campaigns/-/compare").text


def test_every_variant_is_tested_on_colleagues(
    marketer: FlaskClient, ready: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bytes] = []

    def handed(letters: list[handing.Letter]) -> list[handing.Handed]:
        taken.extend(letter.data for letter in letters)
        return [handing.Handed(letter.recipient, "") for letter in letters]

    monkeypatch.setattr("webapp.pages.campaign_views.send", handed)
    post(marketer, "/campaigns/-/new", **FORM | {"content_1": "sale-b"})
    assert "Send every variant to" in marketer.get("/campaigns/spring-sale/check").text
    answer = post(marketer, "/campaigns/spring-sale/test", to="ann@shop.io, ben@shop.io")
    assert "on its way to ann@shop.io, ben@shop.io" in marketer.get(answer.location).text
    assert sorted(re.findall(rb"Subject: \[Test\] (sale-.)", b"".join(taken))) == [b"sale-a"] * 2 + [b"sale-b"] * 2
    answer = post(marketer, "/campaigns/spring-sale/test", to="nobody")
    assert "is no email address" in marketer.get(answer.location).text
