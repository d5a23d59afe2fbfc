"""`cairn suppressions` and `cairn streams`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from engine.db import Database
from engine.settings import settings
from webapp.cli import main


@pytest.fixture
def site(database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr("engine.settings.Settings.workspace_schema", database.workspace)
    settings.cache_clear()
    yield database
    settings.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_addresses_are_suppressed_looked_up_carried_over_and_allowed_again(site: Database, tmp_path: Path) -> None:
    assert run("suppressions", "add", "ann@example.com", "Ben@example.com").output.startswith("2 added")
    assert run("suppressions", "add", "ANN@example.com", "--channel", "email").output.startswith("0 added, 1 were")
    assert "email: manual, since" in run("suppressions", "list", "ben@EXAMPLE.com").output
    assert run("suppressions", "list").output.split() == ["email", "manual", "2"]
    assert run("suppressions", "remove", "ann@example.com").exit_code == 2, "it asks for the reason"
    assert run("suppressions", "remove", "ann@example.com", "--reason", "came back").exit_code == 0
    assert run("suppressions", "remove", "ann@example.com", "--reason", "again").exit_code == 4
    exported = run("suppressions", "export").output
    assert "ben" not in exported.lower()
    assert exported.splitlines()[0] == "address_hmac,channel,reason,since"
    run("suppressions", "remove", "ben@example.com", "--reason", "moving")
    (tmp_path / "all.csv").write_text(exported)
    assert run("suppressions", "import", str(tmp_path / "all.csv")).output.startswith("1 added")
    assert "manual" in run("suppressions", "list", "ben@example.com").output
    (tmp_path / "plain.csv").write_text("\ufeffaddress,channel,reason\ncat@example.com,,complaint\n+14155550100,sms,\n")
    assert run("suppressions", "import", str(tmp_path / "plain.csv")).output.startswith("2 added")
    assert "complaint" in run("suppressions", "list", "cat@example.com").output
    with site.transaction() as session:
        log = session.execute(text("select action, detail ->> 'why' from audit_log order by id")).all()
    assert ("suppression removed", "came back") in [tuple(row) for row in log]


@pytest.mark.parametrize(
    "rows", ["name\nx\n", "address,b\n,\n", "address_hmac\nxyz\n", "address,reason\na@b.c,bored\n"]
)
def test_a_file_that_is_no_list_of_addresses_is_refused_as_a_whole(site: Database, tmp_path: Path, rows: str) -> None:
    (tmp_path / "f.csv").write_text(rows)
    done = run("suppressions", "import", str(tmp_path / "f.csv"))
    assert done.exit_code == 1, done.output
    assert run("suppressions", "list").output == ""


def test_what_is_no_email_address_is_not_suppressed(site: Database) -> None:
    refused = run("suppressions", "add", "ann@example.com", "email")
    assert refused.exit_code != 0 and "no email address" in refused.output
    assert run("suppressions", "list", "ann@example.com").output.endswith("is not suppressed.\n")


def test_streams_are_listed_paused_and_resumed_by_hand(site: Database) -> None:
    assert run("streams", "list").output == "No stream is paused.\n"
    assert run("streams", "pause", "everything").exit_code == 1
    assert run("streams", "pause", "domain:Hello@Shop.example>Gmail.com", "--reason", "blocked").exit_code == 0
    assert "hello@shop.example>gmail.com" in run("streams", "list").output
    assert run("streams", "resume", "domain:hello@shop.example>gmail.com").exit_code == 0
    assert run("streams", "resume", "domain:hello@shop.example>gmail.com").exit_code == 4
    assert "blocked" in run("streams", "list", "--all").output
