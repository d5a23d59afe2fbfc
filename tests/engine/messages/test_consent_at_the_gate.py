"""What the gate reads of consent, and what messages carry of tracking, on mail that a server took."""

from __future__ import annotations

import datetime as dt
import quopri
import re
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from engine import workspace
from engine.db import Database
from engine.messages.sending import Sender
from engine.model import ConsentPause, ConsentState, Suppression
from tests.engine.channels.servers import scripted
from tests.engine.messages.ledger import fill, now, sender, signer, states

DAY = dt.timedelta(days=1)


def send(database: Database, home: Path) -> dict[str, str]:
    """Send what is queued; mails by recipient, decoded."""
    with scripted() as server:
        made: Sender = sender(home, server.url)
        made.send(database)
        made.close()
    bodies = [quopri.decodestring(mail).decode() for mail in server.messages]
    return {found[1]: body for body in bodies if (found := re.search(r"^To: .*?(user\d+)@", body, re.M))}


def test_pending_expired_and_resting_contacts_get_nothing(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        ids = fill(session, 6)
        row = {"channel": "email", "topic": "", "state": "subscribed", "changed_at": now - DAY, "expires_at": None}
        kinds = [{"state": "pending"}, {"expires_at": now}, {"expires_at": now + DAY}]
        session.execute(
            insert(ConsentState), [row | {"contact_id": id_} | kind for id_, kind in zip(ids, kinds, strict=False)]
        )
        pauses = [(ids[3], "email", now + DAY), (ids[4], "email", now), (ids[5], "sms", now + DAY)]
        session.execute(
            insert(ConsentPause), [dict(zip(("contact_id", "channel", "until"), each, strict=True)) for each in pauses]
        )
    assert set(send(database, tmp_path)) == {"user2", "user4", "user5"}
    assert states(database) == {"accepted": 3, "suppressed:no_consent": 2, "suppressed:snoozed": 1}


def test_a_transactional_message_needs_no_consent_but_an_address_that_works(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        ids = fill(session, 4, transactional=True)
        refused = {"channel": "email", "topic": "", "state": "unsubscribed", "changed_at": now}
        session.execute(insert(ConsentState), [refused | {"contact_id": id_} for id_ in ids])
        for number, reason in ((1, "unsubscribed"), (2, "hard_bounce"), (3, "complaint")):
            hmac = signer.address_hmac("email", f"user{number}@example.com")
            session.execute(insert(Suppression), {"address_hmac": hmac, "channel": "email", "reason": reason})
    assert set(send(database, tmp_path)) == {"user0", "user1"}


@pytest.mark.parametrize(("countries", "followed"), [((), "024"), (("DE",), "02"), (("*",), "0")])
def test_who_does_not_agree_gets_neither_pixel_nor_rewritten_links(
    database: Database, tmp_path: Path, countries: tuple[str, ...], followed: str
) -> None:
    """user0 agreed, user1 refused, user2 lives in France, user3 refused in France, user4 lives in Germany."""
    with database.transaction() as session:
        ids = fill(session, 5)
        workspace.save(session, untracked_countries=list(countries))
        for number, country in ((0, "de"), (2, "FR"), (3, "FR"), (4, " de ")):
            session.execute(
                text("update contacts set attributes = attributes || jsonb_build_object('country', cast(:c as text)) "
                     "where id = :id"),
                {"c": country, "id": ids[number]},
            )  # fmt: skip
        said = [(0, "subscribed"), (1, "unsubscribed"), (3, "unsubscribed")]
        row = {"channel": "tracking", "topic": "", "changed_at": now}
        session.execute(insert(ConsentState), [row | {"contact_id": ids[n], "state": state} for n, state in said])
    mails = send(database, tmp_path)
    assert len(mails) == 5
    for name, body in mails.items():
        tracked = name[-1] in followed
        assert ("/o/" in body) is tracked, name
        assert ("/c/" in body) is tracked, name
        assert ('href="https://shop.example/"' in body) is not tracked, name
        assert "https://cairn.example/u/" in body
        assert "https://cairn.example/p/" in body
