"""SMPP 3.4: texts go out over one bound connection, several under way at a time."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import smpplib.client
import smpplib.consts as codes
import smpplib.exceptions
import smpplib.smpp
from sqlalchemy.orm import Session

from engine.channels.journal import Journal, Try
from engine.channels.provider import Outcome, Outgoing, RenderFailure, Result
from engine.channels.sms import references
from engine.channels.sms.gateway import Gateway
from engine.channels.sms.text import USER_DATA_HEADER, encoded_parts
from engine.errors import ProviderError

RESPONSE_SECONDS = 30.0
IDLE_SECONDS = 20.0
WINDOW = 10
INTERNATIONAL, NETWORK, NAME = 1, 3, 5  # type of number, SMPP 3.4, section 5.2.5
ISDN, UNKNOWN = 1, 0

LATER = frozenset({codes.SMPP_ESME_RTHROTTLED, codes.SMPP_ESME_RMSGQFUL, codes.SMPP_ESME_RSYSERR})
REFUSED = {
    codes.SMPP_ESME_RINVDSTADR: "5.1.1",
    codes.SMPP_ESME_RINVDSTTON: "5.1.1",
    codes.SMPP_ESME_RINVDSTNPI: "5.1.1",
}
"""Statuses that say that the number does not exist, with the class of RFC 3463 that the rest of Cairn goes by."""
TOO_FAST = dict.fromkeys((codes.SMPP_ESME_RTHROTTLED, codes.SMPP_ESME_RMSGQFUL), "4.7.0")


class Broken(Exception):
    """The connection cannot be used any more; its text is the reason."""


def connect(gateway: Gateway, *, receives: bool = False) -> smpplib.client.Client:
    """A bound connection. Raises ProviderError with the reason."""
    context = ssl.create_default_context() if gateway.secure else None
    client = smpplib.client.Client(
        gateway.host, gateway.port, timeout=RESPONSE_SECONDS, ssl_context=context, allow_unknown_opt_params=True
    )
    bind = client.bind_transceiver if receives else client.bind_transmitter
    try:
        client.connect()
        bind(system_id=gateway.user, password=gateway.password, system_type=gateway.options.get("type", ""))
    except (smpplib.exceptions.PDUError, smpplib.exceptions.ConnectionError, OSError) as error:
        drop(client)
        words = " ".join(str(error).split()) or "the connection was closed"
        raise ProviderError(f"{gateway}: {words}") from error
    return client


def drop(client: smpplib.client.Client) -> None:
    """Close a connection without a word, whatever its state."""
    held, client._socket = client._socket, None
    client.state = codes.SMPP_CLIENT_STATE_CLOSED
    if held is not None:
        held.close()


def address(number: str) -> tuple[int, int, str]:
    """Type of number, numbering plan and the address as SMPP wants it: digits, a short code, or a name."""
    digits = number.removeprefix("+")
    if not digits.isdigit():
        return NAME, UNKNOWN, number
    return (INTERNATIONAL, ISDN, digits) if len(digits) > 6 else (NETWORK, UNKNOWN, digits)


def submit(
    client: smpplib.client.Client, sender: str, recipient: str, text: str, reference: int, *, receipt: bool
) -> list[int]:
    """Send the parts of a text; their sequence numbers. A receipt is asked for the last part only."""
    coding, parts = encoded_parts(text, reference)
    from_type, from_plan, from_address = address(sender)
    to_type, to_plan, to_address = address(recipient)
    sent = []
    for number, part in enumerate(parts, 1):
        pdu = client.send_message(
            source_addr_ton=from_type,
            source_addr_npi=from_plan,
            source_addr=from_address,
            dest_addr_ton=to_type,
            dest_addr_npi=to_plan,
            destination_addr=to_address,
            short_message=part,
            data_coding=coding,
            esm_class=USER_DATA_HEADER if len(parts) > 1 else 0,
            registered_delivery=receipt and number == len(parts),
        )
        sent.append(pdu.sequence)
    return sent


@dataclass(slots=True)
class Flight:
    """A text whose parts are under way; `waiting` are their sequence numbers in order, `last` the last of them."""

    item: Outgoing
    waiting: set[int]
    last: int
    taken: int = 0
    reference: str = ""
    refusals: list[int] = field(default_factory=list)

    def land(self, sequence: int, status: int, message_id: str) -> bool:
        """Note an answer; whether it was the last one missing."""
        self.waiting.discard(sequence)
        if status == codes.SMPP_ESME_ROK:
            self.taken += 1
            self.reference = message_id if sequence == self.last else self.reference
        else:
            self.refusals.append(status)
        return not self.waiting

    def result(self) -> Result:
        """A text of which a part has been taken is never tried again: it would arrive twice."""
        if not self.refusals:
            return Result(self.item.id, "accepted", text=self.reference, stage="dot")
        status = self.refusals[0]
        words = f"0x{status:08X} {codes.DESCRIPTIONS.get(status, 'refused')}"
        if self.taken:
            words = f"{words}, after {self.taken} of its parts were taken"
        outcome: Outcome = "retry" if status in LATER and not self.taken else "failed"
        return Result(self.item.id, outcome, status, _class_of(status, outcome), words, "rcpt")


def _class_of(status: int, outcome: Outcome) -> str:
    return TOO_FAST.get(status, "") if outcome == "retry" else REFUSED.get(status, "")


class SmppProvider:
    """Sends texts over SMPP. Its connection belongs to one thread and is made at first use."""

    channel = "sms"

    def __init__(self, gateway: Gateway, journal: Journal) -> None:
        self.gateway, self.journal = gateway, journal
        self.window = int(gateway.options.get("window", WINDOW))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smpp")
        self._client: smpplib.client.Client | None = None
        self._used = 0.0
        self._references: dict[int, str] = {}

    def open(self) -> None:
        """Have a bound connection; raises ProviderError with the reason."""
        self._thread.submit(self._bound).result()

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Send texts; what is under way when the connection breaks is `unknown`, the rest `not_tried`."""
        return self._thread.submit(lambda: list(self._send(deque(items))))

    def _send(self, queue: deque[Outgoing]) -> Iterator[Result]:
        flights: dict[int, Flight] = {}
        try:
            client = self._bound()
            while queue or flights:
                while queue and len(flights) < self.window:
                    yield from self._take_off(client, queue, flights)
                if flights and (landed := self._land(client, flights)):
                    yield landed
            self._used = time.monotonic()
        except (ProviderError, Broken) as error:
            self._lose()
            lost = {flight.item.id: flight for flight in flights.values()}
            for flight in lost.values():
                yield self._note(flight.item, Result(flight.item.id, "unknown", text=str(error), stage="dot"))
            for item in queue:
                yield Result(item.id, "not_tried", text=str(error), stage="connect")

    def _take_off(self, client: Any, queue: deque[Outgoing], flights: dict[int, Flight]) -> Iterator[Result]:
        item = queue[0]
        try:
            rendered = item.render()
            self.journal.append([Try(item.id, item.attempt, rendered.links, rendered.parts)])
        except RenderFailure as error:
            queue.popleft()
            yield Result(item.id, "failed", text=str(error), stage="render")
            return
        except OSError as error:
            queue.popleft()
            yield Result(item.id, "not_tried", text=f"the journal cannot be written: {error}", stage="local")
            return
        queue.popleft()
        flight = Flight(item, set(), -1)
        flights[-item.id] = flight  # so that a text of which only a part went out is not forgotten
        try:
            sent = submit(client, self.gateway.sender, item.recipient, rendered.data.decode(), item.id, receipt=True)
        except (smpplib.exceptions.ConnectionError, OSError) as error:
            raise Broken(f"{self.gateway}: the connection broke while a text went out") from error
        del flights[-item.id]
        flight.waiting, flight.last = set(sent), sent[-1]
        flights.update(dict.fromkeys(sent, flight))

    def _land(self, client: Any, flights: dict[int, Flight]) -> Result | None:
        pdu = read(client, self.gateway)
        if pdu.command == "enquire_link":
            answer(client, pdu)
        if pdu.command == "unbind":
            raise Broken(f"{self.gateway}: the gateway ended the session")
        flight = flights.pop(pdu.sequence, None) if pdu.command in ("submit_sm_resp", "generic_nack") else None
        if flight is None or not flight.land(pdu.sequence, int(pdu.status), text_of(getattr(pdu, "message_id", ""))):
            return None
        result = self._note(flight.item, flight.result())
        if result.outcome == "accepted" and flight.reference:
            self._references[flight.item.id] = flight.reference
        return result

    def _note(self, item: Outgoing, result: Result) -> Result:
        self.journal.note_reply(item.id, item.attempt, result)
        return result

    def _bound(self) -> smpplib.client.Client:
        if self._client is not None and time.monotonic() - self._used > IDLE_SECONDS and not self._alive(self._client):
            self._lose()
        if self._client is None:
            self._client = connect(self.gateway)
        self._used = time.monotonic()
        return self._client

    def _alive(self, client: smpplib.client.Client) -> bool:
        """Gateways end sessions that are silent for a while; asking costs less than a text of unknown fate."""
        try:
            client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
            while (pdu := read(client, self.gateway)).command != "enquire_link_resp":
                if pdu.command == "enquire_link":
                    answer(client, pdu)
                if pdu.command == "unbind":
                    return False
        except (Broken, smpplib.exceptions.ConnectionError, OSError):
            return False
        return True

    def _lose(self) -> None:
        if self._client is not None:
            drop(self._client)
        self._client = None

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """Store by which name the gateway's receipts will speak of the accepted texts."""
        known = {id_: self._references.pop(id_) for id_ in accepted if id_ in self._references}
        references.store(session, str(self.gateway), known, now)

    def close(self) -> None:
        """End the session."""
        self._thread.submit(self._unbind).result()
        self._thread.shutdown()

    def _unbind(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.unbind()
        except (smpplib.exceptions.PDUError, smpplib.exceptions.ConnectionError, OSError):
            pass
        finally:
            drop(client)


def read(client: smpplib.client.Client, gateway: Gateway) -> Any:
    """The next PDU. Raises Broken when none comes in time, or the connection is gone."""
    try:
        return client.read_pdu()
    except TimeoutError as error:
        raise Broken(f"{gateway}: no answer within {client.timeout:g} seconds") from error
    except (smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError, OSError) as error:
        raise Broken(f"{gateway}: the connection was closed") from error


def answer(client: smpplib.client.Client, pdu: Any, status: int = codes.SMPP_ESME_ROK) -> None:
    """The response to a request of the gateway's. Raises Broken."""
    response = smpplib.smpp.make_pdu(f"{pdu.command}_resp", client=client, status=status)
    response.sequence = pdu.sequence
    send(client, response)


def send(client: smpplib.client.Client, pdu: Any) -> None:
    """Send a PDU. Raises Broken."""
    try:
        client.send_pdu(pdu)
    except (smpplib.exceptions.ConnectionError, OSError) as error:
        raise Broken("the connection was closed") from error


def text_of(value: bytes | str | None) -> str:
    """A C string of a PDU."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""
