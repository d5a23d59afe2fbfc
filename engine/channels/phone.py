"""The local phone: SMS that this installation sends to itself, shown on its own page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from concurrent.futures import Future

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine.channels.provider import Outgoing, RenderFailure, Result
from engine.model import LocalMessage, new_public_id


class LocalPhone:
    """Accepts every SMS that renders. Its rows are written with the results, so that both are there or neither is."""

    channel = "sms"
    gateway = "phone"  # its name in `incoming_texts`

    def __init__(self) -> None:
        self._texts: dict[int, tuple[Outgoing, bytes]] = {}

    def open(self) -> None:
        """The phone is always on."""

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Render and keep the texts until `record`."""
        done: Future[list[Result]] = Future()
        done.set_result([self._take(item) for item in items])
        return done

    def _take(self, item: Outgoing) -> Result:
        try:
            self._texts[item.id] = (item, item.render().data)
        except RenderFailure as error:
            return Result(item.id, "failed", text=str(error), stage="render")
        return Result(item.id, "accepted", text="local phone", stage="dot")

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """Write the accepted texts to `local_messages`."""
        rows = [self._row(*self._texts.pop(each), now) for each in accepted if each in self._texts]
        if rows:
            session.execute(insert(LocalMessage), rows)

    def _row(self, item: Outgoing, data: bytes, now: dt.datetime) -> dict[str, object]:
        return {
            "public_id": new_public_id(),
            "channel": "sms",
            "sender": item.sender,
            "recipient": item.recipient,
            "message_token": item.token or None,
            "raw": data,
            "received_at": now,
        }

    def close(self) -> None:
        """Nothing is open."""


def write(session: Session, sender: str, recipient: str, text: str, now: dt.datetime) -> None:
    """Put an answer on the phone that is no message of the ledger."""
    row = {"public_id": new_public_id(), "channel": "sms", "sender": sender, "recipient": recipient}
    session.execute(insert(LocalMessage), [{**row, "raw": text.encode(), "received_at": now}])
