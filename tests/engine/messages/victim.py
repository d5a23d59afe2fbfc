"""A sender in a process of its own that kills itself (SIGKILL) at a named instant. Run by test_kill.py."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from engine.channels.journal import Journal
from engine.channels.provider import Result
from engine.channels.smtp.dialogue import Dialogue
from engine.db import Database
from engine.messages import turn
from tests.engine.messages.ledger import sender


def die(*args: Any, **options: Any) -> Any:
    """The end."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Any) -> Any:
    """`function`, and then the end."""

    def run(*args: Any, **options: Any) -> Any:
        function(*args, **options)
        die()

    return run


def append_then_die_on_reply(journal: Journal, tries: Any = ()) -> None:
    """The real append; the end once a reply stands in the file."""
    replied = bool(journal._replies)
    append(journal, tries)
    if replied:
        die()


def die_on_reply(journal: Journal, message: int, attempt: int, result: Result) -> None:
    """The end after the server's answer, before it is written down."""
    if result.stage == "dot":
        die()
    note_reply(journal, message, attempt, result)


append, note_reply = Journal.append, Journal.note_reply
instants: dict[str, tuple[object, str, Any]] = {
    "before the claim": (turn, "claim", die),
    "after the claim": (turn.Composer, "outgoing", die),
    "while rendering": (turn.Composer, "_render", die),
    "before the try": (Dialogue, "_data", die),
    "after the try": (Dialogue, "transfer", die),
    "after the data": (Dialogue, "transfer", after(Dialogue.transfer)),
    "after the reply": (Journal, "note_reply", die_on_reply),
    "after the reply is journalled": (Journal, "append", append_then_die_on_reply),
    "before the results": (turn, "write_results", die),
    "inside the results": (turn.status, "write", die),
}


def main(database_url: str, workspace: str, home: str, smtp_url: str, instant: str) -> None:
    """Send until the instant comes."""
    owner, name, replacement = instants[instant]
    setattr(owner, name, replacement)
    sender(Path(home), smtp_url, connections=1, batch=4).send(Database(database_url, workspace=workspace))
