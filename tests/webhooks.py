"""A real HTTP server on loopback that keeps what it was given and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """`calls` are (headers, body); `answers` are (status, headers, body) for the calls to come, then 200 with `{}`."""

    port: int = 0
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    drip: float = 0.0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    def answer(self, status: int, value: Any = None, **headers: str) -> None:
        """Tell it what to say next; text goes as it is, other values as JSON."""
        body = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers.append((status, {name.replace("_", "-"): one for name, one in headers.items()}, body))

    @property
    def payloads(self) -> list[Any]:
        """The bodies, read."""
        return [json.loads(body) for _, body in self.calls]


@contextmanager
def listening() -> Iterator[Hook]:
    """A server for the length of the block."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, answer = hook.answers.pop(0) if hook.answers else (200, {}, b"{}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            for place in range(0, len(answer), 1 if hook.drip else max(len(answer), 1)):
                time.sleep(hook.drip)
                self.wfile.write(answer[place : place + 1] if hook.drip else answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield hook
    server.shutdown()
    server.server_close()
    thread.join(10)
