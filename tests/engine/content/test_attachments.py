"""Files that go along with a content."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import engine.channels.dkim as signing
from engine.channels.mail_api.parts import parts_of
from engine.channels.smtp.envelope import prepare
from engine.content import attachments, store
from engine.db import Database
from engine.errors import LanguageError
from engine.model.content import ContentVersion
from engine.rendering.email import Renderer
from engine.settings import settings
from tests.engine.content.samples import content, envelope, mjml, noon
from webapp.cli import main

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 9
FILES = {"terms.pdf": PDF, "Größe  2.txt": b"..\r\n.\r\nthe end", "mail.eml": b"Subject: x\r\n\r\n", "empty.bin": b""}
ONE = content(mjml("Hi {{ n }}"), "subject: Hello\nattachments: [terms.pdf, Größe  2.txt, mail.eml, empty.bin]")


@pytest.fixture
def commands(database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands work on the database of the test."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr("engine.settings.Settings.workspace_schema", database.workspace)
    settings.cache_clear()
    yield
    settings.cache_clear()


def mail_of(session: Session, version: ContentVersion) -> bytes:
    renderer = store.load_renderer(session, version.id)
    assert isinstance(renderer, Renderer)
    return renderer.render({"n": "Ann"}, envelope()).data


def test_the_files_arrive_whole_beside_both_bodies_and_the_mail_is_signed_as_any(session: Session) -> None:
    data = mail_of(session, store.save(session, ONE, "hello", "email", noon, read=FILES.__getitem__))
    mail = email.message_from_bytes(data, policy=policy.default)
    assert not mail.defects and mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in mail.iter_parts()] == [
        "multipart/alternative",
        "application/pdf",
        "text/plain",
        *["application/octet-stream"] * 2,
    ]
    found = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
    assert found == FILES
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and rich is not None
    assert "Hi Ann" in plain.get_content() and "Hi Ann" in rich.get_content()
    assert data.count(b"MIME-Version") == 1 and prepare(data) == data and max(map(len, data.split(b"\r\n"))) < 200
    dkim = pytest.importorskip("dkim")
    key = signing.Key("s", signing.generate_private_key(65537, 2048))
    signed = signing.Dkim("example.com", [key, signing.Key("e", Ed25519PrivateKey.generate())]).sign(data)
    assert dkim.DKIM(signed).verify(idx=0, dnsfunc=lambda name, timeout=5: key.record().encode())


def test_vendors_that_take_no_mime_get_the_files(session: Session) -> None:
    mail = parts_of(mail_of(session, store.save(session, ONE, "hello", "email", noon, read=FILES.__getitem__)))
    assert [file.name for file in mail.files] == list(FILES)
    assert "Hi Ann" in mail.text and "Hi Ann" in mail.html
    assert json.dumps(mail.files[0].content).count("\\n") == 0


def test_a_changed_file_makes_a_version_and_a_change_of_the_text_keeps_the_files(session: Session) -> None:
    text = content(mjml("Hi"), "subject: Hello\nattachments: [a.txt]")
    first = store.save(session, text, "hello", "email", noon, read=lambda _: b"one")
    assert store.save(session, text, "hello", "email", noon, read=lambda _: b"one").id == first.id
    second = store.save(session, text, "hello", "email", noon, read=lambda _: b"two")
    third = store.save(session, text.replace("Hi", "Hello"), "hello", "email", noon)
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert attachments.kept(third.compiled) == attachments.kept(second.compiled) != {}


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("[../secret]", "no name of a file"),
        ("['..']", "no name of a file"),
        ("terms.pdf", "list of different files"),
        ("[a.txt, a.txt]", "list of different files"),
        ("[run.EXE]", "mailboxes refuse"),
        ("[a.txt]", "is not here"),
    ],
)
def test_what_cannot_go_along_is_refused(session: Session, front: str, words: str) -> None:
    with pytest.raises(LanguageError, match=words):
        store.save(session, content(mjml("Hi"), f"subject: Hello\nattachments: {front}"), "hello", "email", noon)


def test_too_large_files_are_refused_and_nothing_is_saved(session: Session) -> None:
    with pytest.raises(LanguageError, match="more than 5 MB"):
        store.save(session, ONE, "hello", "email", noon, read=lambda _: bytes(1_500_000))
    assert session.scalar(select(func.count()).select_from(ContentVersion)) == 0


def test_publishing_takes_the_files_from_the_folder_of_the_content(
    commands: None, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "hello.mjml"
    file.write_text(content(mjml("Hi"), "subject: Hello\nattachments: [terms.pdf]"))
    missing = CliRunner().invoke(main, ["content", "publish", str(file)])
    assert missing.exit_code != 0 and "terms.pdf cannot be read" in str(missing.output) + str(missing.exception)
    (tmp_path / "terms.pdf").write_bytes(PDF)
    assert CliRunner().invoke(main, ["content", "publish", str(file)]).output.startswith("hello version 1 (email)")
    assert b"JVBERi0xLjc" in mail_of(session, session.scalars(select(ContentVersion)).one())
