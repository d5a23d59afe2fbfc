"""Each contact gets the variant in their language, in a batch that speaks several, and sees it again in the browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from sqlalchemy import insert, select

from engine.content import store
from engine.db import Database
from engine.messages import view
from engine.model import Contact, ContentVersion, Message
from tests.engine.channels.servers import scripted
from tests.engine.content.samples import content, mjml
from tests.engine.messages.ledger import now, queue, sender, signer

english = content(mjml('Hi <a href="https://shop.example/en">shop</a>'), "language: en\nsubject: Hello")
german = content(mjml('Hallo <a href="https://shop.example/de">Laden</a>'), "subject: Guten Tag")


def test_every_contact_of_a_batch_gets_their_language(database: Database, tmp_path: Path) -> None:
    people = [("ann", {}), ("bea", {"language": "de-AT"}), ("cem", {"language": "fr"}), ("dan", {"language": "de"})]
    with database.transaction() as session:
        version = store.save(session, english, "hello", "email", now, others={"de": german})
        rows = [{"email": f"{name}@example.com", "attributes": own} for name, own in people]
        queue(session, list(session.scalars(insert(Contact).returning(Contact.id), rows)), version.content_id)
    with scripted() as server:
        own = sender(tmp_path, server.url)
        assert own.send(database) == 4
        own.close()
    found = {mail.split(b"To: <")[1].split(b"@")[0].decode(): mail for mail in server.messages}
    assert {name: b"Content-Language: de\r\n" in mail for name, mail in found.items()} == {
        "ann": False, "bea": True, "cem": False, "dan": True,
    }  # fmt: skip
    assert b"Subject: Guten Tag\r\n" in found["bea"] and b"Abmelden" in found["bea"]
    assert b"Subject: Hello\r\n" in found["cem"] and b"Unsubscribe" in found["cem"]
    with database.transaction() as session:
        sent = select(Message.recipient, ContentVersion.language).join(
            ContentVersion, ContentVersion.id == Message.content_version_id
        )
        assert {name.split("@")[0]: language for name, language in session.execute(sent)} == {
            "ann": "en", "bea": "de", "cem": "en", "dan": "de",
        }  # fmt: skip


def test_the_browser_shows_the_language_that_was_sent_whatever_the_contact_speaks_now(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        version = store.save(session, english, "hello", "email", now, others={"de": german})
        who = Contact(email="ann@example.com", attributes={"language": "de"})
        session.add(who)
        session.flush()
        queue(session, [who.id], version.content_id)
    with scripted() as server:
        own = sender(tmp_path, server.url)
        assert own.send(database) == 1
        own.close()
    with database.transaction() as session:
        session.scalars(select(Contact)).one().attributes = {"language": "en"}
        session.flush()
        message = session.scalars(select(Message)).one()
        page = view.page(session, (message.id, message.origin_at.astimezone(dt.UTC)), signer, "https://shop.example")
    assert page is not None and "Hallo" in page and '<html lang="de"' in page
