"""Webhooks and notes of this process: by its settings, with the clock that every process shares."""

from __future__ import annotations

from engine import clock
from engine.channels.allowed import parse
from engine.db import Database
from engine.settings import settings
from engine.signing import signer
from engine.webhooks.address import networks
from engine.webhooks.deliver import Courier
from engine.webhooks.mail import send_notes

SECONDS = 10.0


def deliver(database: Database, seconds: float = SECONDS) -> int:
    """Deliver what is due. Returns how many deliveries were tried."""
    own = settings()
    courier = Courier(database, clock.now, signer().sealing_keys, networks(own.webhook_networks))
    try:
        notes = send_notes(database, clock.now, own.smtp_url, parse(own.allowed_recipients)) if own.smtp_url else 0
    finally:  # a mail server that is set up wrongly is no reason to call nobody
        calls = courier.deliver(seconds)
    return notes + calls
