"""The SMPP session that receives: receipts and people's texts, each stored before it is acknowledged."""

from __future__ import annotations

import datetime as dt
import select
import signal
import threading
import time
from typing import Any

import smpplib.client
import smpplib.consts as codes
import smpplib.exceptions
import smpplib.smpp
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.channels.sms import deliver, references, smpp
from engine.channels.sms.gateway import Gateway, parse
from engine.contacts.normal import dialled
from engine.db import Database
from engine.errors import ProviderError
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.settings import Settings
from engine.signing import signer
from engine.texts.incoming import Incoming, take
from engine.texts.joining import Part, take_part

log = structlog.get_logger(__name__)

SILENCE = 20.0
TICK = 0.5
LONGEST_DELAY = 30.0
OTHERS = text("""
select coalesce(max(id), 0) from incoming_texts
where sender = :sender and received_at > :since and gateway = :gateway and reference not like :same""")
COME_AGAIN, REFUSED = 0x64, 0x66  # ESME_RX_T_APPN, ESME_RX_R_APPN: SMPP 3.4, section 5.1.3


def run(settings: Settings) -> None:
    """The process: bound to the gateway of CAIRN_SMS_URL, if it speaks SMPP, until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gateway = parse(settings.sms_url) if settings.sms_url else None
    if gateway is None or gateway.kind != "smpp" or settings.database_url is None:
        log.info("no SMPP gateway is named, so there is no session to keep")
        stop.wait()
        return
    database = Database(settings.database_url, workspace=settings.workspace_schema, pool_size=2)
    try:
        receive(gateway, database, stop)
    finally:
        database.close()


def receive(gateway: Gateway, database: Database, stop: threading.Event) -> None:
    """Stay bound and take what comes until `stop` is set. A gateway that goes away is called again."""
    delay = 1.0
    while not stop.is_set():
        try:
            client = smpp.connect(gateway, receives=True)
        except ProviderError as error:
            log.warning("no session for incoming texts", error=str(error), again_in=delay)
            stop.wait(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            continue
        delay = 1.0
        try:
            _serve(gateway, client, database, stop)
        except smpp.Broken as error:
            log.warning("the session for incoming texts ended", error=str(error))
        finally:
            smpp.drop(client)


def _serve(gateway: Gateway, client: smpplib.client.Client, database: Database, stop: threading.Event) -> None:
    """Answer every request; ask for a sign of life after silence. Raises Broken."""
    heard, asked = time.monotonic(), False
    while not stop.is_set():
        if _readable(client):
            _handle(smpp.read(client, gateway), gateway, client, database)
            heard, asked = time.monotonic(), False
        elif time.monotonic() - heard > SILENCE * 2:
            raise smpp.Broken(f"{gateway}: no sign of life")
        elif time.monotonic() - heard > SILENCE and not asked:
            smpp.send(client, smpplib.smpp.make_pdu("enquire_link", client=client))
            asked = True
    smpp.send(client, smpplib.smpp.make_pdu("unbind", client=client))


def _readable(client: smpplib.client.Client) -> bool:
    """TLS may hold bytes that the socket does not show any more. `select` would refuse descriptors above 1023."""
    held = client._socket
    if getattr(held, "pending", lambda: 0)():
        return True
    waiting = select.poll()
    waiting.register(held, select.POLLIN)
    return bool(waiting.poll(TICK * 1000))


def _handle(pdu: Any, gateway: Gateway, client: smpplib.client.Client, database: Database) -> None:
    if pdu.command == "enquire_link":
        smpp.answer(client, pdu)
    elif pdu.command == "unbind":
        smpp.answer(client, pdu)
        raise smpp.Broken(f"{gateway}: the gateway ended the session")
    elif pdu.command == "deliver_sm":
        status, said, sender = _deliver(pdu, gateway, database)
        smpp.answer(client, pdu, status)
        if said:
            smpp.submit(client, gateway.sender, sender, said, pdu.sequence, receipt=False)


def _deliver(pdu: Any, gateway: Gateway, database: Database) -> tuple[int, str, str]:
    """The status of the response, what to text back, and to whom. What cannot be read is refused and set down."""
    try:
        told = deliver.read(pdu)
        with database.transaction() as session:
            now = clock.now(session)
            if isinstance(told, deliver.Told):
                _note(session, gateway, told, now)
                return codes.SMPP_ESME_ROK, "", ""
            sender, recipient = dialled(told.sender), dialled(told.recipient)
            if told.piece:
                part = Part(sender, recipient, told.piece, told.data, told.coding)
                return codes.SMPP_ESME_ROK, take_part(session, str(gateway), part, now), sender
            reference = _reference(session, gateway, told.digest, sender, now)
            said = take(session, str(gateway), Incoming(reference, sender, recipient, told.body), now)
            return codes.SMPP_ESME_ROK, said, sender
    except SQLAlchemyError as error:
        log.warning("a text could not be stored", error=str(error.__cause__ or error)[:200])
        return COME_AGAIN, "", ""
    except Exception:
        log.exception("a delivery that cannot be read", sequence=pdu.sequence)
        return REFUSED, "", ""


def _reference(session: Session, gateway: Gateway, digest: str, sender: str, now: dt.datetime) -> str:
    """The same text in the same minute is a repeat, unless its sender wrote something else in between: a STOP after a
    START is meant."""
    values = {"gateway": str(gateway), "sender": sender, "same": f"{digest}-%", "since": now - dt.timedelta(minutes=2)}
    return f"{digest}-{now:%Y%m%d%H%M}-{session.execute(OTHERS, values).scalar_one()}"


def _note(session: Session, gateway: Gateway, told: deliver.Told, now: dt.datetime) -> None:
    """A receipt may overtake the commit that says which message it means: it is kept all the same, without one."""
    if told.kind is None:
        return
    message = references.find(session, str(gateway), [told.reference], now).get(told.reference)
    receipt = Receipt(
        provider=str(gateway),
        provider_id=references.receipt_id(told.reference, message, f"{told.kind}:{told.status}", now),
        kind=told.kind,
        channel="sms",
        message=message,
        status=told.status,
        reason=told.reason,
    )
    store(session, [receipt], now, signer())
