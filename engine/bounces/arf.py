"""Complaints: abuse reports (RFC 5965), and those that providers send in forms of their own."""

from __future__ import annotations

import re

from engine.bounces.addresses import address
from engine.bounces.clues import Clues, original_recipients
from engine.bounces.decoding import normal
from engine.bounces.dsn import Group, groups

NO_COMPLAINT = ("not-spam", "auth-failure", "dmarc")
"""not-spam takes a complaint back (RFC 5965 7.3); auth-failure (RFC 6591) is about a signature, not of a person."""
MOST = 50
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
        abuse = [each for each in _reports(clues.feedback or clues.human) if not _kind(each).startswith(NO_COMPLAINT)]
        if not abuse:
            return "not_a_bounce", [], None
        told = dict.fromkeys(found for report in abuse for found in recipients(clues, report))
        return "complaint", list(told), f"Feedback-Type: {kind}" if (kind := _kind(abuse[0])) else None
    subject = normal(clues.mail.first("subject"))
    if SUBJECTS.search(subject) and clues.original and "undeliver" not in subject:
        return "complaint", recipients(clues, {}), clues.mail.first("subject")[:300]
    if "x-hmxmroriginalrecipient" in clues.original and "staff@" in clues.mail.first("from"):
        return "complaint", recipients(clues, {}), clues.mail.first("subject")[:300]
    return None


def _reports(text: str) -> list[Group]:
    """The reports in a mail, at least one, each by its fields. Blank lines within one are none of the standard's."""
    reports: list[Group] = [{}]
    for group in groups(text):
        if "feedback-type" in group and "feedback-type" in reports[-1] and len(reports) < MOST:
            reports.append({})
        reports[-1] = {**group, **reports[-1]}
    return reports


def _kind(report: Group) -> str:
    return report.get("feedback-type", "").strip().lower()


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
