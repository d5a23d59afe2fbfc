"""`cairn topics` and `cairn consent`."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_topics_are_made_changed_and_archived(cairn: Cairn) -> None:
    assert cairn("topics", "set", "news", "--name", "News").exit_code == 0
    assert (
        cairn("topics", "set", "tips", "--name", "Tips", "--default", "unsubscribed", "--double-opt-in").exit_code == 0
    )
    cairn("topics", "set", "news", "--name", "News & notes", "--position", "9", "--hidden")
    assert cairn("topics", "list").output == (
        "tips\tTips\tunsubscribed, public, double opt-in\nnews\tNews & notes\tsubscribed, hidden\n"
    )
    cairn("topics", "archive", "tips")
    assert cairn("topics", "list").output.splitlines()[-1].endswith("archived")
    assert "is back" in cairn("topics", "archive", "tips", "--undo").output
    assert cairn("topics", "set", "No!").exit_code == 1
    assert cairn("topics", "archive", "nothing").exit_code == 4


def test_a_wording_keeps_its_versions(cairn: Cairn, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    names = []
    for text in ("Send me news.", "Send me news.", "Send me news weekly."):
        words.write_text(text)
        names.append(cairn("topics", "word", "signup", words).output.split("\t")[0])
    assert names == ["signup@1", "signup@1", "signup@2"]
    assert cairn("topics", "wordings").output.count("Send me news") == 2


def test_consent_goes_out_and_in_again(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "external_id,email,phone\n1,a@x.example,+14155550100\n2,b@x.example,\n3,=c@x.example,\n"
    )
    cairn("contacts", "import", tmp_path / "c.csv")
    (tmp_path / "words.txt").write_text("Send me text messages.")
    cairn("topics", "word", "sms", tmp_path / "words.txt")
    assert "1: sms subscribed" in cairn("consent", "set", "1", "sms", "subscribed", "--wording", "sms").output
    assert cairn("consent", "set", "2", "email", "unsubscribed").exit_code == 0
    assert cairn("consent", "set", "2", "email", "subscribed", "--basis", "implied").exit_code == 1  # no end
    rows = list(csv.DictReader(io.StringIO(cairn("consent", "export").output)))
    assert [(row["external_id"], row["phone"], row["channel"], row["state"]) for row in rows] == [
        ("1", "'+14155550100", "sms", "subscribed"),
        ("2", "", "email", "unsubscribed"),
    ]
    cairn("topics", "set", "news", "--name", "News")
    (tmp_path / "consent.csv").write_text(
        "phone,email,channel,topic,action,lawful_basis,date,expires\n"
        "'+14155550100,,email,news,subscribed,consent,2026-01-05,\n"
        ",b@x.example,email,,subscribed,consent,2030-01-05,\n"  # an opt-out stays
        ",b@x.example,email,news,subscribed,implied,2026-01-05,\n"  # implied without an end
        ",b@x.example,email,news,subscribed,implied,2026-01-05,2126-07-05\n"
        ",nobody@x.example,email,,subscribed,,,\n"
        ",b@x.example,fax,,subscribed,,,\n"
        ",b@x.example,sms,,subscribed,,soon,\n"
    )
    found = cairn("consent", "import", tmp_path / "consent.csv")
    assert found.exit_code == 5
    assert "7 rows: 3 recorded, 4 refused.\n2 contacts stand differently now." in found.output
    assert f"{tmp_path}/consent.csv:4: implied consent needs the day on which it expires" in found.output
    shown = cairn("consent", "show", "2").output
    assert "email: unsubscribed since" in shown
    assert "email:news: subscribed since 2026-01-05, until 2126-07-05" in shown
    assert "import · consent" in shown
    history = cairn("consent", "export", "--history").output
    assert history.count("sms@1") == 1
    assert len(history.splitlines()) == 6
    again = cairn("consent", "import", tmp_path / "consent.csv").output
    assert "7 rows: 0 recorded, 3 known already, 4 refused.\n0 contacts stand differently now." in again
    assert cairn("consent", "export", "--history").output == history
    (tmp_path / "states.csv").write_text(cairn("consent", "export").output)
    assert cairn("consent", "import", tmp_path / "states.csv").exit_code == 0
    assert cairn("consent", "export").output == (tmp_path / "states.csv").read_text()
    (tmp_path / "bad.csv").write_text("email,what\n")
    assert cairn("consent", "import", tmp_path / "bad.csv").exit_code == 1


def test_consent_is_read_from_files_as_spreadsheets_save_them(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("external_id;email\ns1;s1@x.example\ns2;s2@x.example\n")
    cairn("contacts", "import", tmp_path / "c.csv")
    source = (
        "Email;Channel;Action;Wording;Topic\r\ns1@x.example;email;unsubscribed;Für alle;\r\n\r\ns2@x.example;email\r\n"
    )
    source += "s2@x.example;email;unsubscribed;;nothing\r\n"
    source += "s2@x.example;email;subscribed;;\r\ns2@x.example;email;unsubscribed;;\r\n"
    for encoding, recorded in (("cp1252", 2), ("utf-8-sig", 0), ("utf-16", 0)):
        (tmp_path / "u.csv").write_bytes(source.encode(encoding))
        found = cairn("consent", "import", tmp_path / "u.csv")
        assert found.exit_code == 5
        assert f"5 rows: {recorded} recorded, {3 - recorded} known already, 2 refused." in found.output
    assert "u.csv:4: has 2 cells where the header has 5" in found.output
    assert "u.csv:5: there is no topic “nothing”" in found.output
    assert cairn("consent", "show", "s1").output.count("unsubscribed") == 2
    assert cairn("consent", "show", "s2").output.count("unsubscribed") == 2


def test_a_form_is_made_embedded_and_taken_off(cairn: Cairn) -> None:
    cairn("topics", "set", "club", "--name", "Club")
    made = cairn(
        "forms", "set", "join", "--title", "Join us", "--field", "first_name=First name*", "--topic", "club",
        "--origin", "https://shop.example", "--single-opt-in",
    )  # fmt: skip
    assert made.output.endswith("/f/join\n")
    assert "join\tJoin us\t" in cairn("forms", "list").output
    assert "single opt-in" in cairn("forms", "list").output
    html = cairn("forms", "embed", "join").output
    assert '/f/join"' in html
    assert 'name="first_name" required' in html
    cairn("forms", "set", "join", "--thanks", "Welcome.")
    assert 'name="first_name" required' in cairn("forms", "embed", "join").output
    cairn("forms", "archive", "join")
    assert cairn("forms", "embed", "join").exit_code == 4
    assert cairn("forms", "archive", "join", "--undo").exit_code == 0
    assert cairn("forms", "embed", "join").exit_code == 0
    assert cairn("forms", "set", "join", "--field", "email=Again").exit_code == 1
    assert cairn("forms", "set", "join", "--channel", "sms").exit_code == 0
    assert "single opt-in, texts" in cairn("forms", "list").output
    html = cairn("forms", "embed", "join").output
    assert 'type="tel" name="phone"' in html and 'name="email"' not in html


def test_countries_without_tracking_are_set(cairn: Cairn) -> None:
    assert cairn("workspace", "set", "untracked_countries", "de, FR").exit_code == 0
    assert "untracked_countries\tDE,FR\n" in cairn("workspace", "show").output
    assert cairn("workspace", "set", "untracked_countries", "Germany").exit_code == 1
    assert cairn("workspace", "set", "untracked_countries", "").exit_code == 0
    assert "untracked_countries\t\n" in cairn("workspace", "show").output


def test_topics_without_limits_are_set_by_their_names(cairn: Cairn) -> None:
    assert cairn("topics", "set", "receipts", "--name", "Receipts").exit_code == 0
    assert cairn("workspace", "set", "unlimited_topics", "receipts").exit_code == 0
    assert "unlimited_topics\treceipts\n" in cairn("workspace", "show").output
    assert cairn("workspace", "set", "unlimited_topics", "reciepts").exit_code == 4


def test_reasons_for_leaving_are_printed(cairn: Cairn) -> None:
    assert cairn("consent", "reasons", "--days", "7").output == "Nobody has said why in the last 7 days.\n"
