"""An SMTP server in a process of its own that misbehaves by seed and keeps its own record of what it accepted.

Run as `python -m tests.nemesis.receiver SEED PORT RECORD [calm]`. A line is in the record some while before the reply
to it is on the wire, so that a sender that dies is likely to leave mail behind that was accepted and that it does not
know of. The fields of a line are divided by tabs: what happened, recipient, message token, subject, path of the
unsubscribe button, of the pixel, of a link. What happened: `data` (354 was said), `accepted`, `refused` (for good),
`later` (4xx), `cut` (the connection was closed in DATA or right after it). `calm`, and SIGUSR1, end all misbehaviour.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys
from collections import Counter
from pathlib import Path

FATES = (
    (0.004, "no such user"), (0.008, "refused"), (0.018, "later at rcpt"), (0.028, "later at dot"),
    (0.034, "cut inside"), (0.038, "cut after accepting"), (0.042, "cut without accepting"),
)  # fmt: skip
"""Upper bounds of a number from 0 to 1; above the last one all is well."""

PONDERING = (0.002, 0.03)

HEADERS = {
    "token": re.compile(rb"^Message-ID: <([^@>]+)@", re.MULTILINE | re.IGNORECASE),
    "subject": re.compile(rb"^Subject: ([^\r\n]*)", re.MULTILINE | re.IGNORECASE),
    "unsubscribe": re.compile(rb"(/u/[A-Za-z0-9_-]+)"),
    "pixel": re.compile(rb"(/o/[A-Za-z0-9_-]+)"),
    "link": re.compile(rb"(/c/[A-Za-z0-9_-]+)"),
}


class Receiver:
    """What all conversations share."""

    def __init__(self, seed: int, record: Path) -> None:
        self.seed, self.calm = seed, False
        self.seen: Counter[str] = Counter()
        if record.exists():
            lines = record.read_text().splitlines()
            self.seen.update(line.split("\t")[1] for line in lines if not line.startswith("data\t"))
        self.file = os.open(record, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def fate(self, recipient: str) -> str:
        """What befalls this recipient's next message: the same for the same seed, however the run went."""
        number = random.Random(f"{self.seed} {recipient} {self.seen[recipient]}").random()
        self.seen[recipient] += 1
        return "" if self.calm else next((fate for bound, fate in FATES if number < bound), "")

    def pondering(self) -> float:
        """Seconds between the record and the reply to a message."""
        return 0.0 if self.calm else random.uniform(*PONDERING)

    def note(self, what: str, recipient: str, mail: bytes = b"") -> None:
        """One line of the record, in the hands of the operating system when this returns."""
        whole = mail.replace(b"=\r\n", b"")
        found = [pattern.search(whole) for pattern in HEADERS.values()]
        fields = [what, recipient, *(match[1].decode() if match else "" for match in found)]
        os.write(self.file, ("\t".join(fields) + "\n").encode())


class Conversation(asyncio.Protocol):
    """RFC 5321 with PIPELINING (RFC 2920), one recipient a message."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver, self.buffer, self.recipient, self.fate, self.in_data = receiver, b"", "", "", False
        self.pondering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 nemesis\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not (self.pondering or self.transport.is_closing()) and self._one():
            pass

    def _one(self) -> bool:
        if self.in_data and self.fate == "cut inside" and b"\r\n\r\n" in self.buffer:
            self._cut("cut", self.buffer)
            return False
        end = self.buffer.find(b"\r\n.\r\n" if self.in_data else b"\r\n")
        if end < 0:
            return False
        if self.in_data:
            mail, self.buffer = self.buffer[: end + 2], self.buffer[end + 5 :]
            self._end_of_data(mail)
        else:
            line, self.buffer = self.buffer[:end], self.buffer[end + 2 :]
            self._command(line)
        return True

    def _cut(self, what: str, mail: bytes) -> None:
        self.receiver.note(what, self.recipient, mail)
        self.transport.abort()

    def _end_of_data(self, mail: bytes) -> None:
        self.in_data = False
        if self.fate.startswith("cut"):
            self.receiver.note("cut", self.recipient, mail)
            if self.fate == "cut after accepting":
                self.receiver.note("accepted", self.recipient, mail)
            self.transport.abort()
        elif self.fate == "refused":
            self._ponder("refused", b"554 5.3.0 not this one", mail)
        elif self.fate == "later at dot":
            self._ponder("later", b"451 4.3.0 not now", mail)
        else:
            self._ponder("accepted", b"250 2.0.0 accepted", mail)

    def _answer(self, what: str, reply: bytes, mail: bytes = b"") -> None:
        self.receiver.note(what, self.recipient, mail)
        self.recipient = ""
        self.transport.write(reply + b"\r\n")

    def _ponder(self, what: str, reply: bytes, mail: bytes) -> None:
        """Note what becomes of a message now, and say so some while later; nothing else is answered in between."""
        self.receiver.note(what, self.recipient, mail)
        self.recipient, self.pondering = "", True
        asyncio.get_running_loop().call_later(self.receiver.pondering(), self._say, reply)

    def _say(self, reply: bytes) -> None:
        self.pondering = False
        if not self.transport.is_closing():
            self.transport.write(reply + b"\r\n")
            self._go_on()

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.transport.write(b"250-nemesis\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        elif verb == b"RCPT":
            self._recipient(line.split(b"<", 1)[1].split(b">", 1)[0].decode())
        elif verb == b"DATA":
            self._data()
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 ok\r\n")

    def _recipient(self, recipient: str) -> None:
        self.recipient, self.fate = recipient, self.receiver.fate(recipient)
        if self.fate == "no such user":
            self._answer("refused", b"550 5.1.1 no such user")
        elif self.fate == "later at rcpt":
            self._answer("later", b"450 4.2.1 not now")
        else:
            self.transport.write(b"250 ok\r\n")

    def _data(self) -> None:
        if not self.recipient:
            self.transport.write(b"503 5.5.1 no recipient\r\n")
            return
        self.receiver.note("data", self.recipient)
        self.in_data = True
        self.transport.write(b"354 go on\r\n")


async def main(seed: int, port: int, record: Path, calm: bool) -> None:
    """Serve until killed."""
    receiver = Receiver(seed, record)
    receiver.calm = calm
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(receiver, "calm", True))
    server = await loop.create_server(lambda: Conversation(receiver), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), "calm" in sys.argv[4:]))
