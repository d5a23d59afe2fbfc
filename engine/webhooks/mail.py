"""Notes to colleagues by mail: at most once each. What may or may not have arrived is `unknown` and not sent again."""

from __future__ import annotations

import datetime as dt
import smtplib
import time
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.channels.addresses import addresses
from engine.channels.allowed import Allowed
from engine.channels.mail_api import is_account
from engine.channels.provider import Result as ProviderResult
from engine.channels.smtp.server import Server
from engine.db import Database
from engine.errors import CairnError
from engine.rendering.headers import split_address
from engine.webhooks.deliver import context
from engine.webhooks.note import render
from engine.webhooks.outcome import PATIENCE, delay
from engine.workspace import Workspace

SECONDS, WHOLE_SECONDS = 20, 15
LEASE = dt.timedelta(minutes=10)
BATCH = 20
LONGEST_SUBJECT = 120
# Who died over a note left it `sending`: nobody knows whether it arrived.
LOST = text("""
update deliveries set state = 'unknown', error = 'the sender ended before the reply', ended_at = :now
where endpoint = '' and state = 'sending' and next_at <= :now
""")
CLAIM = text("""
update deliveries set state = 'sending', attempts = attempts + 1, next_at = :lease
where id = any(array(
    select id from deliveries where endpoint = '' and state = 'pending' and next_at <= :now
    order by next_at, id limit :limit for update skip locked))
returning id, token, address, payload, template, attempts, created_at
""")
WRITE = text("""
update deliveries set state = :state, error = :error, next_at = coalesce(:next_at, next_at),
    ended_at = case when :state = 'pending' then null else cast(:now as timestamptz) end
where id = :id and attempts = :attempts and state = 'sending'
""")


Post = Callable[[str, bytes], ProviderResult]


class Result(NamedTuple):
    """`again`: it certainly did not arrive and may be sent once more."""

    state: Literal["delivered", "again", "failed", "unknown"]
    error: str = ""


NOT_ALLOWED = Result("failed", "not_allowed: CAIRN_ALLOWED_RECIPIENTS does not name this address")
OUTCOMES: dict[str, Literal["delivered", "again", "failed", "unknown"]] = {
    "accepted": "delivered",
    "retry": "again",
    "not_tried": "again",
    "failed": "failed",
    "unknown": "unknown",
}


def send_notes(
    database: Database, clock: Callable[[Session], dt.datetime], smtp_url: str, allowed: Allowed | None = None
) -> int:
    """Send what is due; how many were tried. What goes to others than `allowed` fails."""
    with database.transaction() as session:
        now = clock(session)
        session.execute(LOST, {"now": now})
        rows = session.execute(CLAIM, {"now": now, "lease": now + LEASE, "limit": BATCH}).all()
        known = workspace.load(session)
        if not rows:
            return 0
        hand_over = _ways_out(smtp_url)  # what it raises takes the claim back
    barred = [row for row in rows if allowed is not None and not allowed.lets(row.address)]
    going = [row for row in rows if row not in barred]
    results = [*(hand_over(going, known, now) if going else ()), *[NOT_ALLOWED] * len(barred)]
    with database.transaction() as session:
        now = clock(session)
        pairs = zip([*going, *barred], results, strict=True)
        session.execute(WRITE, [_change(row, result, now) for row, result in pairs])
    return len(rows)


HandOver = Callable[[Any, Workspace, dt.datetime], list[Result]]


def _ways_out(setting: str) -> HandOver:
    """The relays of the setting in turn: what certainly did not arrive by one goes by the next."""
    ways = [_way_out(url) for url in addresses(setting)]

    def hand_over(rows: Any, known: Workspace, now: dt.datetime) -> list[Result]:
        results = ways[0](rows, known, now)
        for way in ways[1:]:
            left = [place for place, result in enumerate(results) if result.state == "again"]
            again = way([rows[place] for place in left], known, now) if left else []
            for place, result in zip(left, again, strict=True):
                results[place] = result
        return results

    return hand_over


def _way_out(url: str) -> HandOver:
    """Over SMTP, or through the vendor's interface that messages take."""
    if not is_account(url):
        return partial(_send_all, Server.parse(url))
    from engine.channels.mail_api.account import once  # loaded only where it is used

    return partial(_post_all, once(url))


def hand_over_one(setting: str) -> Callable[[str, str, bytes], str]:
    """Sends one finished mail (return path, recipient, bytes) that is not in the ledger; gives the error or "".

    The relays of the setting are tried in turn. Raises ConfigurationError for an address that is none.
    """
    ways = [_one_way_out(url) for url in addresses(setting)]

    def hand_over(sender: str, recipient: str, data: bytes) -> str:
        said = Result("again", "no relay is named")
        for way in ways:
            said = way(sender, recipient, data)
            if said.state != "again":
                break
        return "" if said.state == "delivered" else said.error or said.state

    return hand_over


def _one_way_out(url: str) -> Callable[[str, str, bytes], Result]:
    if not is_account(url):
        return partial(_post_one, Server.parse(url))
    from engine.channels.mail_api.account import once  # loaded only where it is used

    return partial(_post, once(url))


def _post_one(server: Server, sender: str, recipient: str, data: bytes) -> Result:
    try:
        smtp = _connect(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Result("again", f"{server}: {error}")
    try:
        return _hand_over(smtp, sender, recipient, data)
    finally:
        smtp.close()


def _post_all(post: Post, rows: Any, known: Workspace, now: dt.datetime) -> list[Result]:
    return [_composed(row, known, now, partial(_post, post)) for row in rows]


def _post(post: Post, _: str, recipient: str, data: bytes) -> Result:
    said = post(recipient, data)
    return Result(OUTCOMES[said.outcome], said.reply)


def _composed(row: Any, known: Workspace, now: dt.datetime, hand_over: Callable[[str, str, bytes], Result]) -> Result:
    """Make a note and hand it over. One of which no mail can be made fails, and the others' results are written."""
    try:
        sender, recipient = _in_ascii(known.sender_address), _in_ascii(row.address)
        data = _compose(row, known, sender, recipient, now).as_bytes(policy=SMTP)
    except Exception as error:  # whatever is wrong with it
        return Result("failed", _told(error))
    return hand_over(sender, recipient, data)


def _change(row: Any, result: Result, now: dt.datetime) -> dict[str, Any]:
    known = {"id": row.id, "attempts": row.attempts, "now": now, "error": result.error.replace("\0", "")[:300] or None}
    if result.state != "again":
        return known | {"state": result.state, "next_at": None}
    if now - row.created_at >= PATIENCE:
        return known | {"state": "failed", "next_at": None}
    return known | {"state": "pending", "next_at": now + delay(row.attempts, 1.0)}


def _send_all(server: Server, rows: Any, known: Workspace, now: dt.datetime) -> list[Result]:
    """One connection for all. When it breaks or is slow, those that were not begun may be sent again."""
    try:
        smtp = _connect(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return [Result("again", f"{server}: {error}")] * len(rows)
    until = time.monotonic() + WHOLE_SECONDS
    try:
        return [
            _composed(row, known, now, partial(_hand_over, smtp))
            if time.monotonic() <= until
            else Result("again", f"{server} is slow")
            for row in rows
        ]
    finally:
        smtp.close()


def _told(error: Exception) -> str:
    return (
        str(error) if isinstance(error, CairnError) else f"no mail can be made of it: {type(error).__name__}: {error}"
    )


def _connect(server: Server) -> smtplib.SMTP:
    if server.tls == "implicit":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=server.context())
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    smtp.ehlo()
    if server.tls == "required" or (server.tls == "auto" and smtp.has_extn("starttls")):
        smtp.starttls(context=server.context())
        smtp.ehlo()
    if server.user:
        smtp.login(server.user, server.password)
    return smtp


def _hand_over(smtp: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> Result:
    """Before DATA nothing can have arrived; once it began, only a reply tells."""
    try:
        smtp.rset()
        for code, reply in (smtp.mail(sender), smtp.rcpt(recipient)):
            if code >= 400:
                return Result("again" if code < 500 else "failed", f"{code} {reply.decode(errors='replace')}")
    except (OSError, smtplib.SMTPException) as error:
        return Result("again", f"{type(error).__name__}: {error}")
    except ValueError as error:  # an address beyond ASCII, which no command can carry
        return Result("failed", f"{type(error).__name__}: {error}")
    try:
        code, reply = smtp.data(data)
    except smtplib.SMTPDataError as error:
        code, reply = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b""
    except (OSError, smtplib.SMTPException) as error:
        return Result("unknown", f"{type(error).__name__}: {error}")
    if code >= 400:
        return Result("again" if code < 500 else "failed", f"{code} {reply.decode(errors='replace')}")
    return Result("delivered")


def _in_ascii(address: str) -> str:
    """The address with its domain as servers know it (IDNA 2008). Raises RenderError where it is none."""
    return "@".join(split_address(address))


def _compose(row: Any, known: Workspace, sender: str, recipient: str, now: dt.datetime) -> EmailMessage:
    """A plain text mail. The subject is the first line, without what a header could mistake for an encoded word."""
    body = row.payload["note"] if "note" in row.payload else _of_step(row, known)
    first = " ".join("".join(c if c.isprintable() else " " for c in body.splitlines()[0]).replace("=?", "= ?").split())
    note = EmailMessage()
    note["Subject"] = first[:LONGEST_SUBJECT]
    note["From"] = Address(known.sender_name, addr_spec=sender)
    note["To"] = Address(addr_spec=recipient)
    note["Date"] = now
    note["Message-ID"] = f"<{row.token}@{sender.rpartition('@')[2] or 'localhost'}>"
    note["Auto-Submitted"] = "auto-generated"
    note.set_content(body + "\n")
    return note


def _of_step(row: Any, known: Workspace) -> str:
    names = context(row.payload, known.name)
    written = render(row.template, names) if row.template else ""
    return written or f"{_who(names)} has reached the step “{names['step']}” of the journey “{names['journey']}”."


def _who(names: dict[str, Any]) -> str:
    contact = names["contact"]
    return str(contact.get("email") or contact.get("external_id") or contact.get("phone") or contact["id"])
