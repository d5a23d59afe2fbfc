"""The sender's journal: what was tried and what was answered, kept through a `kill -9` of the sender.

An append-only file per sending process in CAIRN_HOME/journal, held under `flock` for the life of the process. A line
`try ID ATTEMPT` is written before the first byte of a message's data, `reply ID ATTEMPT …` after the server's answer.
What rendering decided for this contact alone, dynamic links, chargeable parts and whether it is untracked, stands
behind the try as JSON.
The first line names the boot of the machine: after a reboot the file may lack lines that never reached the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, cast, get_args

from engine.channels.provider import Outcome, Result

boot_file = Path("/proc/sys/kernel/random/boot_id")
outcomes = get_args(Outcome)


def boot() -> str:
    """What changes with each start of the machine; '' where the system does not say."""
    try:
        return boot_file.read_text().strip()
    except OSError:
        return ""


def home_id(folder: Path) -> str:
    """The name of this CAIRN_HOME: journals that begin with it are ours to reap, others belong to another host."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "home-id"
    try:
        with path.open("x") as file:
            file.write(secrets.token_hex(6))
    except FileExistsError:
        pass
    return path.read_text().strip()


class Try(NamedTuple):
    """A message that is about to be sent, with what its ledger row must learn if it was."""

    message: int
    attempt: int
    links: Mapping[int, str] | None = None
    parts: int = 1
    untracked: bool = False

    def line(self) -> str:
        """As it stands in the file."""
        if not self.links and self.parts == 1 and not self.untracked:
            return f"try {self.message} {self.attempt}\n"
        told = {"links": dict(self.links or {}), "parts": self.parts} | ({"untracked": True} if self.untracked else {})
        details = json.dumps(told, separators=(",", ":"))
        return f"try {self.message} {self.attempt} {details}\n"


@dataclass(frozen=True, slots=True)
class Known:
    """What a journal says: per (message id, attempt) the try, and the reply, or None for a try without one.

    `whole` is false if the machine was restarted since: what the file does not say may still have happened.
    """

    entries: dict[tuple[int, int], Result | None]
    whole: bool
    tries: dict[tuple[int, int], Try] = field(default_factory=dict)


class Journal:
    """The journal of this process. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Create a journal in `folder` and lock it. On a full disk raises `OSError` and leaves nothing behind."""
        self.folder = folder
        self._lock = threading.Lock()
        self._replies: list[str] = []
        self._broken = False
        self.name = ""
        self._file = self._create()
        header = f"boot {boot()}\n".encode()
        self.size = 0
        try:
            self._write(header)
        except OSError:
            self.close()
            (folder / self.name).unlink(missing_ok=True)
            raise
        self._header = self.size

    def _create(self) -> int:
        """A new locked file. A reaper that saw it before it was locked may have removed it: then another is made."""
        prefix = home_id(self.folder)
        while True:
            self.name = f"{prefix}-{os.getpid()}-{secrets.token_hex(4)}"
            path = self.folder / self.name
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists():
                return file
            os.close(file)

    def note_reply(self, message: int, attempt: int, result: Result) -> None:
        """Keep a reply for the next append."""
        _, outcome, code, enhanced, text, stage = result
        words = " ".join(text[:200].split())
        line = f"reply {message} {attempt} {outcome} {stage or '-'} {code} {enhanced or '-'} {words}\n"
        with self._lock:
            self._replies.append(line)

    def append(self, tries: Iterable[Try] = ()) -> None:
        """Write tries and the replies kept so far, in one write.

        Raises `OSError` if that fails; then none of it stands in the file, and nothing may be sent.
        """
        with self._lock:
            kept, self._replies = self._replies, []
            data = "".join(kept + [each.line() for each in tries]).encode()
            if not data:
                return
            if self._broken:
                raise OSError("a write failed before and could not be undone")
            try:
                self._write(data)
            except OSError:
                self._replies = kept
                self._undo()
                raise

    def _write(self, data: bytes) -> None:
        if os.write(self._file, data) != len(data):
            raise OSError("the disk is full")
        self.size += len(data)

    def _undo(self) -> None:
        try:
            os.ftruncate(self._file, self.size)
        except OSError:
            self._broken = True

    def reset(self) -> None:
        """Forget everything. Only when all that was tried has its result in the database."""
        with self._lock:
            self._replies = []
            os.ftruncate(self._file, self._header)
            self.size = self._header

    def known(self) -> Known:
        """What this journal says now."""
        self.append()
        return read(self.folder / self.name)

    def close(self) -> None:
        """Give the lock up; the file stays for the reaper."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1


def read(path: Path) -> Known:
    """Replay a journal: later lines of a try replace earlier ones, half a line at the end was never written.

    A line that does not read tells of a damaged disk: then the file is not `whole`.
    """
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
    entries: dict[tuple[int, int], Result | None] = {}
    tries: dict[tuple[int, int], Try] = {}
    whole = bool(lines) and lines[0] == f"boot {boot()}"
    for line in lines[1:]:
        try:
            key, told = _entry(line)
        except ValueError:
            whole = False
            continue
        if isinstance(told, Try):
            tries[key], entries[key] = told, None
        else:
            entries[key] = told
    return Known(entries, whole, tries)


def _entry(line: str) -> tuple[tuple[int, int], Try | Result]:
    """What one line says. Raises ValueError for a line that was not written here."""
    kind, message, attempt, *words = line.split(" ", 7)
    key = int(message), int(attempt)
    if kind == "try":
        return key, _try(*key, *line.split(" ", 3)[3:])
    if kind != "reply" or len(words) < 4 or words[0] not in outcomes:
        raise ValueError(line)
    outcome, stage, code, enhanced, *text = words
    given = "" if enhanced == "-" else enhanced
    result = Result(key[0], cast(Outcome, outcome), int(code), given, "".join(text), "" if stage == "-" else stage)
    return key, result


def _try(message: int, attempt: int, details: str = "{}") -> Try:
    told = json.loads(details)
    try:
        links = {int(position): str(url) for position, url in told.get("links", {}).items()}
        return Try(message, attempt, links or None, int(told.get("parts", 1)), told.get("untracked") is True)
    except (AttributeError, TypeError) as error:
        raise ValueError("a try's details are of another shape") from error


def take_over(path: Path) -> int | None:
    """Lock a journal whose process is gone; None while that process lives. The caller closes the file descriptor."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    if not path.exists():  # another reaper was here between opening and locking
        os.close(file)
        return None
    return file
