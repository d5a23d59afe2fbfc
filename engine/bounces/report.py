"""What a mail that came back says: of each recipient, and in all."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("not_a_bounce", "soft", "policy", "hard", "complaint")
"""In order of severity: the kind of a report is the most severe of its verdicts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one recipient. `status` is an RFC 3463 code; `reason` the server's words, one line of at most 300 characters.

    `token` is a reference to a message of ours as the mail gives it; whoever uses it must verify it.
    """

    kind: str
    recipient: str | None
    status: str | None
    reason: str | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Of a whole mail. `verdicts` is empty when it is not a bounce."""

    kind: str
    verdicts: tuple[Verdict, ...]


NOT_A_BOUNCE = Report("not_a_bounce", ())


def report(verdicts: tuple[Verdict, ...]) -> Report:
    """The report with these verdicts, its kind the most severe of theirs."""
    if not verdicts:
        return NOT_A_BOUNCE
    return Report(max((each.kind for each in verdicts), key=KINDS.index), verdicts)
