"""`cairn campaigns` and `cairn workspace`, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine import clock
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.content import store
from engine.db import Database
from webapp.cli import campaigns, exit_code, workspace
from workers import campaigning

MAIL = """\
---
subject: Spring
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>
"""
FILE = 'campaign: spring\naudience: plan is "pro"\ncontent: spring-mail\n'


@pytest.fixture
def cairn(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The commands on a workspace with three people and a content."""

    @contextmanager
    def connected() -> Iterator[Database]:
        yield database

    for module in (campaigns, workspace):
        monkeypatch.setattr(module, "connected", connected)
    with database.transaction() as session:
        now = clock.now(session)
        store.save(session, MAIL, "spring-mail", "email", now, ours=True)
        people = [Profile(f"u{n}", f"u{n}@shop.io", attributes={"plan": "pro" if n else "free"}) for n in range(3)]
        identify(session, people, now)
    yield CliRunner()


def run(cairn: CliRunner, *words: str) -> Result:
    module = {"campaigns": campaigns, "workspace": workspace}[words[0]]
    return cairn.invoke(module.command, list(words[1:]))


def test_from_a_file_to_a_report(cairn: CliRunner, database: Database, tmp_path: Path) -> None:
    (tmp_path / "spring.yaml").write_text(FILE)
    assert run(cairn, "campaigns", "apply", str(tmp_path / "spring.yaml")).output == "spring\tdraft\n"
    assert 'audience: plan is "pro"' in run(cairn, "campaigns", "show", "spring").output
    refused = run(cairn, "campaigns", "check", "spring")
    assert refused.exit_code == 1 and "error: There is no postal address" in refused.output
    for name, value in (("postal_address", "1 High Street"), ("sender_address", "news@shop.io")):
        assert run(cairn, "workspace", "set", name, value).exit_code == 0
    checked = run(cairn, "campaigns", "check", "spring", "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.output)["reach"]["likely"] == 2
    stopped = run(cairn, "campaigns", "start", "spring")
    assert stopped.exception is not None and exit_code(stopped.exception) == 1  # type: ignore[arg-type]
    assert "starts" in run(cairn, "campaigns", "start", "spring", "--accept-warnings").output
    campaigning.campaigns(database)
    report = json.loads(run(cairn, "campaigns", "report", "spring", "--json").output)
    assert (report["state"], report["audience"], report["waiting"]) == ("sending", 2, 2)
    assert "spring: sending, audience 2" in run(cairn, "campaigns", "report", "spring").output
    why = run(cairn, "campaigns", "explain", "spring", "u1@shop.io").output
    assert "In the audience; the message is queued." in why
    assert "Not in the audience." in run(cairn, "campaigns", "explain", "spring", "u0").output
    for verb, said in (("pause", "is paused"), ("resume", "goes on"), ("cancel", "is cancelled")):
        assert said in run(cairn, "campaigns", verb, "spring").output
    assert run(cairn, "campaigns", "list").output == "spring\tcancelled\t2\tspring\n"


@pytest.mark.parametrize(
    ("name", "value"), [("timezone", "Mars/Base"), ("email_price", "dear"), ("sms_needs_consent", "?")]
)
def test_a_setting_that_cannot_be_is_refused(cairn: CliRunner, name: str, value: str) -> None:
    before = run(cairn, "workspace", "show").output
    assert run(cairn, "workspace", "set", name, value).exception is not None
    assert run(cairn, "workspace", "show").output == before
