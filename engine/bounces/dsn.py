"""Delivery status notifications: RFC 3464, with the international forms of RFC 6533."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from engine.bounces.addresses import address, typed_address
from engine.bounces.failure import Failure

FIELD = re.compile(r"[ \t]{0,8}([A-Za-z][A-Za-z0-9-]{1,40})[ \t]{0,4}:(.*)")
STATUS = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")
REPLY = re.compile(r"(?<![\d.#])([45]\d\d)(?=[ -]|$)(?!-\d{3}-\d{4})")
EXPANDED = re.compile(
    r"\((?:expanded from|generated from|reason: forwarded from):?\s{0,4}<?([^<>()\s]{3,254})>?\)", re.IGNORECASE
)
DIAGNOSTICS = ("diagnostic-code", "diagnostic-code-again", "x-smtp-diagnostic", "x-supplementary-info")
PER_RECIPIENT = ("final-recipient", "original-recipient", "x-actual-recipient")
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
MAX_GROUPS = 100

SYSEXITS = {"65": "data error", "67": "user unknown", "68": "host unknown", "75": "temporary failure"}
"""What a local program ended with (sysexits.h), as Sendmail reports it."""

Group = dict[str, str]


def groups(text: str) -> Iterator[Group]:
    """The groups of fields in a report, names in lower case, values unfolded. A group without a blank line before it
    begins where a recipient is named a second time."""
    group: Group = {}
    name = ""
    for line in text.split("\n"):
        found = FIELD.match(line)
        if not line.strip():
            if group:
                yield group
            group, name = {}, ""
        elif line[:1] in (" ", "\t") and name and not (found and found[1].lower() in PER_RECIPIENT):
            if len(group[name]) < 8000:
                group[name] += " " + line.strip()
        elif found:
            name = found[1].lower()
            if name == "final-recipient" and name in group:
                yield group
                group = {}
            if name in group:
                name = f"{name}-again"
            group[name] = found[2].strip()
        elif name and len(group[name]) < 8000:
            group[name] += " " + line.strip()
    if group:
        yield group


def failures(status: str, human: str = "") -> list[Failure]:
    """One for each recipient that the report names, whatever its action."""
    found = []
    for number, group in enumerate(groups(status)):
        if number > MAX_GROUPS:
            break
        if any(name in group for name in PER_RECIPIENT) or ("action" in group and "status" in group):
            found.append(_failure(group, human))
    return [_with_expansion(found[0], human)] if len(found) == 1 else found


def _with_expansion(failure: Failure, human: str) -> Failure:
    """A mail that went to a program: what it was expanded from stands beside the program's name, not the address."""
    named = {match[1].strip("<>") for match in EXPANDED.finditer(human[:8000])}
    if failure.expanded or not failure.piped or len(named) != 1:
        return failure
    return replace(failure, expanded=address(named.pop()))


def _failure(group: Group, human: str) -> Failure:
    final = typed_address(group.get("final-recipient", ""))
    original = typed_address(group.get("original-recipient", ""))
    actual = typed_address(group.get("x-actual-recipient", ""))
    status = STATUS.search(group.get("status", ""))
    action = next((each for each in ACTIONS if group.get("action", "").strip().lower().startswith(each)), "")
    return Failure(
        recipient=original or final or actual,
        action=action or ("failed" if group.get("action", "").lower().startswith("fail") else ""),
        status=status[0] if status else "",
        diagnostic=_diagnostic(group),
        expanded=_expanded(human, final) if final and not original else None,
        piped="|" in group.get("x-actual-recipient", ""),
    )


def _diagnostic(group: Group) -> str:
    said = " ".join(group[name] for name in DIAGNOSTICS if name in group)
    kind, semicolon, rest = said.partition(";")
    if "unix" in kind.lower():
        rest = SYSEXITS.get(rest.strip(), rest)
    said = rest.strip() if semicolon and re.fullmatch(r"\s{0,4}[\w .-]{1,24}\s{0,4}", kind) else said
    comment = group.get("status", "").partition("(")[2].rstrip(") ")
    return said or comment or group.get("x-notes-item", "")


def _expanded(human: str, final: str) -> str | None:
    """The address before a server's own expansion: Postfix and Exim say it beside the final one."""
    place = human.find(final)
    match = EXPANDED.search(human, place, place + len(final) + 300) if place >= 0 else None
    return address(match[1]) if match else None
