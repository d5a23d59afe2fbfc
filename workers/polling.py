"""Bounces out of a mailbox, by IMAP (RFC 9051, 3501) or POP3 (RFC 1939): kept here first, put away there afterwards.

What dies in between is fetched again and is then the same receipt. No UID outlives its session, so a mailbox that is
made anew (another UIDVALIDITY) changes nothing.
"""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import structlog

from engine import clock
from engine.db import Database
from engine.errors import ConfigurationError, ProviderError
from engine.messages import status
from engine.receipts.mail import LARGEST, Arrived, put
from engine.settings import Settings

logger = structlog.get_logger()
SECONDS = 30.0
TOGETHER, MOST = 20, 400
"""Mails in a transaction, and in a turn."""
DONE = "Cairn-Processed"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
TROUBLE = (OSError, imaplib.IMAP4.error, poplib.error_proto)
# The libraries give a connection up at a line of over 2 kB, or of 1 MB by IMAP. Such a mail, which anybody may send, or
# a list of very many mails, would bar the mailbox for ever.
poplib._MAXLINE = imaplib._MAXLINE = 2**26  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox by its URL; `folder` is for IMAP. Without TLS only on this machine, else by STARTTLS or STLS."""

    scheme: Literal["imap", "imaps", "pop3", "pop3s"]
    host: str
    port: int
    user: str
    password: str
    folder: str

    @classmethod
    def parse(cls, url: str) -> Mailbox:
        """Raises ConfigurationError; it does not repeat the URL, which holds a password."""
        try:
            parts = urlsplit(url)
            usual = PORTS[parts.scheme]
            scheme, port = parts.scheme, parts.port or usual
        except (ValueError, KeyError):
            scheme, port, parts = "", 0, urlsplit("")
        if not (scheme and parts.hostname and parts.username and parts.password is not None):
            raise ConfigurationError("CAIRN_BOUNCE_MAILBOX is not like imaps://user:password@host/INBOX or pop3s://….")
        folder = unquote(parts.path.strip("/")) or "INBOX"
        user, password = unquote(parts.username), unquote(parts.password)
        return cls(scheme, parts.hostname, port, user, password, folder)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def poll(database: Database, settings: Settings) -> int:
    """Fetch what is in the mailbox; how many mails. What goes wrong there is noted, and the next turn tries again."""
    if settings.bounce_mailbox is None:
        return 0
    error, count = "", 0
    try:
        count = fetch(database, Mailbox.parse(settings.bounce_mailbox.get_secret_value()))
    except (ConfigurationError, ProviderError) as trouble:
        error = str(trouble)
        logger.warning("mailbox for bounces", error=error)
    with database.transaction() as session:
        status.write(session, "bounces", clock.now(session), error)
    return count


def fetch(database: Database, mailbox: Mailbox) -> int:
    """Keep what is in the mailbox, and put it away there once that is committed. Raises ProviderError."""
    fetching = _fetch_imap if mailbox.scheme.startswith("imap") else _fetch_pop
    try:
        return fetching(database, mailbox)
    except TROUBLE as error:
        raise ProviderError(f"{mailbox}: {_words(error)}") from error


def fetch_all(database: Database, mailbox: Mailbox) -> int:
    """As `fetch`, turn by turn until the mailbox is empty."""
    count = last = fetch(database, mailbox)
    while last == MOST:
        last = fetch(database, mailbox)
        count += last
    return count


def _words(error: Exception) -> str:
    """What went wrong; the libraries give the server's words as bytes."""
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else None
    return said.decode("utf-8", "replace") if said else str(error) or type(error).__name__


def _keep(database: Database, door: str, raws: Sequence[bytes]) -> None:
    with database.transaction() as session:
        put(session, door, [Arrived(raw) for raw in raws], clock.now(session))


def _fetch_imap(database: Database, mailbox: Mailbox) -> int:
    with _imap(mailbox) as imap:
        numbers = _answer(imap.uid("SEARCH", "ALL"))[0] or b""
        waiting = numbers.split()[:MOST]
        if waiting:
            imap.create(DONE)  # it says NO where there is one
        for start in range(0, len(waiting), TOGETHER):
            part = waiting[start : start + TOGETHER]
            raws = [raw for uid in part if (raw := _body(imap, uid)) is not None]
            _keep(database, "imap", raws)
            _put_away(imap, b",".join(part).decode())
        return len(waiting)


@contextlib.contextmanager
def _imap(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context()
    imap: imaplib.IMAP4
    if mailbox.scheme == "imaps":
        imap = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=SECONDS)
    else:
        imap = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=SECONDS)
    try:
        if mailbox.scheme == "imap" and not _is_here(mailbox):
            imap.starttls(context)
        imap.login(mailbox.user, mailbox.password)
        _answer(imap.select(_quoted(mailbox.folder)))
        yield imap
    finally:
        with contextlib.suppress(*TROUBLE):
            imap.logout()


def _body(imap: imaplib.IMAP4, uid: bytes) -> bytes | None:
    """The beginning of a mail, unread as it was; None when somebody else took it away meanwhile."""
    parts = _answer(imap.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{LARGEST}>)"))
    return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)


def _put_away(imap: imaplib.IMAP4, uids: str) -> None:
    """Moved (RFC 6851), or copied, flagged and expunged by their UIDs alone (RFC 4315) as far as the server can."""
    if "MOVE" in imap.capabilities:
        _answer(imap.uid("MOVE", uids, DONE))
        return
    _answer(imap.uid("COPY", uids, DONE))
    _answer(imap.uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)"))
    _answer(imap.uid("EXPUNGE", uids) if "UIDPLUS" in imap.capabilities else imap.expunge())


def _answer(answer: tuple[str, Sequence[Any]]) -> list[Any]:
    """What the server gave. Raises imaplib's error when it said NO."""
    kind, data = answer
    if kind != "OK":
        said = b" ".join(part for part in data if isinstance(part, bytes))
        raise imaplib.IMAP4.error(said.decode("utf-8", "replace"))
    return list(data)


def _quoted(folder: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", folder) + '"'


def _fetch_pop(database: Database, mailbox: Mailbox) -> int:
    """What is deleted goes when the server hears QUIT, so a connection that breaks leaves everything there."""
    with _pop(mailbox) as pop:
        waiting = range(1, min(pop.stat()[0], MOST) + 1)
        for start in range(0, len(waiting), TOGETHER):
            part = waiting[start : start + TOGETHER]
            _keep(database, "pop3", [(b"\r\n".join(pop.retr(number)[1]) + b"\r\n")[:LARGEST] for number in part])
            for number in part:
                pop.dele(number)
        pop.quit()
        return len(waiting)


@contextlib.contextmanager
def _pop(mailbox: Mailbox) -> Iterator[poplib.POP3]:
    context = ssl.create_default_context()
    pop: poplib.POP3
    if mailbox.scheme == "pop3s":
        pop = poplib.POP3_SSL(mailbox.host, mailbox.port, timeout=SECONDS, context=context)
    else:
        pop = poplib.POP3(mailbox.host, mailbox.port, timeout=SECONDS)
    try:
        if mailbox.scheme == "pop3" and not _is_here(mailbox):
            pop.stls(context)
        pop.user(mailbox.user)
        pop.pass_(mailbox.password)
        yield pop
    finally:
        pop.close()


def _is_here(mailbox: Mailbox) -> bool:
    return mailbox.host in LOOPBACK
