"""SMTP servers for the tests: one that answers as a table says, and Postfix's smtp-sink. All on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.channels.provider import Outgoing, Rendered

sink = "/usr/sbin/smtp-sink"
Answer = bytes | Callable[["Scripted", str], bytes]
close = b"<close>"
hang = b"<hang>"
pipelining = b"250-test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES"


@dataclass
class Scripted:
    """Answers by verb: bytes, or a function of the line; `.` answers the end of the data, `greet` the connection.

    Verbs without an answer get 250 (354 for DATA). `close` ends the connection, `hang` says nothing any more.
    What was heard stands in `lines`, messages taken with 250 in `messages`.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    ehlo: bytes = pipelining
    lines: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def answer(self, verb: str, line: str) -> bytes:
        default = {"greet": b"220 test", "EHLO": self.ehlo, "DATA": b"354 go", "QUIT": b"221 bye"}.get(
            verb, b"250 2.0.0 ok"
        )
        given = self.answers.get(verb, default)
        return given(self, line) if callable(given) else given

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            if await self.say(writer, self.answer("greet", "")):
                while await self.turn(reader, writer):
                    pass
            await reader.read()  # one that hangs does so until the client leaves
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            return False
        self.lines.append(line)
        verb = line.split(" ")[0].upper()
        answer = self.answer(verb, line)
        if not await self.say(writer, answer):
            return False
        if verb == "DATA" and answer.startswith(b"354"):
            data = await self.data(reader)
            answer = self.answer(".", data.decode("utf-8", "replace"))
            if data and answer.startswith(b"250"):
                self.messages.append(data)
            return await self.say(writer, answer)
        return verb != "QUIT"

    async def data(self, reader: asyncio.StreamReader) -> bytes:
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise asyncio.IncompleteReadError(b"", None)
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    async def say(self, writer: asyncio.StreamWriter, answer: bytes) -> bool:
        if answer == close:
            writer.close()
        if answer in (close, hang):
            return False
        writer.write(answer + b"\r\n")
        await writer.drain()
        return True


@contextlib.contextmanager
def scripted(**answers: Answer) -> Iterator[Scripted]:
    """A running `Scripted` with these answers; `end` stands for the end of the data."""
    script = Scripted()
    script.ehlo = answers.pop("ehlo", pipelining)  # type: ignore[assignment]
    names = {"end": ".", "greet": "greet"}
    script.answers = {names.get(name, name.upper()): answer for name, answer in answers.items()}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(script.serve, "127.0.0.1", 0), loop).result()
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        asyncio.run_coroutine_threadsafe(shut(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(2)
        loop.close()


async def shut(server: asyncio.Server) -> None:
    """Stop listening and end the conversations at hand."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextlib.contextmanager
def smtp_sink(*options: str) -> Iterator[str]:
    """A running smtp-sink; gives its URL. Skips the test where Postfix is not installed."""
    if shutil.which(sink) is None:
        pytest.skip("Postfix's smtp-sink is not installed")
    port = free_port()
    process = subprocess.Popen([sink, "-u", "root", *options, f"127.0.0.1:{port}", "100"])
    try:
        await_port(port)
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise AssertionError("the server did not start")


@contextlib.contextmanager
def listening(serve: Callable[[int, asyncio.Event], Coroutine[Any, Any, object]]) -> Iterator[int]:
    """A server of ours on a free port, in a thread of its own, until the block ends: `serve(port, stop)`."""
    port, loop, started = free_port(), asyncio.new_event_loop(), Future[asyncio.Event]()

    async def run() -> None:
        stop = asyncio.Event()
        started.set_result(stop)
        await serve(port, stop)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    await_port(port)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(started.result().set)
        thread.join(10)
        loop.close()


def letters(count: int, body: bytes = b"Subject: hello\r\n\r\nhello\r\n") -> list[Outgoing]:
    """Messages 1 to `count`, to user1@example.com and so on."""
    return [
        Outgoing(n, 1, "news@example.com", f"user{n}@example.com", lambda: Rendered(body)) for n in range(1, count + 1)
    ]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key, as files."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    crt, pem = folder / "server.crt", folder / "server.key"
    crt.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, encoding, no_password))
    return crt, pem
