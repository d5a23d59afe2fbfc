"""Sending in this process: one sender with its journal, opened at first use."""

from __future__ import annotations

import functools

from engine.channels import allowed
from engine.channels.dkim import configured
from engine.db import Database
from engine.errors import ConfigurationError
from engine.messages.sending import Sender
from engine.receipts.verp import return_path
from engine.settings import settings
from engine.signing import signer
from journeys.gate import exit_check
from workers.stopping import stop_requested


def send(database: Database, seconds: float = 10.0) -> int:
    """Send what is queued on every channel. Returns how many messages left the queue."""
    return sender().send(database, seconds=seconds, exit_check=exit_check)


def reap(database: Database) -> int:
    """Settle the messages of senders that died. Returns how many."""
    return sender().reap(database).total()


@functools.cache
def sender() -> Sender:
    """The sender of this process. Raises ConfigurationError when no SMTP server is named."""
    own = settings()
    if not own.smtp_url:
        raise ConfigurationError(
            "No mail server is set: start the local mailbox with `cairn up`, or set CAIRN_SMTP_URL."
        )
    return Sender(
        own.home,
        own.smtp_url,
        site=own.site_url,
        signer=signer(),
        connections=own.smtp_connections,
        stopping=stop_requested,
        dkim=configured(own.dkim_domain, own.dkim_keys),
        bounces=return_path(own.bounce_domain),
        sms_url=own.sms_url,
        allowed=allowed.parse(own.allowed_recipients),
    )


def close() -> None:
    """End the connections; the next `send` opens them anew, by the settings as they are then."""
    if sender.cache_info().currsize:
        sender().close()
        sender.cache_clear()
