"""The local mailbox: an SMTP server on loopback that keeps every message for the mailbox page, and sends none on.

A message is durable before its 250. Messages that arrive while a commit runs share the next one, so many connections
cost few commits. RFC 5321 with PIPELINING, SIZE, 8BITMIME and SMTPUTF8; no TLS, no sign-in.
"""

from __future__ import annotations

import asyncio
import queue
import re
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import ClassVar, cast

import structlog
from sqlalchemy.orm import Session

from engine import clock
from engine.channels.smtp import Server
from engine.channels.smtp.transmitter import new_event_loop
from engine.db import Database, copy_rows
from engine.errors import ConfigurationError
from engine.model import new_public_id
from engine.settings import Settings

logger = structlog.get_logger()
largest = 25 * 1024 * 1024
longest_line = 2_000
most_recipients = 100
most_in_commit = 500
end_of_data = b"\r\n.\r\n"
token_header = re.compile(rb"^X-Cairn-Message:[ \t]*([0-9A-Za-z_-]{1,64})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
subject_header = re.compile(rb"^Subject:[ \t]*(.*(?:\r?\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
path = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>", re.IGNORECASE)
columns = "local_messages(public_id, channel, sender, recipient, subject, message_token, raw, received_at)"
types = ["text", "text", "text", "text", "text", "text", "bytea", "timestamptz"]


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it arrived; `stored` is told from the writer's thread whether it is durable."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    stored: Callable[[bool], None]

    def rows(self) -> list[tuple[object, ...]]:
        """A row a recipient, without the time of receipt."""
        head = self.raw[: self.raw.find(b"\r\n\r\n") + 2]
        token = token_header.search(head)
        named = token.group(1).decode("ascii") if token else None
        subject = subject_of(head)
        return [(new_public_id(), "email", self.sender, each, subject, named, self.raw) for each in self.recipients]


def subject_of(head: bytes) -> str | None:
    """The decoded subject of a message's headers (RFC 2047), on one line."""
    found = subject_header.search(head)
    if found is None:
        return None
    return decoded(" ".join(found.group(1).decode("utf-8", "replace").split()))


def decoded(line: str) -> str:
    """A header's text with its encoded words read (RFC 2047); a word that is none stays as it came. Never raises."""
    with suppress(LookupError, ValueError, MessageError):
        line = str(make_header(decode_header(line)))
    return " ".join(line.replace("\0", "").encode("utf-8", "replace").decode().split())


Keep = Callable[[Session, list[Mail]], None]
"""Writes mails in a transaction of the caller's."""


def keep_local(session: Session, mails: list[Mail]) -> None:
    """Into the local mailbox."""
    now = clock.now(session)
    copy_rows(session, columns, types, [(*row, now) for mail in mails for row in mail.rows()])


class Store:
    """One thread that writes what arrives; each transaction takes everything that has come meanwhile."""

    def __init__(self, database: Database, keep: Keep = keep_local) -> None:
        self.database, self.keep = database, keep
        self.incoming: queue.SimpleQueue[Mail | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._write, name="mailbox", daemon=True)
        self.thread.start()

    def put(self, mail: Mail) -> None:
        """Have a message written."""
        self.incoming.put(mail)

    def close(self) -> None:
        """Write what is here, then end."""
        self.incoming.put(None)
        self.thread.join()

    def _write(self) -> None:
        while (first := self.incoming.get()) is not None:
            mails = [first]
            while len(mails) < most_in_commit and not self.incoming.empty():
                following = self.incoming.get()
                if following is None:
                    self.incoming.put(None)
                    break
                mails.append(following)
            self._commit(mails)

    def _commit(self, mails: list[Mail]) -> None:
        try:
            with self.database.transaction() as session:
                self.keep(session, mails)
        except Exception as error:  # the sender is told to come again, whatever it was
            logger.error("mailbox could not store", messages=len(mails), error=str(error))
            return self._tell(mails, stored=False)
        return self._tell(mails, stored=True)

    def _tell(self, mails: list[Mail], *, stored: bool) -> None:
        for mail in mails:
            mail.stored(stored)


class Connection(asyncio.Protocol):
    """One client. Input that comes while a message is being stored waits, so replies keep their order."""

    name = b"Cairn local mailbox"
    verbs: ClassVar[dict[str, str]] = {
        "EHLO": "hello",
        "HELO": "hello",
        **{verb: verb.lower() for verb in ("MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT")},
    }

    def __init__(self, store: Store) -> None:
        self.store = store
        self.buffer = bytearray()
        self.searched = 0
        self.mode = "command"  # command, data, storing
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.per_recipient = False  # LMTP (RFC 2033): the end of the data has a reply for each recipient
        self.replies = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a client came."""
        self.transport = cast(asyncio.WriteTransport, transport)
        self.loop = asyncio.get_running_loop()
        self.reply(b"220 " + self.name)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        self.buffer += data
        if len(self.buffer) > largest + 65_536:
            self.reply(b"421 4.3.0 Too much at once")
            self.transport.close()
        self._work()

    def connection_lost(self, _exc: Exception | None) -> None:
        """asyncio: the client is gone."""
        self.mode = "gone"

    def reply(self, line: bytes) -> None:
        """Send one line."""
        self.transport.write(line + b"\r\n")

    def _work(self) -> None:
        while self.mode in ("command", "data"):
            if not (self._command_line() if self.mode == "command" else self._data()):
                return

    def _command_line(self) -> bool:
        """Take a line and answer it; False when there is none yet."""
        end = self.buffer.find(b"\n")
        if end < 0:
            if len(self.buffer) > longest_line:
                self.buffer.clear()
                self.reply(b"500 5.5.2 Line too long")
            return False
        line = bytes(self.buffer[:end]).decode("utf-8", "replace").replace("\0", "").strip()
        del self.buffer[: end + 1]
        verb, _, rest = line.partition(" ")
        getattr(self, self.verbs.get(verb.upper(), "unknown"))(rest)
        return True

    def unknown(self, _rest: str) -> None:
        """Anything else."""
        self.reply(b"502 5.5.1 Not known here")

    def hello(self, _rest: str) -> None:
        """EHLO and HELO."""
        self.reset()
        extensions = (b"PIPELINING", b"SIZE %d" % largest, b"8BITMIME", b"SMTPUTF8")
        self.reply(b"\r\n".join([b"250-cairn", *(b"250-" + each for each in extensions), b"250 ENHANCEDSTATUSCODES"]))

    def mail(self, rest: str) -> None:
        """MAIL FROM."""
        found = path.match(rest)
        if found is None:
            return self.reply(b"501 5.5.4 MAIL FROM:<address>")
        if self.sender is not None:
            return self.reply(b"503 5.5.1 One transaction at a time")
        self.sender = found.group(1)
        return self.reply(b"250 2.1.0 Ok")

    def rcpt(self, rest: str) -> None:
        """RCPT TO."""
        found = path.match(rest)
        if self.sender is None:
            return self.reply(b"503 5.5.1 MAIL first")
        if found is None or "@" not in found.group(1):
            return self.reply(b"501 5.1.3 RCPT TO:<address>")
        if len(self.recipients) >= most_recipients:
            return self.reply(b"452 4.5.3 Too many recipients")
        if not self.takes(found.group(1)):
            return self.reply(b"550 5.1.1 No such address here")
        self.recipients.append(found.group(1))
        return self.reply(b"250 2.1.5 Ok")

    def takes(self, _recipient: str) -> bool:
        """Whether mail to this address is taken."""
        return True

    def data(self, _rest: str) -> None:
        """DATA."""
        if not self.recipients:
            return self.reply(b"503 5.5.1 RCPT first")
        self.mode, self.searched = "data", 0
        self.buffer[:0] = b"\r\n"  # so that a dot on the first line ends the data as any other
        return self.reply(b"354 End data with <CR><LF>.<CR><LF>")

    def rset(self, _rest: str) -> None:
        """RSET."""
        self.reset()
        self.reply(b"250 2.0.0 Ok")

    def noop(self, _rest: str) -> None:
        """NOOP."""
        self.reply(b"250 2.0.0 Ok")

    def quit(self, _rest: str) -> None:
        """QUIT."""
        self.mode = "gone"
        self.reply(b"221 2.0.0 Bye")
        self.transport.close()

    def reset(self) -> None:
        """Forget the transaction."""
        self.sender, self.recipients = None, []

    def _data(self) -> bool:
        """Take the message if it is complete."""
        end = self.buffer.find(end_of_data, self.searched)
        if end < 0:
            self.searched = max(0, len(self.buffer) - len(end_of_data))
            return False
        raw = bytes(self.buffer[: end + 2]).replace(b"\r\n..", b"\r\n.")[2:]
        del self.buffer[: end + len(end_of_data)]
        sender, recipients = self.sender or "", tuple(self.recipients)
        self.replies = len(recipients) if self.per_recipient else 1
        self.reset()
        if len(raw) > largest:
            self.mode = "command"
            self._tell(b"552 5.3.4 Too large")
            return True
        self.mode = "storing"
        self.store.put(Mail(sender, recipients, raw, self._stored))
        return False

    def _stored(self, ok: bool) -> None:
        self.loop.call_soon_threadsafe(self._answer, ok)

    def _answer(self, ok: bool) -> None:
        if self.mode != "storing":
            return
        self.mode = "command"
        self._tell(b"250 2.0.0 Stored" if ok else b"451 4.3.0 Not stored, try again")
        self._work()

    def _tell(self, line: bytes) -> None:
        for _ in range(self.replies):
            self.reply(line)


async def serve(
    store: Store, host: str, port: int, stop: asyncio.Event, connection: Callable[[Store], Connection] = Connection
) -> None:
    """Take mail until `stop` is set; what has arrived is written before this returns. Raises OSError."""
    try:
        server = await asyncio.get_running_loop().create_server(lambda: connection(store), host, port)
        await stop.wait()
        server.close()
    finally:
        store.close()


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.mailbox_url is None or settings.database_url is None:
        logger.info("mail goes to another server, the local mailbox stays empty")
        await stop.wait()
        return
    where = Server.parse(settings.mailbox_url)
    if not where.loopback:
        raise ConfigurationError(f"The local mailbox listens on this machine only; CAIRN_MAILBOX_URL is {where}.")
    database = Database(settings.database_url, workspace=settings.workspace_schema, pool_size=2)
    try:
        await serve(Store(database), where.host, where.port, stop)
    except OSError as error:
        logger.warning("the local mailbox stays empty: its port is taken", server=str(where), error=str(error))
        await stop.wait()
    finally:
        database.close()


def run(settings: Settings) -> None:
    """The mailbox process: listen where `mailbox_url` says, if it is set, until SIGTERM or SIGINT."""
    loop = new_event_loop()
    loop.run_until_complete(_run(settings))
