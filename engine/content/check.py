"""Compile and try a content in a process of its own, with limits: a template bomb kills that process and nothing else.

The sandbox of Jinja is no resource limit, and MJML and YAML are compilers too, so all three run in there
(`engine.content.compiler`). A process that has answered waits for the next content for a while.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from engine.content.compile import Compiled
from engine.content.compiler import too_much, wall_seconds
from engine.content.snippets import Library
from engine.errors import CairnError, LanguageError

module = "engine.content.compiler"
grace_seconds = 5
most_idle = 2


class Compiler:
    """A process that compiles; `owner` is who may talk to it, as forks of that one have its pipes too."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        environment = {"PYTHONPATH": str(root), "PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-P", "-m", module]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.owner = os.getpid()

    def ask(self, line: bytes) -> bytes:
        """The reply to a line, empty if the process has ended. Raises LanguageError if none comes."""
        writing, reading = _pipes(self.process)
        try:
            writing.write(line)
            writing.flush()
        except BrokenPipeError:
            return b""
        if not select.select([reading], [], [], wall_seconds + grace_seconds)[0]:
            raise too_much(f"does not end within {wall_seconds} seconds")
        return reading.readline()

    def end(self) -> None:
        """Let it go."""
        self.process.kill()
        self.process.communicate()


idle: list[Compiler] = []


def compile_safely(
    text: str,
    channel: str,
    known: frozenset[str] | None = None,
    base: str | None = None,
    language: str = "",
    library: Library | None = None,
) -> Compiled:
    """`compile_source` and a trial render, in a process with limits on time, memory and output.

    Raises LanguageError at the author's line, also for a template that takes too much.
    """
    request = {
        "text": text,
        "channel": channel,
        "known": None if known is None else sorted(known),
        "base": base,
        "language": language,
        "library": {name: asdict(each) for name, each in (library or {}).items()},
    }
    return read(ask(json.dumps(request).encode() + b"\n"))


def ask(line: bytes) -> bytes:
    """The reply of a process that waits, or of a new one: one that waits may just have ended."""
    waiting = _waiting()
    return (_asked(waiting, line) if waiting else b"") or _asked(Compiler(), line)


def _asked(compiler: Compiler, line: bytes) -> bytes:
    try:
        reply = compiler.ask(line)
    except BaseException:
        compiler.end()
        raise
    if reply and len(idle) < most_idle:
        idle.append(compiler)
    else:
        compiler.end()
    return reply


def _waiting() -> Compiler | None:
    while idle:
        found = idle.pop()
        if found.owner == os.getpid():
            return found
    return None


@atexit.register
def _end_all() -> None:
    while (found := _waiting()) is not None:
        found.end()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout


def read(line: bytes) -> Compiled:
    """What the process found. Raises LanguageError."""
    reply: dict[str, Any] = json.loads(line) if line else {"failed": "the process that compiles has ended"}
    if "error" in reply:
        found = reply["error"]
        raise LanguageError(found["message"], found["line"], found["column"], tuple(found["expected"]), found["hint"])
    if "failed" in reply:
        raise CairnError(f"The check of the content failed: {reply['failed']}")
    return Compiled(reply["data"], reply["warnings"])
