"""HTTP from outside: what the shop's server and its customers' programs send, over kept connections."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from engine.errors import CairnError

CONNECTIONS = 4
PER_BATCH = 100


class Unexpected(CairnError):
    """The site gave an answer that the demo did not expect."""


class Client:
    """Calls to a site at `address`, with the API key of the shop."""

    def __init__(self, address: str, api_key: str) -> None:
        self.host = urlsplit(address).netloc
        self.authorization = "Basic " + base64.b64encode(f"{api_key}:".encode()).decode()
        self.pool = ThreadPoolExecutor(CONNECTIONS)
        self._kept = threading.local()

    def record(self, calls: list[dict[str, Any]]) -> None:
        """POST /v1/batch, a hundred calls at a time; returns when all of them are durable."""
        batches = [calls[i : i + PER_BATCH] for i in range(0, len(calls), PER_BATCH)]
        for batch in batches:
            body = json.dumps({"batch": batch}).encode()
            headers = {"Content-Type": "application/json", "Authorization": self.authorization}
            self._expect("POST", "/v1/batch", body, headers, {200})

    def visit(self, requests: Iterable[tuple[str, str, str]]) -> None:
        """(method, address, user agent) of pixels, links and unsubscribe buttons, several at once."""
        list(self.pool.map(lambda request: self._visit(*request), requests))

    def _visit(self, method: str, url: str, agent: str) -> None:
        body = b"List-Unsubscribe=One-Click" if method == "POST" else b""
        headers = {"User-Agent": agent}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._expect(method, urlsplit(url).path, body, headers, {200, 302})

    def _expect(self, method: str, path: str, body: bytes, headers: dict[str, str], expected: set[int]) -> None:
        status, answer = self._call(method, path, body, headers)
        if status not in expected:
            raise Unexpected(f"{method} {path.split('/')[1]} answered {status}: {answer[:200]!r}")

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """One request on this thread's connection; a connection that the server closed is opened anew once."""
        for attempt in (1, 2):
            connection = getattr(self._kept, "connection", None) or HTTPConnection(self.host, timeout=30)
            self._kept.connection = connection
            try:
                connection.request(method, path, body or None, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (HTTPException, OSError):
                self._kept.connection = None
                connection.close()
                if attempt == 2:
                    raise
        raise AssertionError

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()
