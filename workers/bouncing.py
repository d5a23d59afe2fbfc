"""Where mail that comes back is taken by LMTP or SMTP: stored before it is acknowledged, 451 while it cannot be.

The local mailbox's server speaks the protocol; here it answers LHLO too (LMTP, RFC 2033: a reply for each recipient at
the end of the data) and takes mail to addresses for bounces only.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import clock
from engine.channels.smtp.transmitter import new_event_loop
from engine.db import Database
from engine.errors import ConfigurationError
from engine.identities import store as identities
from engine.receipts import mail as inbox
from engine.receipts.verp import ReturnPath, return_path
from engine.settings import Settings
from workers.mailbox import Connection, Mail, Store, serve

logger = structlog.get_logger()
FRESH = 15.0
IDLE_SECONDS = 300.0  # RFC 5321, section 4.5.3.2.7
MOST_CONNECTIONS = 100
DEFAULT_PORTS = {"lmtp": 24, "smtp": 25}


def keep(session: Session, mails: list[Mail]) -> None:
    """For the job that reads what came back."""
    arrived = [inbox.Arrived(mail.raw, mail.recipients) for mail in mails]
    inbox.put(session, "lmtp", arrived, clock.now(session))


class BounceConnection(Connection):
    """One client, of a server that relays for nobody."""

    name = b"Cairn takes what bounces"
    verbs: ClassVar[dict[str, str]] = {**Connection.verbs, "LHLO": "greet"}
    open_: ClassVar[int] = 0

    def __init__(self, store: Store, paths: Sequence[ReturnPath]) -> None:
        super().__init__(store)
        self.paths = paths

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a client came."""
        BounceConnection.open_ += 1
        super().connection_made(transport)
        self.idle = self.loop.call_later(IDLE_SECONDS, self._end, b"421 4.4.2 Idle for too long")
        if BounceConnection.open_ > MOST_CONNECTIONS:
            self._end(b"421 4.3.2 Too many connections, come again")

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the client is gone."""
        BounceConnection.open_ -= 1
        self.idle.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        self.idle.cancel()
        self.idle = self.loop.call_later(IDLE_SECONDS, self._end, b"421 4.4.2 Idle for too long")
        super().data_received(data)

    def hello(self, rest: str) -> None:
        """EHLO and HELO."""
        self.per_recipient = False
        super().hello(rest)

    def greet(self, rest: str) -> None:
        """LHLO."""
        self.hello(rest)
        self.per_recipient = True

    def takes(self, recipient: str) -> bool:
        """Mail to the domains for bounces, or to the one mailbox and its extensions; all where no domain is set."""
        return not self.paths or any(path.takes(recipient) for path in self.paths)

    def _end(self, line: bytes) -> None:
        self.reply(line)
        self.mode = "gone"
        self.transport.close()


def address(url: str) -> tuple[str, int]:
    """Host and port of `lmtp://host:port` or `smtp://host:port`. Raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        usual = DEFAULT_PORTS[parts.scheme]
        host, port = parts.hostname, parts.port or usual
    except (ValueError, KeyError):
        host, port = None, 0
    if not host:
        raise ConfigurationError(f"CAIRN_BOUNCE_LISTEN “{url}” is not like lmtp://127.0.0.1:8024 or smtp://0.0.0.0:25.")
    return host, port


def known_paths(database: Database, own: ReturnPath) -> list[ReturnPath]:
    """The return paths of the installation and of identities."""
    with database.transaction() as session:
        return [own, *identities.return_paths(session)]


async def follow(database: Database, own: ReturnPath, paths: list[ReturnPath]) -> None:
    """Keep `paths` as identities have them; while the database is away they stay as they were."""
    while True:
        await asyncio.sleep(FRESH)
        with suppress(SQLAlchemyError):
            paths[:] = await asyncio.to_thread(known_paths, database, own)


async def listen(database: Database, url: str, path: ReturnPath | None, stop: asyncio.Event) -> None:
    """Take what bounces until `stop` is set. Raises OSError, ConfigurationError, SQLAlchemyError at the start."""
    host, port = address(url)
    paths = await asyncio.to_thread(known_paths, database, path) if path is not None else []
    following = asyncio.create_task(follow(database, path, paths)) if path is not None else None
    connection: Callable[[Store], Connection] = lambda store: BounceConnection(store, paths)  # noqa: E731
    try:
        await serve(Store(database, keep), host, port, stop, connection)
    finally:
        if following is not None:
            following.cancel()


def run(settings: Settings, url: str, ready: Callable[[str], None] = lambda _: None) -> None:
    """The process: listen until SIGTERM or SIGINT. Raises ConfigurationError where it cannot."""
    assert settings.database_url
    host, port = address(url)
    path = return_path(settings.bounce_domain)
    database = Database(settings.database_url, workspace=settings.workspace_schema, pool_size=2)

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        ready(f"{host}:{port}")
        await listen(database, url, path, stop)

    try:
        new_event_loop().run_until_complete(work())
    except OSError as error:
        raise ConfigurationError(f"Cairn cannot listen on {host}:{port} for bounces: {error.strerror}.") from error
    finally:
        database.close()
