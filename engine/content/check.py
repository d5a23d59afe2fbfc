"""Compile and try a content in a process of its own, with limits: a template bomb kills that process and nothing else.

The sandbox of Jinja is no resource limit, and MJML and YAML are compilers too, so all three run in there.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.content.compile import Compiled, compile_source
from engine.content.snippets import Library, Snippet
from engine.content.trial import try_out
from engine.errors import CairnError, LanguageError

cpu_seconds = 3
wall_seconds = 15
memory_bytes = 768 * 1024 * 1024
output_bytes = 8 * 1024 * 1024
module = "engine.content.check"


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
    request = json.dumps(
        {
            "text": text,
            "channel": channel,
            "known": None if known is None else sorted(known),
            "base": base,
            "language": language,
            "library": {name: asdict(each) for name, each in (library or {}).items()},
        }
    )
    root = Path(__file__).resolve().parents[2]
    environment = {"PYTHONPATH": str(root), "PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],
            input=request.encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=wall_seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise too_much(f"does not end within {wall_seconds} seconds") from error
    return answer(done)


def answer(done: subprocess.CompletedProcess[bytes]) -> Compiled:
    """What the process found. Raises LanguageError."""
    if done.returncode < 0:
        raise too_much(f"takes more than {cpu_seconds} seconds or too much memory")
    try:
        reply: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        if "MemoryError" in "".join(last):
            raise too_much("takes too much memory") from error
        raise CairnError(f"The check of the content failed: {''.join(last)[:300] or done.returncode}") from error
    if "error" in reply:
        found = reply["error"]
        raise LanguageError(found["message"], found["line"], found["column"], tuple(found["expected"]), found["hint"])
    return Compiled(reply["data"], reply["warnings"])


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


def reply_to(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request: `data` and `warnings`, or `error`."""
    known = None if request["known"] is None else frozenset(request["known"])
    try:
        library = {name: Snippet(**each) for name, each in request["library"].items()}
        own = request["text"], request["channel"], known, request["base"], request["language"]
        compiled = compile_source(*own, library)
        warnings = compiled.warnings + try_out(compiled.data)
    except LanguageError as error:
        return {"error": vars(error) | {"expected": list(error.expected)}}
    except (MemoryError, RecursionError):
        return {"error": vars(too_much("takes too much memory")) | {"expected": []}}
    return {"data": compiled.data, "warnings": warnings}


def main() -> None:
    """Read a request from standard input, write the answer to standard output."""
    limit()
    reply = json.dumps(reply_to(json.loads(sys.stdin.buffer.read())))
    if len(reply) > output_bytes:
        reply = json.dumps({"error": vars(too_much("gives too long a text")) | {"expected": []}})
    sys.stdout.write(reply)


if __name__ == "__main__":
    main()
