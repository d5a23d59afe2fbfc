"""Complaints: abuse reports (RFC 5965), and those that providers send in forms of their own."""

from __future__ import annotations

import re

from engine.bounces.addresses import address
from engine.bounces.clues import Clues, original_recipients
from engine.bounces.decoding import normal
from engine.bounces.dsn import Group, groups

NO_COMPLAINT = ("not-spam", "auth-failure", "dmarc")
"""not-spam takes a complaint back (RFC 5965 7.3); auth-failure (RFC 6591) is about a signature, not of a person."""
SUBJECTS = re.compile(
    r"complaint about message from|email feedback report for ip|abuse report|spam complaint|feedback loop"
    r"|complaint from|abuse complaint|fbl report|spam report|client tos notification|\[aol\] spam"
)
REPORT_NAMES = ("original-rcpt-to", "original-rcpt-to-again", "removal-recipient")
ORIGINAL_NAMES = (
    "x-hmxmroriginalrecipient",
    "x-original-to",
    "delivered-to",
    "x-delivered-to",
    "x-envelope-to",
    "x-rcpt-to",
    "to",
)


def complaint(clues: Clues) -> tuple[str, list[str | None], str | None] | None:
    """Kind, recipients and reason of a report of abuse; None when the mail is none."""
    if clues.feedback or clues.report_type == "feedback-report":
        report = _fields(clues.feedback or clues.human)
        kind = report.get("feedback-type", "").strip().lower()
        if kind.startswith(NO_COMPLAINT):
            return "not_a_bounce", [], None
        return "complaint", recipients(clues, report), f"Feedback-Type: {kind}" if kind else None
    subject = normal(clues.mail.first("subject"))
    if SUBJECTS.search(subject) and clues.original and "undeliver" not in subject:
        return "complaint", recipients(clues, {}), clues.mail.first("subject")[:300]
    if "x-hmxmroriginalrecipient" in clues.original and "staff@" in clues.mail.first("from"):
        return "complaint", recipients(clues, {}), clues.mail.first("subject")[:300]
    return None


def _fields(text: str) -> Group:
    fields: Group = {}
    for group in groups(text):
        fields = {**group, **fields}
    return fields


def recipients(clues: Clues, report: Group) -> list[str | None]:
    """Whom the mail complained of went to: what the report says; else what the original says."""
    named = [report.get(name, "") for name in REPORT_NAMES] + clues.original.get(ORIGINAL_NAMES[0], [])
    told = [found for value in named if (found := address(value)) and not _hidden(found)]
    if told:
        return list(dict.fromkeys(told))
    written = [each for each in original_recipients(clues) if not _hidden(each)]
    delivered = (address(clues.original.get(name, [""])[0]) for name in ORIGINAL_NAMES)
    return [*written[:1]] or [next((each for each in delivered if each and not _hidden(each)), None)]


def _hidden(text: str) -> bool:
    return text.lower().startswith(("redacted", "undisclosed", "[redacted"))
