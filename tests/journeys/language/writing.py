"""Files around the steps that a test is about."""

from __future__ import annotations

HEAD = "journey: x\nenter: {on: Signed Up}\nsteps:\n"


def steps(*lines: str) -> str:
    """A file whose steps begin on line 4."""
    return HEAD + "\n".join(lines) + "\n"
