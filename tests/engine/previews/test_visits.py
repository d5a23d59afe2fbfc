"""Links are asked for their head on a real server; what is private is not reached, by no detour either."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.previews.visits import MOST, visit
from engine.webhooks.address import networks

HERE = networks("127.0.0.1/32")
seen: list[tuple[str, str]] = []


class Shop(BaseHTTPRequestHandler):
    """`/404` answers with 404; others redirect."""

    def do_HEAD(self) -> None:
        seen.append((self.command, self.path))
        goals = {"/moved": "/200?x", "/round": "/round", "/inside": "http://169.254.169.254/latest", "/odd": "ftp://x"}
        goal = goals.get(self.path)
        self.send_response(302 if goal else int(self.path[1:4]))
        if goal:
            self.send_header("Location", goal)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "said", "dead"),
    [
        ("/200#part", "answers", False),
        ("/404", "answers with 404", True),
        ("/500", "answers with 500", True),
        ("/403", "answers with 403", False),
        ("/moved", "by a redirect to 127.0.0.1", False),
        ("/round", "more than 5 times", True),
        ("/inside", "169.254.169.254 is no public address", True),
        ("/odd", "no http or https", True),
        ("/\u00e4", "no address", True),
    ],
)
def test_each_answer_is_told(shop: str, path: str, said: str, dead: bool) -> None:
    [found] = visit([shop + path], HERE)
    assert said in found.said and found.dead == dead


def test_only_heads_of_web_links_are_asked_and_nothing_private(shop: str) -> None:
    seen.clear()
    assert visit(["mailto:a@b.example", "tel:1", "#top", ""], HERE) == []
    private = visit([shop + "/200", "http://localhost/", "http://[::ffff:10.0.0.1]/", "http://2130706433/"], ())
    assert all(each.dead and "no public address" in each.said for each in private) and seen == []
    many = visit([f"{shop}/200?{n}" for n in range(MOST + 2)], HERE)
    assert [each.said for each in many[MOST:]] == ["not asked: there are too many"] * 2 and len(seen) == MOST
    assert {command for command, _ in seen} == {"HEAD"}
