"""A real SMTP server on loopback that counts what it accepts: the receiver's own record."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.channels.smtp.transmitter import run_until_stopped


@dataclass
class Receiver:
    """`accepted` counts recipients; `messages` keeps (recipient, bytes) when asked to."""

    port: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    keep: bool = False

    @property
    def url(self) -> str:
        """For CAIRN_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"


class Conversation(asyncio.Protocol):
    """RFC 5321 with PIPELINING (RFC 2920), without any refusal."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver, self.buffer, self.recipients, self.in_data = receiver, b"", list[str](), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 test\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._one():
            pass

    def _one(self) -> bool:
        end = self.buffer.find(b"\r\n.\r\n" if self.in_data else b"\r\n")
        if end < 0:
            return False
        if self.in_data:
            body, self.buffer = self.buffer[: end + 2], self.buffer[end + 5 :]
            self._accept(body)
        else:
            line, self.buffer = self.buffer[:end], self.buffer[end + 2 :]
            self._command(line)
        return True

    def _accept(self, body: bytes) -> None:
        self._take(body)
        self.transport.write(b"250 2.0.0 accepted\r\n")

    def _take(self, body: bytes) -> None:
        self.in_data = False
        for recipient in self.recipients:
            self.receiver.accepted[recipient] += 1
            if self.receiver.keep:
                self.receiver.messages.append((recipient, body.replace(b"\r\n..", b"\r\n.")))
        self.recipients = []

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.transport.write(b"250-test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        elif verb == b"RCPT":
            self.recipients.append(line.split(b"<", 1)[1].split(b">", 1)[0].decode())
            self.transport.write(b"250 ok\r\n")
        elif verb == b"DATA":
            self.in_data = True
            self.transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 ok\r\n")


@contextmanager
def recording_server(
    keep: bool = False, receiver: Receiver | None = None, conversation: type[Conversation] = Conversation
) -> Iterator[Receiver]:
    """A receiver on a free port, in a thread of its own, for the length of the block."""
    receiver, loop, ready = receiver or Receiver(keep=keep), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = await loop.create_server(lambda: conversation(receiver), "127.0.0.1", 0)
        receiver.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        run_until_stopped(loop)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
