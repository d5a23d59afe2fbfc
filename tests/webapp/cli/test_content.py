"""`cairn content preview` and `cairn content test`."""

from __future__ import annotations

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
