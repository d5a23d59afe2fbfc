"""A sending process as the worker runs it: `python -m benchmarks.sender DATABASE_URL WORKSPACE HOME SMTP_URL`.

It says `ready` once it has its connections, sends what is due for each line that it reads, and says `done`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import memory
from engine.db import Database
from engine.messages.sending import Sender
from engine.signing import Signer
from journeys.gate import exit_check

SITE, CONNECTIONS = "https://mail.bench.example", 8
signer = Signer(b"benchmark")


class Senders:
    """Running processes."""

    def __init__(self, children: list[subprocess.Popen[str]]) -> None:
        self.children = children
        self.pids = [child.pid for child in children]

    def send(self) -> None:
        """Have all of them send until nothing is due."""
        for child in self.children:
            assert child.stdin
            print("go", file=child.stdin, flush=True)
        for child in self.children:
            _heard(child, "done")


def _heard(child: subprocess.Popen[str], word: str) -> None:
    assert child.stdout
    if child.stdout.readline().strip() != word:
        raise RuntimeError("A sender has ended.")


@contextmanager
def senders(database: Database, home: Path, smtp_url: str, count: int) -> Iterator[Senders]:
    """`count` processes for the length of the block."""
    command = [sys.executable, "-m", __name__, database.url, database.workspace, str(home), smtp_url]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        for child in children:
            _heard(child, "ready")
        yield Senders(children)
    finally:
        for child in children:
            child.communicate()


def main(database_url: str, workspace: str, home: str, smtp_url: str) -> None:
    """Until standard input ends."""
    database = Database(database_url, workspace=workspace)
    sender = Sender(Path(home), smtp_url, site=SITE, signer=signer, connections=CONNECTIONS)
    memory.expect_batches()
    sender.send(database, exit_check=exit_check)
    print("ready", flush=True)
    for _ in sys.stdin:
        while sender.send(database, exit_check=exit_check) or sender.busy:
            pass
        print("done", flush=True)
    sender.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
