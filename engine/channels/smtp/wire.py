"""One TCP connection to an SMTP server: bytes out, replies in."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from engine.channels.smtp.reply import ProtocolError, Reply, ReplyReader


class Lost(Exception):
    """The connection ended; the text says how."""


class Listener(Protocol):
    """Who hears the replies once the connection is set up."""

    def reply(self, reply: Reply) -> None:
        """A whole reply came."""

    def lost(self, reason: str) -> None:
        """The connection ended; comes once, and last."""


class Wire(asyncio.Protocol):
    """Hands replies to its listener; before it has one, `ask` waits for them one by one."""

    def __init__(self) -> None:
        self.reader = ReplyReader()
        self.listener: Listener | None = None
        self.transport: asyncio.Transport | None = None
        self.reason = ""
        self.closed = False
        self._early: list[Reply] = []
        self._waiter: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its base class

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        try:
            replies = self.reader.feed(data)
        except ProtocolError as error:
            return self.abort(str(error))
        for reply in replies:
            if self.closed:
                return None
            self._hear(reply)
        return None

    def _hear(self, reply: Reply) -> None:
        if self.listener is not None:
            self.listener.reply(reply)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(reply)
        else:
            self._early.append(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection ended."""
        self._end(str(exc) if exc else "the server closed the connection")

    def _end(self, reason: str) -> None:
        if self.closed:
            return
        self.closed, self.reason = True, self.reason or reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Lost(self.reason))
        if self.listener is not None:
            self.listener.lost(self.reason)

    def write(self, *pieces: bytes) -> None:
        """Send bytes."""
        if self.transport is not None:
            self.transport.writelines(pieces)

    @property
    def quiet(self) -> bool:
        """Whether nothing came that has not been asked for."""
        return self.reader.empty and not self._early

    @property
    def backlog(self) -> int:
        """Bytes that wait to leave this machine."""
        return self.transport.get_write_buffer_size() if self.transport is not None and not self.closed else 0

    def abort(self, reason: str) -> None:
        """End the connection at once, and tell the listener."""
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abort()
        self._end(reason)

    def close(self, reason: str) -> None:
        """End the connection after what was written, and tell the listener now."""
        if self.transport is not None:
            self.transport.close()
        self._end(reason)

    async def ask(self, command: bytes, timeout: float) -> Reply:
        """Send a command (b'' for none) and wait for its reply; raises `Lost` and `TimeoutError`."""
        if command:
            self.write(command)
        if self._early:
            return self._early.pop(0)
        if self.closed:
            raise Lost(self.reason)
        self._waiter = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(timeout):
            return await self._waiter
