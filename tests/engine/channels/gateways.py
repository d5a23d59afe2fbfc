"""Gateways of the tests' own: an HTTP server that answers as told, and an SMPP server of another library."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import smpp34

from engine.channels.naming import Naming
from engine.channels.provider import Outgoing, Rendered
from engine.signing import Signer

NAMING = Naming("https://x.example", Signer(b"tests"))
ORIGIN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def text_to(number: str, words: str, id_: int = 1) -> Outgoing:
    """A text as the sender hands it over."""
    return Outgoing(id_, 1, "shop", number, lambda: Rendered(words.encode()), "token", ORIGIN)


@dataclass
class Asked:
    """A request that came."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@contextmanager
def http_gateway(answer: Callable[[Asked], tuple[int, bytes]]) -> Iterator[tuple[int, list[Asked]]]:
    """Its port, and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query.encode())

        def _answer(self, body: bytes) -> None:
            fields = dict(parse_qsl(body.decode("utf-8", "replace")))
            one = Asked(urlsplit(self.path).path, fields, dict(self.headers), body)
            asked.append(one)
            status, body = answer(one)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Centre:
    """An SMPP server in its own thread. `decide` gives a message id, a status to refuse with, or None to hang up."""

    port: int
    decide: Callable[[Any], str | int | None]
    submitted: list[Any] = field(default_factory=list)
    bound: list[Any] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def deliver(self, **fields: Any) -> int:
        """Hand a text or a receipt to the last session that receives; the status of its answer."""
        target = [one for one in self.bound if one.can_receive][-1]

        async def hand_over() -> int:
            return (await target.deliver_sm(**fields)).command_status

        return asyncio.run_coroutine_threadsafe(hand_over(), self.loop).result(20)

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = smpp34.Server("127.0.0.1", self.port, system_id="centre")
        await server.start()
        ready.set()
        ended = asyncio.create_task(stop.wait())
        while True:
            upcoming = asyncio.ensure_future(server.next())
            await asyncio.wait([upcoming, ended], return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                upcoming.cancel()
                break
            await self._handle(upcoming.result())
        await server.stop()

    async def _handle(self, event: Any) -> None:
        if isinstance(event, smpp34.Esme):
            self.bound.append(event)
        elif isinstance(event, smpp34.SubmitSmEvent):
            self.submitted.append(event)
            decided = self.decide(event)
            if isinstance(decided, str):
                event.accept(decided)
            elif decided is None:
                await self.bound[-1].unbind()
            else:
                event.reject(decided)


@contextmanager
def centre(port: int, decide: Callable[[Any], str | int | None]) -> Iterator[Centre]:
    """Run the server for the block."""
    made = Centre(port, decide)
    ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=lambda: made.loop.run_until_complete(made.serve(ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield made
    finally:
        made.loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        made.loop.close()
