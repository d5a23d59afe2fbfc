"""Mail that comes back: from the bytes to the message that it speaks of."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import ConfigurationError
from engine.receipts.mail import Arrived, process, put
from engine.receipts.settle import settle
from engine.receipts.verp import named, return_path
from engine.signing import Signer
from engine.urls import MessageUrls, origin_us
from tests.engine.receipts.mails import dsn, reply
from tests.engine.receipts.test_settle import names, sent, state, suppressions
from tests.engine.tracking.seeds import Seed

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SIGNER = Signer(b"tests")
PATH = return_path("bounces.shop.example")


def bounce_address(seed: Seed, signer: Signer = SIGNER) -> str:
    assert PATH is not None
    return PATH.of(signer, seed.id, origin_us(seed.origin_at))


def comes(session: Session, *raws: bytes, recipients: tuple[str, ...] = ()) -> None:
    """Mails arrive, are read, and take effect."""
    put(session, "lmtp", [Arrived(raw, recipients) for raw in raws], NOW)
    process(session, NOW, SIGNER)
    settle(session, NOW, SIGNER)


def stored(session: Session) -> list[tuple[str, int | None]]:
    return [tuple(row) for row in session.execute(text("select kind, message_id from receipts order by id")).all()]


def address_of(session: Session, seed: Seed) -> str:
    return str(session.execute(text("select recipient from messages where id = :id"), {"id": seed.id}).scalar_one())


def test_a_return_path_is_short_lower_case_and_names_its_message() -> None:
    for setting in ("bounces.shop.example", "Bounces@shop.example"):
        path = return_path(setting)
        assert path is not None
        made = path.of(SIGNER, 2**62, -5)
        local = made.partition("@")[0]
        assert len(local) <= 64
        assert made == made.lower()
        assert re.fullmatch(r"[a-z0-9+-]+", local)
        assert named([f"<{made.upper()}>"], SIGNER).keys[0][0] == 2**62
        assert named([made], Signer(b"other")) == named([made.replace(local[-1:], "a", 1)], Signer(b"other"))


@pytest.mark.parametrize("setting", ["nodots", "a b@shop.example", "x" * 30 + "@shop.example", "@shop.example", "-@"])
def test_a_setting_that_makes_no_return_path_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="CAIRN_BOUNCE_DOMAIN"):
        return_path(setting)


@pytest.mark.parametrize("way", ["envelope", "to"])
def test_a_bounce_to_the_return_path_is_that_messages(session: Session, way: str) -> None:
    seed, other = sent(session), sent(session)
    to = bounce_address(seed)
    in_header = to if way == "to" else "postmaster@shop.example"
    comes(session, dsn(in_header, "else@example.net"), recipients=(to,) if way == "envelope" else ())
    assert state(session, seed) == ("bounced", "hard_bounce")
    assert state(session, other)[0] == "accepted"


def test_a_forged_return_path_changes_nothing_and_is_kept_for_the_operator(session: Session) -> None:
    seed = sent(session)
    forged = bounce_address(seed, Signer(b"somebody else"))
    comes(session, dsn(forged, address_of(session, seed)), recipients=(forged,))
    assert state(session, seed)[0] == "accepted"
    assert suppressions(session) == []
    assert stored(session) == [("hard", None)]


def test_without_a_return_path_the_headers_of_the_original_tell_the_message(session: Session) -> None:
    by_link, by_id, last = sent(session), sent(session), sent(session)
    link = MessageUrls("https://shop.example", SIGNER, by_link.id, by_link.origin_at).unsubscribe()
    comes(
        session,
        dsn(
            "hello@cairn.example", "x@example.net", original=f"Message-ID: <x@x>\nList-Unsubscribe: <{link}>\n", id_="1"
        ),
        dsn(
            "hello@cairn.example",
            address_of(session, by_id),
            original=f"Subject: Hi\nMessage-ID: <{by_id.token}@x>\n",
            id_="2",
        ),
        dsn("hello@cairn.example", "y@example.net", original=f"Subject: Hi\nMessage-ID: <{last.token}@x>\n", id_="3"),
    )
    assert [state(session, seed)[0] for seed in (by_link, by_id, last)] == ["bounced", "bounced", "accepted"]


def test_else_it_is_the_latest_message_to_the_address_of_the_last_week(session: Session) -> None:
    seed, old = sent(session), sent(session)
    session.execute(text("update messages set accepted_at = accepted_at - interval '8 days' where id = :id"),
                    {"id": old.id})  # fmt: skip
    comes(session, *(dsn("hello@cairn.example", address_of(session, each), id_=each.token) for each in (seed, old)))
    assert [state(session, each)[0] for each in (seed, old)] == ["bounced", "accepted"]


def test_a_mail_that_comes_by_two_doors_is_one_receipt(session: Session) -> None:
    seed = sent(session)
    raw = dsn(bounce_address(seed))
    comes(session, raw, b"Received: from elsewhere\r\nDelivered-To: bounces@shop.example\r\n" + raw)
    comes(session, raw.replace(b"\r\n", b"\n"))
    assert stored(session) == [("hard", seed.id)]


def test_a_persons_answer_becomes_an_event_and_a_machines_does_not(session: Session) -> None:
    answered, away, stranger = sent(session), sent(session), sent(session)
    comes(
        session,
        reply(address_of(session, answered), answered.token),
        reply(address_of(session, away), away.token, "Auto-Submitted: auto-replied"),
        reply("stranger@example.net", stranger.token),
    )
    assert [names(session, seed) for seed in (answered, away, stranger)] == [["Email Replied"], [], []]
    assert state(session, answered)[0] == "accepted"
    assert session.execute(text("select count(*) from receipt_mails")).scalar_one() == 0


def test_an_answer_to_the_address_with_a_token_counts_from_whatever_address_it_comes(session: Session) -> None:
    answered, away, forged = sent(session), sent(session), sent(session)

    def to(seed: Seed, more: str = "", *, spoilt: bool = False) -> bytes:
        name = SIGNER.reply(seed.id, origin_us(seed.origin_at))
        name = ("b" if name[0] == "a" else "a") + name[1:] if spoilt else name
        head = f"From: Ann Elsewhere <ann@private.example>\nTo: reply+{name}@shop.example\nSubject: About your mail\n"
        return (head + more + "\nPlease call me.\n").replace("\n", "\r\n").encode()

    comes(session, to(answered), to(away, "Auto-Submitted: auto-replied\n"), to(forged, spoilt=True))
    assert [names(session, seed) for seed in (answered, away, forged)] == [["Email Replied"], [], []]
    assert state(session, answered)[0] == "accepted"
