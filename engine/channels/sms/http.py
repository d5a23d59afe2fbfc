"""Gateways that take a text by an HTTP request: the try in the journal, the request, the answer."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import urllib3
from sqlalchemy.orm import Session

from engine.channels.journal import Journal, Try
from engine.channels.provider import Outgoing, RenderFailure, Result
from engine.channels.sms.gateway import Gateway

CONNECTIONS = 8
CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
LARGEST_ANSWER = 64 * 1024


class Request(NamedTuple):
    """What is posted, or with `fields` in the query, got."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


class Vendor(Protocol):
    """What one vendor's gateway wants and says."""

    def request(self, item: Outgoing, text: str) -> Request:
        """The request for a text."""

    def result(self, item: Outgoing, status: int, body: bytes) -> Result:
        """What the answer means."""


class HttpProvider:
    """Sends texts over connections that stay open. `not_tried` of one spares the others of its batch the attempt."""

    channel = "sms"

    def __init__(
        self, gateway: Gateway, vendor: Vendor, journal: Journal, *, read_seconds: float = READ_SECONDS
    ) -> None:
        self.gateway, self.vendor, self.journal = gateway, vendor, journal
        self._http = urllib3.HTTPConnectionPool if not gateway.secure else urllib3.HTTPSConnectionPool
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._pool = self._http(gateway.host, gateway.port, maxsize=CONNECTIONS, block=True, timeout=timeout)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="sms")
        self._batches = ThreadPoolExecutor(2, thread_name_prefix="sms-batch")

    def open(self) -> None:
        """Connections are made when they are needed."""

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Send texts, several at a time."""
        away = threading.Event()
        return self._batches.submit(lambda: list(self._threads.map(lambda item: self._send(item, away), items)))

    def _send(self, item: Outgoing, away: threading.Event) -> Result:
        if away.is_set():
            return Result(item.id, "not_tried", text=f"{self.gateway} is away", stage="connect")
        try:
            rendered = item.render()
        except RenderFailure as error:
            return Result(item.id, "failed", text=str(error), stage="render")
        try:
            self.journal.append([Try(item.id, item.attempt, rendered.links, rendered.parts)])
        except OSError as error:
            return Result(item.id, "not_tried", text=f"the journal cannot be written: {error}", stage="local")
        result = self._ask(item, rendered.data.decode())
        self.journal.note_reply(item.id, item.attempt, result)
        if result.outcome == "not_tried":
            away.set()
        return result

    def _ask(self, item: Outgoing, text: str) -> Result:
        """What went out and was not answered may have been taken: `unknown`, never sent again by itself."""
        try:
            status, body = self._exchange(self.vendor.request(item, text))
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            return Result(item.id, "not_tried", text=_words(error), stage="connect")
        except urllib3.exceptions.SSLError as error:
            return Result(item.id, "not_tried", text=_words(error), stage="connect")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Result(item.id, "unknown", text=_words(error), stage="dot")
        return self.vendor.result(item, status, body)

    def _exchange(self, request: Request) -> tuple[int, bytes]:
        how: dict[str, Any] = {"encode_multipart": False} if request.method == "POST" else {}
        answer = self._pool.request(
            request.method,
            request.path,
            fields=dict(request.fields),
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            preload_content=False,
            **how,
        )
        try:
            body = answer.read(LARGEST_ANSWER)
        finally:
            answer.drain_conn()
            answer.release_conn()
        return answer.status, body

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """Receipts name the message themselves, so nothing is stored here."""

    def close(self) -> None:
        """End the connections; what is under way is awaited."""
        self._batches.shutdown()
        self._threads.shutdown()
        self._pool.close()


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
