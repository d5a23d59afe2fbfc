"""The classifier: a mail that came to our bounce address, and what it says of whom."""

from __future__ import annotations

from engine.bounces import arf, dsn, forwarded, screening, text
from engine.bounces.addresses import same
from engine.bounces.clues import Clues, gather, original_recipients
from engine.bounces.failure import Failure
from engine.bounces.mime import read
from engine.bounces.report import NOT_A_BOUNCE, Report, Verdict, report
from engine.bounces.tokens import token
from engine.bounces.verdict import is_challenge, judge

REASON_CHARACTERS = 300
NESTED = 2  # a bounce that a gateway wrapped and a person passed on
LISTS = {"list-id", "list-post", "x-beenthere", "mailing-list", "x-mailman-version", "x-mailing-list", "errors-to"}
PASSED = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "x-forwarded-to", "x-forwarded-for")


def classify(raw: bytes) -> Report:
    """What a mail says. Never raises; looks at the first 2 MB."""
    return _classify(gather(read(raw)), 0)


def _classify(clues: Clues, depth: int) -> Report:
    reference = token(clues)
    complained = arf.complaint(clues)
    if complained:
        kind, recipients, reason = complained
        if kind == "not_a_bounce":
            return NOT_A_BOUNCE
        return report(tuple(Verdict(kind, each, None, reason, reference) for each in recipients))
    reported = dsn.failures(clues.status, clues.human)
    if reported and not (clues.in_text and screening.is_from_a_person(clues)):
        failed = [each for each in reported if _is_failed(each)]
        return report(_verdicts(clues, failed, reference))
    if not screening.is_bounce(clues):
        return _forwarded(clues, depth)
    inner = NOT_A_BOUNCE if "@" in clues.human else _forwarded(clues, depth)
    return inner if inner.verdicts else report(_verdicts(clues, text.failures(clues), reference))


def _is_failed(failure: Failure) -> bool:
    """RFC 3464 2.3.3; a report without an action is one of failure when its status is."""
    if is_challenge(failure.diagnostic):
        return False
    if failure.action:
        return failure.action == "failed"
    return not failure.status.startswith("2") and bool(failure.status or failure.diagnostic)


def _forwarded(clues: Clues, depth: int) -> Report:
    """A bounce that somebody passes on."""
    for raw in forwarded.whole(clues) if depth < NESTED else ():
        inner = _classify(gather(read(raw)), depth + 1)
        if inner.verdicts:
            return inner
    return NOT_A_BOUNCE


def _verdicts(clues: Clues, failed: list[Failure], reference: str | None) -> tuple[Verdict, ...]:
    verdicts: dict[str | None, Verdict] = {}
    for failure in failed:
        around = failure.diagnostic or text.about(clues.human, failure.recipient or "")
        judged = judge(failure, around, clues.human)
        recipient = _recipient(clues, failure, alone=len(failed) == 1)
        reason = " ".join(around.split())[:REASON_CHARACTERS]
        verdict = Verdict(judged.kind, recipient, judged.status, reason or None, reference)
        verdicts.setdefault(recipient.casefold() if recipient else None, verdict)
    return tuple(verdicts.values())


def _recipient(clues: Clues, failure: Failure, *, alone: bool) -> str | None:
    """The address that we sent to: what the mail was expanded from; what the report names; else the original's To."""
    named = failure.expanded or failure.recipient
    recipients = original_recipients(clues)
    if not alone or len(recipients) != 1:
        return named
    if named is None or (not same(named, recipients[0]) and _passed_through(clues, recipients[0])):
        return recipients[0]
    return named


def _passed_through(clues: Clues, sent_to: str) -> bool:
    """Whether the original was delivered to this address before it was forwarded to the one that failed.

    A mailing list does the same, but its subscribers are not whom the mail was written to.
    """
    if clues.original.keys() & LISTS and not token(clues):
        return False
    for name in PASSED:
        for value in clues.original.get(name, [])[:20]:
            if sent_to.casefold() in value.casefold():
                return True
    return False
