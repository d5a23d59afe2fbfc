"""Providers that take a message by an HTTP request: the try in the journal, the request, the answer."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import urllib3
from sqlalchemy.orm import Session

from engine.channels.journal import Journal, Try
from engine.channels.provider import Outgoing, RenderFailure, Result

CONNECTIONS = 8
CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
LARGEST_ANSWER = 64 * 1024
INNARDS = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): |\[Errno -?\d+\] ")  # of the client, which tell nobody anything


class Host(NamedTuple):
    """Where requests go; `secure`: over TLS, its certificate verified."""

    name: str
    port: int
    secure: bool = True

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


class Request(NamedTuple):
    """A request to the vendor's host."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Answer(NamedTuple):
    """What came back; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, an empty one for anything else."""
        found = loaded(self.body)
        return found if isinstance(found, dict) else {}


def loaded(body: bytes) -> Any:
    """The JSON value of a body; None for what does not read: no JSON, or nested deeper than Python follows."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


class Vendor(Protocol):
    """What one vendor wants and says."""

    def request(self, item: Outgoing, data: bytes) -> Request:
        """The request for a rendered message. Raises RenderFailure for one that this vendor cannot take."""

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """What the answer means."""


class Connection:
    """Connections to one host, kept open. Safe to use from several threads."""

    def __init__(self, host: Host, *, read_seconds: float = READ_SECONDS) -> None:
        pool = urllib3.HTTPSConnectionPool if host.secure else urllib3.HTTPConnectionPool
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._pool = pool(host.name, host.port, maxsize=CONNECTIONS, block=True, timeout=timeout)

    def ask(self, vendor: Vendor, item: Outgoing, request: Request) -> Result:
        """What went out and was not answered may have been taken: `unknown`, never sent again by itself."""
        try:
            answer = self._exchange(request)
        except (
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
            urllib3.exceptions.SSLError,
        ) as error:
            return Result(item.id, "not_tried", text=_words(error), stage="connect")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Result(item.id, "unknown", text=_words(error), stage="dot")
        return vendor.result(item, answer)

    def _exchange(self, request: Request) -> Answer:
        answer = self._pool.urlopen(
            request.method,
            request.target,
            body=request.body,
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return Answer(answer.status, answer.headers, answer.read(LARGEST_ANSWER))
        finally:
            answer.drain_conn()
            answer.release_conn()

    def close(self) -> None:
        """End them."""
        self._pool.close()


class HttpProvider:
    """Sends over connections that stay open. `not_tried` of one spares the others of its batch the attempt."""

    def __init__(self, channel: str, host: Host, vendor: Vendor, journal: Journal) -> None:
        self.channel, self.host, self.vendor, self.journal = channel, host, vendor, journal
        self._connection = Connection(host)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=channel)
        self._batches = ThreadPoolExecutor(2, thread_name_prefix=f"{channel}-batch")

    def open(self) -> None:
        """Connections are made when they are needed."""

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Send messages, several at a time."""
        away = threading.Event()
        return self._batches.submit(lambda: list(self._threads.map(lambda item: self._send(item, away), items)))

    def _send(self, item: Outgoing, away: threading.Event) -> Result:
        if away.is_set():
            return Result(item.id, "not_tried", text=f"{self.host} is away", stage="connect")
        try:
            rendered = item.render()
            request = self.vendor.request(item, rendered.data)
        except RenderFailure as error:
            return Result(item.id, "failed", text=str(error), stage="render")
        try:
            self.journal.append([Try(item.id, item.attempt, rendered.links, rendered.parts, rendered.untracked)])
        except OSError as error:
            return Result(item.id, "not_tried", text=f"the journal cannot be written: {error}", stage="local")
        result = self._connection.ask(self.vendor, item, request)
        self.journal.note_reply(item.id, item.attempt, result)
        if result.outcome == "not_tried":
            away.set()
        return result

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """Receipts name the message themselves, so nothing is stored here."""

    def close(self) -> None:
        """End the connections; what is under way is awaited."""
        self._batches.shutdown()
        self._threads.shutdown()
        self._connection.close()


def _words(error: Exception) -> str:
    return INNARDS.sub("", " ".join(str(error).split()))[:300] or type(error).__name__
