"""The SMTP provider as the rest of Cairn uses it, from ordinary synchronous code."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import socket
import threading
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from engine.channels.journal import Journal
from engine.channels.provider import Outgoing, Result
from engine.channels.smtp.delivery import Run
from engine.channels.smtp.handshake import Refused
from engine.channels.smtp.pool import Pool
from engine.channels.smtp.server import Server, Timeouts
from engine.errors import ProviderError

T = TypeVar("T")
patience = 5.0
OnResult = Callable[[Result], None]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed (Windows has none)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop in this thread; once it is stopped its descriptors are given back."""
    try:
        loop.run_forever()
    finally:
        loop.close()


class Transmitter:
    """Sends email over connections that stay open between calls. Its event loop has a thread of its own.

    `url` as in `Server.parse`. Tries and replies go to `journal`. A transmitter belongs to the process that first used
    it.
    """

    channel = "email"

    def __init__(
        self,
        url: str,
        journal: Journal,
        *,
        connections: int = 8,
        timeouts: Timeouts | None = None,
        hostname: str | None = None,
    ) -> None:
        self.server = Server.parse(url)
        self.journal = journal
        self.connections = connections
        self.timeouts = timeouts or Timeouts()
        self.hostname = hostname or socket.gethostname() or "localhost"
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: Pool | None = None
        self._opening: Future[None] | None = None
        self._process = 0

    def open(self) -> None:
        """Have a connection; raises `ProviderError` with the reason if the server cannot be used.

        A server may greet late (RFC 5321 grants it five minutes). The caller waits `patience` seconds, and hardly at
        all while the server is still to answer what an earlier call asked.
        """
        pool = self._started()
        pending = self._opening is not None and not self._opening.done()
        if self._opening is None or not pending:
            self._opening = self._call(pool.open())
        try:
            self._opening.result(patience / 20 if pending else patience)
        except Refused as error:
            raise ProviderError(str(error)) from error
        except TimeoutError as error:
            raise ProviderError(f"{self.server}: no answer yet") from error

    def submit(self, items: Sequence[Outgoing], on_result: OnResult | None = None) -> Future[list[Result]]:
        """Send messages; the future gives one result for each, in the order they came about.

        `on_result` hears each of them in the transmitter's thread and must be quick.
        """
        run = Run(len(items), on_result)
        if not items:
            run.done.set_result([])
            return run.done
        pool = self._started()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(pool.submit, items, run)
        return run.done

    def transmit(self, items: Sequence[Outgoing], on_result: OnResult | None = None) -> list[Result]:
        """Send messages and wait for their results."""
        return self.submit(items, on_result).result()

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """The server keeps what it accepted; nothing is stored here."""

    def close(self) -> None:
        """End the connections and the thread."""
        with self._lock:
            loop, pool = self._loop, self._pool
            self._loop = self._pool = None
        if loop is None or pool is None or self._process != os.getpid():
            return
        asyncio.run_coroutine_threadsafe(pool.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> Pool:
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                self._process = os.getpid()
                self._opening = None
                self._loop = new_event_loop()
                threading.Thread(target=run_until_stopped, args=(self._loop,), name="smtp", daemon=True).start()
                self._pool = self._call(self._make_pool()).result()
            return self._pool

    async def _make_pool(self) -> Pool:
        return Pool(self.server, self.journal, self.connections, self.timeouts, self.hostname)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
