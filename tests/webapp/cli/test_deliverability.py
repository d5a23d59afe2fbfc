"""`cairn suppressions` and `cairn streams`."""

from __future__ import annotations

import re
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
    assert exported.splitlines()[0] == "address_hmac,channel,reason,since,key"
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


def test_a_file_that_is_no_list_of_addresses_is_refused_as_a_whole(site: Database, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("name\nx\n")
    done = run("suppressions", "import", str(tmp_path / "f.csv"))
    assert done.exit_code == 1, done.output
    assert run("suppressions", "list").output == ""


def test_bad_rows_are_named_and_the_others_are_suppressed(site: Database, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(
        "Email;channel;reason\nmüller@x.example;;complaint\nnobody;;\n;;\nb@x.example;;bored\nc@x.example;fax;\n"
        "+49 1511 2345678;sms;\n01511 2345678;sms;\nd@bücher.example;;\n".encode("cp1252")
    )
    done = run("suppressions", "import", str(path))
    assert done.exit_code == 5 and "3 added, 0 were suppressed before, 5 refused.\n" in done.output
    for line, told in ((3, "is not an email"), (4, "neither"), (5, "reason is"), (6, "channel is"), (8, "country")):
        assert re.search(rf"f\.csv:{line}: .*{told}", done.output), done.output
    for address, reason in (("Müller@x.example", "complaint"), ("+4915112345678", "manual")):
        assert f": {reason}, since" in run("suppressions", "list", address).output
    assert "manual" in run("suppressions", "list", "d@xn--bcher-kva.example").output
    assert run("suppressions", "import", str(path)).output.endswith("0 added, 3 were suppressed before, 5 refused.\n")


def test_hashes_of_another_secret_are_refused(site: Database, tmp_path: Path) -> None:
    run("suppressions", "add", "a@x.example")
    (tmp_path / "own.csv").write_text(run("suppressions", "export").output)
    assert run("suppressions", "import", str(tmp_path / "own.csv")).exit_code == 0
    (tmp_path / "other.csv").write_text(f"address_hmac,key\n{'ab' * 32},0123456789abcdef\n")
    other = run("suppressions", "import", str(tmp_path / "other.csv"))
    assert other.exit_code == 1 and "another secret" in other.output


def test_what_is_no_email_address_is_not_suppressed(site: Database) -> None:
    refused = run("suppressions", "add", "ann@example.com", "email")
    assert refused.exit_code != 0 and "not an email address" in refused.output
    assert run("suppressions", "list", "ann@example.com").output.endswith("is not suppressed.\n")


def test_streams_are_listed_paused_and_resumed_by_hand(site: Database) -> None:
    assert run("streams", "list").output == "No stream is paused.\n"
    assert run("streams", "pause", "everything").exit_code == 1
    assert run("streams", "pause", "domain:Hello@Shop.example>Gmail.com", "--reason", "blocked").exit_code == 0
    assert "hello@shop.example>gmail.com" in run("streams", "list").output
    assert run("streams", "resume", "domain:hello@shop.example>gmail.com").exit_code == 0
    assert run("streams", "resume", "domain:hello@shop.example>gmail.com").exit_code == 4
    assert "blocked" in run("streams", "list", "--all").output
