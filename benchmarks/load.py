"""A load generator: one thread, many keep-alive connections, each with one request on its way."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Load:
    """What came back. Latencies are in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def latency(self, share: float) -> float:
        """The latency that this share of the answers stayed below, in milliseconds."""
        return sorted(self.latencies)[int(share * (len(self.latencies) - 1))] * 1000


@dataclass
class Connection:
    """One socket and the answer that it waits for."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


def get(path: str, headers: str = "User-Agent: Mozilla/5.0 (X11) Firefox/140.0\r\n") -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def post(path: str, body: bytes, headers: str) -> bytes:
    """A POST request of JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def run(port: int, requests: Iterator[bytes], connections: int) -> Load:
    """Send all requests over `connections` sockets and wait for the answers."""
    load, selector = Load(), selectors.DefaultSelector()
    started, open_ = time.perf_counter(), 0
    for _ in range(connections):
        if (request := next(requests, None)) is None:
            break
        opened = socket.create_connection(("127.0.0.1", port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(opened, selectors.EVENT_READ, Connection(opened, time.perf_counter()))
        opened.sendall(request)
        open_ += 1
    while open_:
        for key, _ in selector.select():
            open_ -= not _receive(key.data, requests, load)
            if key.data.socket.fileno() < 0:
                selector.unregister(key.fd)
    load.seconds = time.perf_counter() - started
    return load


def _receive(connection: Connection, requests: Iterator[bytes], load: Load) -> bool:
    """Take what came; after a whole answer send the next request. False when there is none left."""
    connection.received += (piece := connection.socket.recv(65_536))
    if not piece:
        raise ConnectionError("the server closed the connection")
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    if not separator or length is None or len(body) < int(length[1]):
        return True
    now = time.perf_counter()
    status = int(head[9:12])
    load.statuses[status] = load.statuses.get(status, 0) + 1
    load.latencies.append(now - connection.sent_at)
    connection.received = b""
    request = next(requests, None)
    if request is None:
        connection.socket.close()
        return False
    connection.sent_at = now
    connection.socket.sendall(request)
    return True
