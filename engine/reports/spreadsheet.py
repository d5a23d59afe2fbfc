"""Cells that a spreadsheet will not run as a formula (OWASP, CSV injection)."""

from __future__ import annotations

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: str) -> str:
    """`value`, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{value}" if value.startswith(DANGEROUS) else value
