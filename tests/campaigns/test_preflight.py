"""What the preflight refuses, warns of, and counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete

from engine import clock, workspace
from engine.campaigns import definition, preflight
from engine.campaigns.preflight import Preflight
from engine.contacts.consent import suppress
from engine.content import store as contents
from engine.errors import InvalidInput
from engine.identities import store as identities
from engine.identities.house import house
from engine.identities.store import Form
from engine.messages import limits
from engine.model import Message
from engine.settings import settings
from engine.signing import signer
from tests.campaigns.town import PLAIN, Town
from tests.engine.messages import ledger
from tests.journeys.runtime.world import HOUR, START
from tests.names import dns_server

SITE = "https://cairn.shop.test.example.net"
GOOD = {"sender_address": "news@shop.io", "postal_address": "1 High Street"}
MAIL = """\
---
subject: {subject}
---
<mjml><mj-body><mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section></mj-body></mjml>
"""


def mail(body: str = "Hi", subject: str = "Hello") -> str:
    return MAIL.replace("{subject}", subject).replace("{body}", body)


def look(town: Town, source: str = mail(), sender: dict[str, Any] | None = None, **values: Any) -> Preflight:
    town.content("mail-a", source=source)
    with town.database.transaction() as session:
        workspace.save(session, **(GOOD if sender is None else sender))
        found = definition.read({key: value for key, value in (PLAIN | values).items() if value is not None})
        return preflight.check(session, found, signer(), SITE, clock.now(session))


def kinds(found: Preflight, severity: str) -> list[str]:
    return [one.kind for one in found.findings if one.severity == severity]


def test_what_is_in_order_passes(town: Town) -> None:
    town.people(3)
    found = look(town)
    assert kinds(found, "error") == []
    assert (found.reach.audience, found.reach.likely, found.cost) == (3, 3, Decimal("0.00"))


@pytest.mark.parametrize(
    ("source", "sender", "values", "kind"),
    [
        (mail(), {"sender_address": "news@shop.io", "postal_address": ""}, {}, "postal"),
        (mail(), {"sender_address": "hello@cairn.example", "postal_address": "x"}, {}, "sender"),
        (mail("Hi {% if vip %}<a href='{{ unsubscribe_url }}'>no</a>{% endif %}"), None, {}, "unsubscribe"),
        (mail("<a href='{{ unsubscribe_url }}'>no</a>"), None, {}, "postal"),
        (mail("{{ event.total }}"), None, {}, "variable"),
        (mail(subject="'{{ first_name }}'"), None, {}, "variable"),
        (mail(), None, {"audience": 'plan is "gold"'}, "audience"),
        (mail(), None, {"audience": 'in segment "nowhere"'}, "definition"),
        (mail(), None, {"content": "nowhere"}, "definition"),
    ],
)  # fmt: skip
def test_what_would_harm_is_refused(
    town: Town,
    source: str,
    sender: dict[str, Any] | None,
    values: dict[str, Any],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings(), "smtp_url", "smtp://mail.shop.io")
    town.people(2)
    assert kind in kinds(look(town, source, sender, **values), "error")


def test_a_placeholder_as_sender_is_allowed_while_mail_stays_in_the_local_mailbox(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "smtp_url", None)
    town.people(1)
    found = look(town, sender={"sender_address": "hello@cairn.example", "postal_address": "x"})
    assert "sender" in kinds(found, "warning") and found.errors == []


def test_a_mail_with_files_is_looked_at_as_any_other(town: Town) -> None:
    town.people(1)
    source = mail().replace("subject:", "attachments: [terms.pdf]\nsubject:")
    with town.database.transaction() as session:
        contents.save(session, source, "mail-a", "email", clock.now(session), ours=True, read=lambda _: b"%PDF")
        workspace.save(session, **GOOD)
        found = preflight.check(session, definition.read(PLAIN), signer(), SITE, clock.now(session))
    assert kinds(found, "error") == []


def test_what_may_be_meant_wants_a_word(town: Town) -> None:
    who = town.people(3)
    town.change(who[0], first_name="Åsa")
    body = "{{ first_name }} <a href='http://other.org/x'>there</a>" + "long " * 25_000
    found = look(town, mail(body))
    assert {"variable", "http", "hosts", "size", "dkim"} <= set(kinds(found, "warning"))
    missing = next(one for one in found.warnings if one.kind == "variable")
    assert missing.count == 2 and len(missing.samples) == 1


def test_what_a_filter_or_a_condition_covers_lacks_nothing(town: Town) -> None:
    town.people(2)
    covered = mail("{{ first_name | default('you') }} {% if plan %}{{ plan }}{% endif %}")
    assert "variable" not in kinds(look(town, covered), "warning")
    assert "variable" in kinds(look(town, mail("{{ first_name }}")), "warning")


def test_it_counts_whom_the_gate_would_stop(town: Town) -> None:
    people = town.people(6)
    town.contact(email=None)
    town.consent(people[0], "unsubscribed")
    with town.database.transaction() as session:
        suppress(session, "email", ["u2@x.example"], "manual", clock.now(session))
    found = look(town, audience="created_at is set").reach
    assert (found.audience, found.no_address, found.unsubscribed, found.suppressed, found.likely) == (7, 1, 1, 1, 4)


def test_it_says_when_the_last_one_leaves(town: Town) -> None:
    town.people(6)
    assert look(town, throttle="2 per hour").finish == START + 3 * HOUR
    assert look(town).finish is None


def test_an_error_stops_the_start_and_a_warning_wants_a_word(town: Town) -> None:
    town.people(1)
    slug = town.save()
    town.content("mail-a", source=mail("<a href='http://other.org/'>x</a>"))
    with town.database.transaction() as session:
        workspace.save(session, **GOOD | {"postal_address": ""})
    for match, postal in (("postal address", ""), ("needs your word", "1 High Street")):
        with town.database.transaction() as session:
            workspace.save(session, postal_address=postal)
            with pytest.raises(InvalidInput, match=match):
                preflight.start(session, slug, signer(), SITE, clock.now(session), "test", accepted=False)
    with town.database.transaction() as session:
        preflight.start(session, slug, signer(), SITE, clock.now(session), "test", accepted=True)
    town.settle()
    assert town.states() == {"accepted": 1}


def test_the_workspaces_caps_and_quiet_hours_are_counted(town: Town) -> None:
    people = town.people(3)
    with town.database.transaction() as session:
        ledger.queue(session, people[:2], ledger.save(session, "before"), state="accepted", accepted_at=START - HOUR)
    before = look(town)
    with town.database.transaction() as session:
        limits.set_cap(session, "email", "1 per week", "test", START)
        limits.set_quiet(session, "email", "00:00-23:59", "test", START)
    found = look(town)
    assert (before.reach.capped, found.reach.capped, found.reach.likely) == (0, 2, 1)
    with town.database.transaction() as session:
        session.execute(delete(Message))  # they were never sent, so no counter knows them
    assert "quiet hours (00:00-23:59)" in next(one.message for one in found.findings if one.kind == "quiet")


def dns_of(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setattr(settings(), "smtp_url", "smtp://mail.shop.io")
    monkeypatch.setattr(settings(), "dns_server", server)


def test_a_sender_of_whom_dns_says_nothing_is_refused_unless_somebody_takes_it_upon_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.people(1)
    with dns_server({"shop.io": {"MX": ["10 mx.shop.io."]}}) as server:
        dns_of(monkeypatch, server)
        refused = look(town)
        allowed = look(town, sender=GOOD | {"send_unverified": True})
    assert {"spf", "dmarc"} <= set(kinds(refused, "error"))
    assert "cairn workspace set send_unverified true" in refused.errors[0].hint
    assert {"spf", "dmarc"} <= set(kinds(allowed, "warning")) and allowed.errors == []


def test_what_dns_does_not_answer_is_said_and_stops_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.people(1)
    with dns_server({name: {"SERVFAIL": []} for name in ("shop.io", "_dmarc.shop.io")}) as server:
        dns_of(monkeypatch, server)
        found = look(town)
    assert found.errors == []
    assert any("could not be checked" in one.message for one in found.warnings)


def test_a_campaign_is_judged_by_the_identity_that_it_names(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.people(1)
    form = Form(
        slug="club", name="Club", address="a@club.io", relays="smtp://mail.club.io", postal_address="2 Low Road"
    )
    with town.database.transaction() as session:
        identities.put(session, form, house(), "ann", clock.now(session))
    with dns_server({"shop.io": {"TXT": ['"v=spf1 mx -all"']}, "club.io": {"MX": ["10 mx.club.io."]}}) as server:
        dns_of(monkeypatch, server)
        found = look(town, sender={}, **{"from": "club"})
        gone = look(town, **{"from": "nobody"})
    assert {one.message.split(" ")[0] for one in found.errors} == {"club.io"}
    assert "postal" not in kinds(found, "error")
    assert kinds(gone, "error") == ["definition"]
