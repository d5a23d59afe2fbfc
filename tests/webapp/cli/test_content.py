"""`cairn content preview` and `cairn content test`."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from engine.settings import settings
from tests.engine.content.samples import content, mjml
from tests.smtp import recording_server
from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_a_content_is_previewed_for_a_contact_and_tried_out(
    cairn: Cairn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "letter.mjml"
    file.write_text(content(mjml('\n<img src="http://a.example/i.png">Hi {{ first_name }}'), "subject: Hello"))
    published = cairn("content", "publish", file)
    assert "letter version 1" in published.output and f"{file}:5: warning: The image" in published.output
    (tmp_path / "c.csv").write_text("external_id,email,first_name\n1,ada@x.example,Ada\n")
    cairn("contacts", "import", tmp_path / "c.csv")
    sample, known = (
        cairn("content", "preview", "letter"),
        cairn("content", "preview", "letter", "--as", "ada@x.example"),
    )
    assert "Hi Alex" in sample.output and "Subject: Hello\n" in known.output and "Hi Ada" in known.output
    assert "letter:5: warning: http://a.example/i.png is not encrypted." in known.output
    assert "<img" in cairn("content", "preview", "letter", "--html").output
    assert "\nList-Unsubscribe" in cairn("content", "preview", "letter", "--source").output
    assert cairn("content", "preview", "letter", "--as", "nobody").exit_code == 4
    assert cairn("content", "links", "letter").exit_code == 0
    with recording_server(keep=True) as server:
        monkeypatch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        sent = cairn("content", "test", "letter", "--to", "mara@x.example", "--as", "1")
    assert sent.output == "mara@x.example: sent\n"
    [(recipient, data)] = server.messages
    assert recipient == "mara@x.example" and b"Subject: [Test] Hello\r\n" in data and b"Ada" in data
    gone = cairn("content", "test", "letter", "--to", "mara@x.example")
    assert gone.exit_code == 1
    monkeypatch.delenv("CAIRN_SMTP_URL")
    settings.cache_clear()
    assert cairn("content", "test", "letter", "--to", "mara@x.example").exit_code == 3


def test_files_side_by_side_are_languages_of_one_content(
    cairn: Cairn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greet, german = tmp_path / "greet.mjml", tmp_path / "greet.de.mjml"
    greet.write_text(content(mjml("Hi"), "language: en\nsubject: Hello"))
    german.write_text(content(mjml("{{ n"), "subject: Guten Tag"))
    (tmp_path / "greet.pt-BR.mjml").write_text(content(mjml("Oi"), "subject: Olá"))
    assert f"{german}:4:" in cairn("content", "publish", greet).output
    german.write_text(content(mjml("Hallo {{ vorname }}"), "subject: Guten Tag"))
    published = cairn("content", "publish", greet, german)
    assert "greet version 1 (email: en, de, pt-BR)\n" in published.output
    assert f"{german}:1: warning: Only de has the variables vorname." in published.output
    assert "email  greet  de, en, pt-BR\n" in cairn("content", "list").output
    (tmp_path / "c.csv").write_text("external_id,email,language\n7,bea@x.example,pt-BR\n")
    cairn("contacts", "import", tmp_path / "c.csv")
    assert "Oi" in cairn("content", "preview", "greet", "--as", "7").output
    assert "Hallo" in cairn("content", "preview", "greet", "--as", "7", "--language", "de").output
    assert "Hi" in cairn("content", "preview", "greet").output
    assert cairn("content", "preview", "greet", "--language", "fr").exit_code == 4
    assert cairn("report", "languages", "greet").output == ""
    with recording_server(keep=True) as server:
        monkeypatch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        cairn("content", "test", "greet", "--to", "mara@x.example", "--language", "de")
    monkeypatch.delenv("CAIRN_SMTP_URL")
    settings.cache_clear()
    assert b"Content-Language: de\r\n" in server.messages[0][1]
    greet.unlink()
    alone = cairn("content", "publish", german)
    assert alone.exit_code == 1 and "is the de variant of a file that is not there" in alone.output


def test_a_snippet_is_published_and_its_contents_follow(cairn: Cairn, tmp_path: Path) -> None:
    bye, letter = tmp_path / "bye.txt", tmp_path / "parting.mjml"
    bye.write_text("---\nlanguage: en\n---\nSee you")
    (tmp_path / "bye.de.txt").write_text("Bis bald")
    letter.write_text(content(mjml('Hi, {% snippet "bye" %}')))
    assert "There is no snippet “bye”" in cairn("content", "publish", letter).output
    assert cairn("snippets", "publish", bye).output == "bye version 1\n"
    assert cairn("content", "publish", letter).exit_code == 0
    bye.write_text("---\nlanguage: en\n---\nSo long")
    would = "bye would be version 2\n    parting would become version 2\n"
    assert cairn("snippets", "publish", "--check", bye).output == would
    assert "Hi, See you" in cairn("content", "preview", "parting").output
    assert cairn("snippets", "publish", bye).output == "bye version 2\n    parting is now version 2\n"
    assert "Hi, So long" in cairn("content", "preview", "parting").output
    assert "text   bye  version 2, in 1 content  de\n" in cairn("snippets", "list").output
    shown = cairn("snippets", "show", "bye", "--language", "de")
    assert shown.stdout == "Bis bald\n" and "in parting, version 2\n" in shown.output
    assert cairn("snippets", "show", "bye", "--language", "fr").exit_code == 4
    bye.write_text("{{ x")
    assert f"{bye}:1:1: error: “{{{{” is never closed." in cairn("snippets", "publish", bye).output


def test_versions_are_listed_compared_and_brought_back(cairn: Cairn, tmp_path: Path) -> None:
    file = tmp_path / "offer.mjml"
    (tmp_path / "terms.txt").write_bytes(b"old terms")
    for number in range(1, 13):
        said = "\n".join(f"<p>line {each} {number if each == 6 else ''}</p>" for each in range(12))
        file.write_text(content(mjml(said), "subject: Offer\nattachments: [terms.txt]"))
        if number in (1, 12):
            cairn("content", "publish", file)
    (tmp_path / "terms.txt").write_bytes(b"new terms")
    cairn("content", "publish", file)
    told = cairn("content", "diff", "offer", "1", "2").output
    assert "- <p>line 6 1</p>\n+ <p>line 6 12</p>\n" in told and "line 3" not in told and "lines alike)" in told
    assert cairn("content", "restore", "offer", "1").output == "offer version 4 says what version 1 said\n"
    assert "line 6 1<" in cairn("content", "show", "offer").output
    assert "line 6 12" in cairn("content", "show", "offer", "--version", "3").output
    listed = cairn("content", "versions", "offer").output
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["4", "3", "2", "1"]
    raw = cairn("content", "preview", "offer", "--source").output
    assert b64encode(b"old terms").decode() in raw, "attachments come back too"
    assert cairn("content", "restore", "offer", "9").exit_code == 4
