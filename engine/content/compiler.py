"""The process in which contents are compiled: `python -m engine.content.compiler` answers requests, one a line.

Each request is answered by a fork with limits on time, memory and output, so a template bomb kills that fork and
nothing else, and what Python, Jinja and MJML need to start is paid once for many contents.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from typing import Any, NoReturn

from engine.content.compile import compile_source
from engine.content.snippets import Snippet
from engine.content.trial import try_out
from engine.errors import LanguageError

cpu_seconds = 3
wall_seconds = 15
idle_seconds = 30
memory_bytes = 768 * 1024 * 1024
output_bytes = 8 * 1024 * 1024
warming = "---\nsubject: x\n---\n<mjml><mj-body><mj-raw>{{ x }}</mj-raw></mj-body></mjml>"


def too_much(what: str) -> LanguageError:
    """The refusal of a template that takes too much."""
    hint = "look for nested loops and texts that double themselves"
    return LanguageError(f"The template {what}.", hint=hint)


def limit() -> None:
    """Bind this process to its limits, for good."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(wall_seconds)


def reply_to(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request: `data` and `warnings`, or `error`."""
    known = None if request["known"] is None else frozenset(request["known"])
    try:
        library = {name: Snippet(**each) for name, each in request["library"].items()}
        own = request["text"], request["channel"], known, request["base"], request["language"]
        compiled = compile_source(*own, library)
        warnings = compiled.warnings + try_out(compiled.data)
    except LanguageError as error:
        return refused(error)
    except (MemoryError, RecursionError):
        return refused(too_much("takes too much memory"))
    return {"data": compiled.data, "warnings": warnings}


def refused(error: LanguageError) -> dict[str, Any]:
    """An error as it travels."""
    fields = ("message", "line", "column", "expected", "hint")
    return {"error": {name: getattr(error, name) for name in fields}}


def answer(line: bytes) -> bytes:
    """The reply to one line, made by a fork."""
    ours, theirs = os.pipe()
    fork = os.fork()
    if fork == 0:
        os.close(ours)
        _in_fork(line, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        reply = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
    if code == 0 and reply:
        return reply
    what = f"takes more than {cpu_seconds} seconds or too much memory" if code < 0 else "takes too much memory"
    return json.dumps(refused(too_much(what))).encode()


def _in_fork(line: bytes, pipe: int) -> NoReturn:
    """Answer and end, whatever happens: a fork must not go on as its parent."""
    try:
        limit()
        try:
            reply = json.dumps(reply_to(json.loads(line)))
        except Exception as error:
            reply = json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]})
        if len(reply) > output_bytes:
            reply = json.dumps(refused(too_much("gives too long a text")))
        with os.fdopen(pipe, "wb") as out:
            out.write(reply.encode())
        os._exit(0)
    finally:
        os._exit(1)


def serve() -> None:
    """Answer what comes on standard input, until it ends or nothing came for a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends who asks, and that ends this
    try_out(compile_source(warming, "email").data)
    while select.select([sys.stdin], [], [], idle_seconds)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            break
        sys.stdout.buffer.write(answer(line) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
