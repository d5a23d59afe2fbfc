"""PostgreSQL and Redis for whoever needs them: one's own, those of a running site, or started for the occasion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine.errors import ConfigurationError
from engine.settings import Settings
from workers.embedded import places, running
from workers.embedded.postgres import Postgres, start_postgres
from workers.embedded.redis_server import RedisServer, start_redis

PATIENCE = 60.0
RETRY_SECONDS = 5.0
STARTS: Mapping[str, Callable[[Path], Postgres | RedisServer]] = {"PostgreSQL": start_postgres, "Redis": start_redis}


@dataclass(frozen=True)
class Urls:
    """Where the servers are. `migrated` means that a running site has migrated the database."""

    database_url: str
    redis_url: str
    smtp_url: str | None = None
    address: str | None = None
    migrated: bool = False


@contextmanager
def servers(settings: Settings) -> Iterator[Urls]:
    """The servers of this installation, for the length of the block.

    With DATABASE_URL and REDIS_URL these are yours. Else, if this home runs already, they are its servers; else they
    are started and stopped again. To be called in a thread that outlives the block, see `process.spawn`.
    Errors: ConfigurationError if they do not start, or if another process neither starts nor stops within a minute.
    """
    home = settings.home
    if settings.database_url and settings.redis_url:
        site = running.read(home)
        smtp, address = (site.smtp_url, site.address) if site else (None, None)
        yield Urls(settings.database_url, settings.redis_url, settings.smtp_url or smtp, address, site is not None)
        return
    with ExitStack() as stack:
        yield _find_or_start(settings, stack)


def _find_or_start(settings: Settings, stack: ExitStack) -> Urls:
    """Take the home's lock and start, or join who holds it; that one may be about to start or to stop."""
    home, until = settings.home, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if held := places.lock(home):
            return _start(settings, stack, held)
        claim = stack.enter_context(ExitStack())
        if site := claim.enter_context(running.using(home)):
            smtp_url, migrated = settings.smtp_url or site.smtp_url, site.kind == "up"
            return Urls(site.database_url, site.redis_url, smtp_url, site.address, migrated)
        claim.close()
        time.sleep(0.05)
    raise ConfigurationError(f"Another Cairn is starting or stopping in {home}. Try again, or run `cairn down`.")


def _start(settings: Settings, stack: ExitStack, held: IO[str]) -> Urls:
    stack.enter_context(held)
    urls, _ = stack.enter_context(started(settings))
    site = running.Running("command", urls.database_url, urls.redis_url)
    stack.enter_context(running.published(settings.home, site, patient=True))
    return urls


@dataclass
class Embedded:
    """The servers that this process has started, by name; to be used in the thread that started them."""

    home: Path
    servers: dict[str, Postgres | RedisServer] = field(default_factory=dict)
    retry_at: float = 0.0

    def start(self, name: str) -> str:
        """Start a server of `STARTS`; its URL, which is the same at every start. Errors: ConfigurationError."""
        self.servers[name] = STARTS[name](self.home)
        return self.servers[name].url

    def tend(self, report: Callable[[str], None]) -> None:
        """Start again what has ended; what cannot start now, as on a full disk, is tried again some seconds later."""
        if time.monotonic() < self.retry_at:
            return
        for name in [name for name, server in self.servers.items() if server.child.poll() is not None]:
            try:
                self.start(name)
                report(f"{name} had ended and runs again.")
            except ConfigurationError as error:
                self.retry_at = time.monotonic() + RETRY_SECONDS
                report(f"{name} has ended and does not start again yet: {error}")

    def stop(self) -> None:
        """Stop them, in the opposite order."""
        for server in reversed(self.servers.values()):
            server.stop()


@contextmanager
def started(settings: Settings) -> Iterator[tuple[Urls, Embedded]]:
    """Start those servers that the settings do not name. The caller holds the home's lock."""
    embedded = Embedded(Path(settings.home))
    try:
        database_url = settings.database_url or embedded.start("PostgreSQL")
        redis_url = settings.redis_url or embedded.start("Redis")
        yield Urls(database_url, redis_url, settings.smtp_url), embedded
    finally:
        embedded.stop()
