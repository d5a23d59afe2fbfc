"""`cairn contacts`, `events`, `rules` and `segments` on a small shop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.db import Database
from engine.settings import settings
from tests.conftest import drop
from webapp.cli import main
from webapp.cli._console import console

Cairn = Callable[..., Result]


@pytest.fixture(scope="module")
def cairn(postgres_url: str) -> Iterator[Cairn]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", postgres_url)
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        patch.setenv("CAIRN_WORKSPACE", "data_commands")
        settings.cache_clear()
        yield lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
        drop(Database(postgres_url, workspace=settings().workspace_schema))
    settings.cache_clear()


def test_a_shop_is_imported_counted_and_segmented(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("external_id,email,plan\n1,a@x.example,pro\n2,b@x.example,free\n")
    (tmp_path / "e.csv").write_text(
        "external_id,name,occurred_at,total\n1,Order Completed,2026-01-01,12\n3,Seen,2026-01-02,\n"
    )
    first = cairn("contacts", "import", tmp_path / "c.csv", "--consent", "email,sms")
    assert (first.exit_code, first.output) == (
        0,
        "2 contacts: 2 imported, 0 unchanged, 0 refused. 2 contacts are new.\n",
    )
    assert cairn("events", "import", tmp_path / "e.csv", "--trigger").output == (
        "2 events: 2 imported, 0 unchanged, 0 refused. 1 contacts are new.\n"
    )
    assert cairn("rules", "count", 'plan is "pro" and consents to sms').output == "1\n"
    assert cairn("rules", "count", "never purchased").output == "2\n"
    assert cairn("rules", "count", "purchased", "--now", "2025-12-31").output == "0\n"
    assert cairn("segments", "create", "pros", 'plan is "pro"', "--name", "Pros").output == "pros: 1 contacts\n"
    assert cairn("segments", "list").output == 'pros\t1\tplan is "pro"\n'
    assert cairn("segments", "refresh").output == "pros: 1 contacts\n"
    assert [line.split("\t")[1:] for line in cairn("segments", "members", "pros").output.splitlines()] == [
        ["1", "a@x.example"]
    ]


def test_a_segment_tells_who_was_in_it_and_how_many(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("external_id,name,occurred_at\n1,Looked,2026-01-02\n")
    cairn("events", "import", tmp_path / "e.csv")
    cairn("segments", "create", "seen", 'did "Looked"')
    cairn("segments", "create", "named", "external_id is set")
    assert cairn("segments", "members", "seen", "--count").output == "1\n"
    before = cairn("segments", "members", "seen", "--count", "--as-of", "2020-01-01")
    assert before.stdout == "0\n" and before.stderr.startswith("warning: the first member of seen is known since ")
    assert cairn("segments", "members", "seen", "--count", "--by-rule", "--as-of", "2026-01-01").output == "0\n"
    refused = cairn("segments", "members", "named", "--by-rule", "--as-of", "2026-01-01")
    assert refused.exit_code == 1 and "has no history: external_id" in refused.stderr
    future = cairn("segments", "members", "seen", "--as-of", "2999-01-01")
    assert (future.exit_code, future.stdout) == (1, "") and "Ask with --by-rule" in future.stderr
    assert cairn("segments", "members", "seen", "--by-rule", "--as-of", "2999-01-01").exit_code == 0
    days = cairn("segments", "history", "seen", "--from", "2020-01-01", "--to", "2020-01-03").stdout
    assert days == "2020-01-01T00:00Z\t0\n2020-01-02T00:00Z\t0\n2020-01-03T00:00Z\t0\n"
    assert cairn("segments", "history", "nowhere", "--from", "2020-01-01").exit_code == 4


def test_refused_rows_have_an_exit_code_and_a_file(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("external_id,email\n9,\n,nonsense\n")
    result = cairn("contacts", "import", tmp_path / "c.csv")
    assert result.exit_code == 5 and "1 refused" in result.stdout
    assert str(tmp_path / "c.csv.errors.csv") in result.stderr
    assert (tmp_path / "c.csv.errors.csv").read_text().splitlines()[1].startswith("3,email,nonsense,")


def test_a_wrong_header_and_a_wrong_channel_are_explained(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("name\nx\n")
    result = cairn("contacts", "import", tmp_path / "c.csv")
    assert result.exit_code == 1 and "external_id,email,phone,timezone" in result.stderr
    assert cairn("contacts", "import", tmp_path / "c.csv", "--consent", "fax").exit_code == 2


def test_a_rule_is_shown_as_it_is_read_or_where_it_is_wrong(cairn: Cairn) -> None:
    good = cairn("rules", "check", "purchased AND seats>5")
    assert good.exit_code == 0 and good.stdout.splitlines()[0] == "purchased and seats > 5"
    assert good.stderr.startswith("warning: line 1, column 15:")
    for rule in ("purchased at least x times", 'in segment "nowhere"'):
        bad = cairn("rules", "check", rule)
        assert (bad.exit_code, bad.stdout) == (1, "") and bad.stderr.startswith("line 1, column ")
    assert cairn("segments", "create", "self", 'in segment "self"').exit_code == 1
    assert "self" not in cairn("segments", "list").output
    assert cairn("segments", "refresh", "nowhere").exit_code == 4


def test_endpoints_are_made_listed_and_given_new_secrets(cairn: Cairn) -> None:
    made = cairn("webhooks", "add", "crm/task", "https://crm.example/hook")
    assert made.exit_code == 0 and made.output.startswith("whsec_")
    assert cairn("webhooks", "add", "crm/task", "https://crm.example/other").output == made.output
    rotated = cairn("webhooks", "rotate", "crm/task").output
    assert rotated.startswith("whsec_") and rotated != made.output
    listed = cairn("webhooks", "list").output
    assert "whsec" not in listed
    [row] = [line for line in listed.splitlines() if "crm/task" in line]
    assert all(word in row for word in ("https://crm.example/other", "works", "0"))
    assert cairn("webhooks", "retry", "crm/task").exit_code == 0
    assert made.stderr == ""
    inside = cairn("webhooks", "add", "inside", "http://127.0.0.1:8078/hook")
    assert inside.stderr == (
        "warning: 127.0.0.1 is no public address; see CAIRN_WEBHOOK_NETWORKS. Until then its calls fail.\n"
    )
    assert cairn("webhooks", "add", "other", "file:///etc/passwd").exit_code == 1
    assert cairn("webhooks", "remove", "crm/task").exit_code == 0
    assert cairn("webhooks", "retry", "crm/task").exit_code == 4


def test_a_story_is_told_by_command(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("external_id,email\nann,ann@x.example\n")
    (tmp_path / "j.yaml").write_text("journey: hello\nenter: {on: Signed Up}\nsteps: [{wait: 1 day, id: pause}]\n")
    assert cairn("contacts", "import", tmp_path / "c.csv").exit_code == 0
    assert cairn("journeys", "publish", tmp_path / "j.yaml").exit_code == 0
    told = cairn("journeys", "explain", "hello", "ann@x.example")
    assert told.output.startswith("ann and hello (live, version 1): Never entered. “Signed Up” never happened")
    assert json.loads(cairn("journeys", "explain", "hello", "ann", "--json").output)["entries"] == []
    assert cairn("journeys", "explain", "hello", "nobody").exit_code == 4


def test_lists_are_made_and_filled_and_a_journey_is_entered_by_hand(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("external_id,email\nann,ann@x.example\nben,ben@x.example\n")
    assert cairn("contacts", "import", tmp_path / "people.csv").exit_code == 0
    assert cairn("lists", "add", "vip", "ann").exit_code == 4
    assert cairn("lists", "create", "VIP").exit_code == 1
    assert cairn("lists", "create", "vip", "--name", "Best").output == "list vip\n"
    assert cairn("lists", "add", "vip", "ann", "ben@x.example").output == "vip: 2 put on\n"
    assert cairn("lists", "remove", "vip", "ben").output == "vip: 1 taken off\n"
    assert cairn("lists", "list").output == "vip\t1\n"
    assert cairn("rules", "count", 'in list "vip"').output == "1\n"
    file = tmp_path / "orders.yaml"
    file.write_text("journey: orders\nenter: {api: true}\nsteps:\n  - list: {add: vip}\n    id: on\n")
    assert cairn("journeys", "enter", "orders", "ben").exit_code == 4
    assert cairn("journeys", "publish", file).exit_code == 0
    for words in ("is let in", "was let in before, with this key"):
        done = cairn("journeys", "enter", "orders", "ben", "--key", "k", "--properties", '{"order": 1}')
        assert (done.exit_code, done.output) == (0, f"ben {words}: orders\n")
    assert cairn("journeys", "enter", "orders", "ben", "--properties", "[1]").exit_code == 1
    assert cairn("journeys", "remove", "orders", "ben").output == "ben is taken out of orders\n"
    assert cairn("journeys", "remove", "orders", "ben").output == "ben is not in orders\n"
    assert cairn("journeys", "remove", "orders", "nobody").exit_code == 4


@pytest.mark.parametrize(("columns", "width"), [("30", 80), ("100", 100)])
def test_tables_are_as_wide_as_the_terminal_and_wide_enough_to_read(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert console().width == width


def test_lists_take_files_and_segments_and_give_files(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "external_id,email,phone\nann,ann@x.example,+4915112345678\nben,ben@x.example,\n"
    )
    assert cairn("contacts", "import", tmp_path / "people.csv").exit_code == 0
    assert cairn("segments", "create", "everybody", 'external_id in ["ann", "ben"]').exit_code == 0
    cairn("lists", "create", "guests")
    names = {"bom.csv": "\ufeffName,Email\nAnn,ANN@x.example\nBen,\n,nobody@x.example\n", "plain.txt": 'ben\n\n"ann"\n'}
    for file, content in names.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    done = cairn("lists", "add", "guests", "--file", tmp_path / "bom.csv")
    assert (done.exit_code, "guests: 1 put on" in done.output, "nobody@x.example: not known" in done.output) == (
        5,
        True,
        True,
    )
    assert cairn("lists", "add", "guests", "--file", tmp_path / "plain.txt").output == "guests: 1 put on\n"
    given = cairn("lists", "members", "guests").output
    assert given.startswith("external_id,email,phone,added_at\nben,ben@x.example,,20")
    assert "ann,ann@x.example,'+4915112345678,20" in given
    (tmp_path / "back.csv").write_text(given)
    assert cairn("lists", "remove", "guests", "--file", tmp_path / "back.csv").output == "guests: 2 taken off\n"
    assert cairn("lists", "add", "guests", "--segment", "everybody").output == "guests: 2 put on\n"
    assert cairn("lists", "remove", "guests", "--segment", "everybody").output == "guests: 2 taken off\n"
    assert cairn("lists", "add", "guests", "--segment", "nothing").exit_code == 4
    assert cairn("lists", "add", "guests").exit_code == 2
    (tmp_path / "bad.csv").write_bytes(b"email\n\xff\xfe\n")
    assert cairn("lists", "add", "guests", "--file", tmp_path / "bad.csv").exit_code == 1
