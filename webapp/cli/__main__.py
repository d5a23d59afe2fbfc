"""`python -m webapp.cli` is `cairn`, also where no script of that name is on the path."""

from __future__ import annotations

from webapp.cli import main

main(prog_name="cairn")
