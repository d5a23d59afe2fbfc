"""A whole site on one machine: servers, database, processes, address."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import users
from engine.db import Database
from engine.errors import ConfigurationError
from engine.settings import Settings
from workers.database import open_database
from workers.embedded import Embedded, Running, Urls, places, process, running, started
from workers.enqueue import connect
from workers.supervisor import BOUNCES, PARTS, TEXTS, Report, Supervisor

START_PATIENCE = 240.0
LOCK_PATIENCE = 3.0
TEND_SECONDS = 0.5
STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
EVERYWHERE = {"0.0.0.0", "::", ""}


@dataclass(frozen=True)
class Site:
    """A running site. `settings` name its servers and addresses; `admin` is the (email, password) of an
    administrator made just now; `embedded` are the servers that it started, `report` tells people what happens."""

    address: str
    urls: Urls
    settings: Settings
    database: Database
    embedded: Embedded
    report: Report
    admin: tuple[str, str] | None = None

    def wait(self) -> None:
        """Keep the servers running and the logs short until Ctrl-C, SIGTERM or SIGHUP raise KeyboardInterrupt here."""
        while True:
            self.embedded.tend(self.report)
            places.shorten_logs(self.settings.home)
            time.sleep(TEND_SECONDS)


@contextmanager
def supervised(
    settings: Settings, *, host: str | None = None, port: int | None = None, report: Report = print
) -> Iterator[Site]:
    """Run the site of `settings.home` for the length of the block; to be called in the main thread.

    Port 0 takes a free one. Afterwards everything is stopped and the data stays. SIGTERM and SIGHUP raise
    KeyboardInterrupt in the block, as Ctrl-C does.
    Errors: ConfigurationError for a taken port, a missing permission, a home in use, a server that does not start.
    """
    host, home = host or settings.host, settings.home.absolute()
    with ExitStack() as stack:
        stack.enter_context(_signals_as_interrupts())
        stack.enter_context(_sole_owner(home))
        port = _free_port(host, settings.port if port is None else port)
        address = f"http://{_spell(host)}:{port}"
        smtp_url = settings.smtp_url or f"smtp://127.0.0.1:{_free_port('127.0.0.1', 0)}"
        servers, embedded = stack.enter_context(started(settings))
        urls = Urls(servers.database_url, servers.redis_url, smtp_url, address, migrated=True)
        connect(urls.redis_url).close()
        database = open_database(settings, urls)
        stack.callback(database.close)
        record = Running("up", urls.database_url, urls.redis_url, smtp_url, address)
        stack.enter_context(running.published(home, record, patient=False))
        own = _own_settings(settings, home, host, port, urls)
        note = lambda pids: running.write(home, record.with_processes(pids))  # noqa: E731
        smpp = (settings.sms_url or "").startswith("smpp")
        whole = (*PARTS, *((TEXTS,) if smpp else ()), *((BOUNCES,) if own.bounce_listen else ()))
        parts = Supervisor(_environment(own), home, report, note, whole)
        stack.callback(parts.stop)
        parts.start()
        _await_web(parts, host, port, home / "log" / "web.log")
        yield Site(address, urls, own, database, embedded, report, _first_admin(database))


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt like Ctrl-C; while everything stops, further signals change nothing."""

    def interrupt(*_: Any) -> None:
        for number in (signal.SIGINT, *STOPPING_SIGNALS):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, *STOPPING_SIGNALS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _sole_owner(home: Path) -> Iterator[None]:
    """Hold the home's lock. A command that just uses the servers is waited for, a running site is not."""
    until = time.monotonic() + LOCK_PATIENCE
    while not (held := places.lock(home)):
        site = running.read(home)
        if site and site.kind == "up":
            raise ConfigurationError(
                f"This Cairn already runs at {site.address} (process {site.pid}, {home}). `cairn down` stops it."
            )
        if time.monotonic() > until:
            who = f"process {site.pid}" if site else "another process that is starting or stopping"
            raise ConfigurationError(
                f"{home} is in use by {who}. Wait for it, or set CAIRN_HOME to run a second Cairn."
            )
        time.sleep(0.05)
    with held:
        yield


def _free_port(host: str, port: int) -> int:
    """The port, or with 0 any free one. Errors: ConfigurationError if it is taken or not allowed."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            return int(probe.getsockname()[1])
    except socket.gaierror as error:
        raise ConfigurationError(
            f"The host “{host}” has no address here ({error.strerror}). Use --host 127.0.0.1."
        ) from error
    except (OSError, OverflowError) as error:
        raise ConfigurationError(_port_trouble(host, port, getattr(error, "errno", None))) from error


def _port_trouble(host: str, port: int, code: int | None) -> str:
    if code == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Choose one with `cairn up --port N` (0: any free one)."
        )
    if code == errno.EACCES:
        return f"Only root may use port {port}. Choose one from 1024 on with `cairn up --port N`."
    if code == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all addresses."
    return f"Cairn cannot listen on port {port} of {host}. Choose another with `cairn up --port N`."


def _spell(host: str) -> str:
    """The host as it stands in an address that a browser on this machine opens."""
    if host in EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _first_admin(database: Database) -> tuple[str, str] | None:
    """Make the first administrator if nobody could sign in; last of all, so that the password is surely shown."""
    with database.transaction() as session:
        return users.ensure_admin(session)


def _own_settings(settings: Settings, home: Path, host: str, port: int, urls: Urls) -> Settings:
    """The settings that every part of the site works with."""
    found = {
        "home": home,
        "host": host,
        "port": port,
        "database_url": urls.database_url,
        "redis_url": urls.redis_url,
        "smtp_url": urls.smtp_url,
        "mailbox_url": None if settings.smtp_url else urls.smtp_url,
        "public_url": settings.public_url or urls.address,
    }
    return settings.model_copy(update=found)


def _environment(own: Settings) -> dict[str, str]:
    """The environment of the parts: this process's, and what the site has settled."""
    names = ("home", "host", "port", "smtp_url", "public_url")
    values = {f"CAIRN_{name.upper()}": str(getattr(own, name)) for name in names}
    if own.mailbox_url:
        values["CAIRN_MAILBOX_URL"] = own.mailbox_url
    servers = {"DATABASE_URL": str(own.database_url), "REDIS_URL": str(own.redis_url)}
    return dict(os.environ) | values | servers | {"PYTHONUNBUFFERED": "1"}


def _answers(host: str, port: int) -> bool:
    probe = http.client.HTTPConnection(host, port, timeout=5)
    try:
        probe.request("HEAD", "/")
        probe.getresponse()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        probe.close()


def _await_web(parts: Supervisor, host: str, port: int, log: Path) -> None:
    """Wait until the site answers a request: the port is open before the application behind it is loaded.

    Errors: ConfigurationError with the end of its log.
    """
    until = time.monotonic() + START_PATIENCE
    while time.monotonic() < until and parts.failures("web") < 3:
        if _answers(_spell(host).strip("[]"), port):
            return
        time.sleep(0.05)
    raise ConfigurationError(f"The web process does not start. Its log {log} ends:\n{process.last_lines(log)}")
