"""Was anybody lost, did anybody get anything twice? The receiver's record is the oracle, the ledger is the accused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock
from tests.invariants import quiet, violations
from tests.nemesis.people import Person

LEDGER = text("""
    select m.state, m.reason, m.token, m.step_id, c.email from messages m join contacts c on c.id = m.contact_id
""")
NOT_SENT = text("select slug || ' is ' || state from campaigns where state <> 'sent' or audience_count = 0")
LEFT_OUT = text("""
select a.contact_id from campaign_contacts a join campaigns c on c.id = a.campaign_id where not exists (
    select from messages m where m.origin_at = c.origin_at and m.campaign_id = c.id and m.contact_id = a.contact_id)
""")
MOST_SHOWN = 5


@dataclass
class Record:
    """The receiver's record. `accepted` counts (recipient, subject) and `tokens` message tokens; `tried`, `refused` and
    `cut` are recipients."""

    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    tried: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    cuts: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, path: Path) -> Record:
        record = cls()
        for line in path.read_text().splitlines():
            what, recipient, token, subject, *_ = line.split("\t")
            record.counts[what] += 1
            if what == "accepted":
                record.accepted[recipient, subject] += 1
                record.tokens[token] += 1
            elif what == "data":
                record.tried.add(recipient)
            elif what == "refused":
                record.refused.add(recipient)
            elif what == "cut":
                record.cuts += 1
        return record


@dataclass
class Verdict:
    """`found` holds by problem who has it, nothing if all is well; `states` are the ledger's; `allowed` is the bound of
    `unknown`."""

    found: dict[str, list[object]] = field(default_factory=lambda: defaultdict(list))
    states: Counter[str] = field(default_factory=Counter)
    allowed: int = 0

    def blame(self, what: str, whom: Iterable[object]) -> None:
        """Note a problem if anybody has it."""
        if found := list(whom):
            self.found[what] += found

    def problems(self) -> list[str]:
        """Each problem on a line, with some of those who have it."""
        return [
            f"{what}: {len(whom)}, such as {', '.join(map(str, whom[:MOST_SHOWN]))}"
            for what, whom in self.found.items()
        ]


def judge(session: Session, people: list[Person], left: set[str], record: Record, in_flight: int) -> Verdict:
    """The whole verdict. `left` are the addresses whose unsubscription was confirmed, `in_flight` see `Nemesis`."""
    verdict = Verdict(allowed=in_flight + record.cuts)
    verdict.blame("invariants broken", violations(session, record.tokens))
    verdict.blame("left to do", quiet(session, clock.now(session)))
    rows = [tuple(row) for row in session.execute(LEDGER)]
    verdict.states = Counter(state if not reason else f"{state} ({reason})" for state, reason, *_ in rows)
    verdict.blame("accepted twice by the receiver", [key for key, count in record.accepted.items() if count > 1])
    failed = [(email, reason) for state, reason, _, _, email in rows if state == "failed"]
    verdict.blame("failed, but not refused by the receiver", [each for each in failed if each[0] not in record.refused])
    _nobody_lost(verdict, people, record, rows)
    _campaign(verdict, session)
    _unknown(verdict, record, rows)
    _events(verdict, session, people, left)
    return verdict


def _nobody_lost(verdict: Verdict, people: list[Person], record: Record, rows: list[tuple[str, ...]]) -> None:
    """Everybody has a first message; who confirmed and stayed has the second of their plan, who left has none."""
    mail: dict[str, dict[str, str]] = defaultdict(dict)
    for state, reason, _, step, email in rows:
        mail[email][step] = f"{state} {reason or ''}".strip()
    gone = {email for email, steps in mail.items() if "failed hard_bounce" in steps.values()}
    for person in people:
        steps = mail[person.email]
        if "hello" not in steps:
            verdict.blame("lost before the first message", [person.email])
        expected = not (person.silent or person.leaving)
        if expected and person.second not in steps:
            verdict.blame("lost before the second message", [person.email])
        others = {step for step in steps if ":" not in step} - {"hello", person.second}  # a campaign's have a colon
        verdict.blame("got what was not for them", [f"{person.email} {step}" for step in others])
        second = steps.get(person.second, "")
        if expected and second.startswith(("suppressed", "cancelled")) and person.email not in gone:
            verdict.blame("second message held back", [f"{person.email} {second}"])
        if not expected and record.accepted[person.email, person.second]:
            verdict.blame("sent to somebody who left or never confirmed (I5)", [f"{person.email} {second}"])


def _campaign(verdict: Verdict, session: Session) -> None:
    """The campaign came to its end, and everybody in its frozen audience has a message."""
    verdict.blame("not sent", session.execute(NOT_SENT).scalars())
    verdict.blame("lost from the campaign's audience", session.execute(LEFT_OUT).scalars())


def _unknown(verdict: Verdict, record: Record, rows: list[tuple[str, ...]]) -> None:
    """Unknown is only what was in its data phase, and no more than could be at the kills and cuts."""
    unknown = [email for state, _, _, _, email in rows if state == "unknown"]
    verdict.blame("unknown, although no data was asked for", [email for email in unknown if email not in record.tried])
    if len(unknown) > verdict.allowed:
        verdict.blame(f"unknown, although at most {verdict.allowed} could be in flight", unknown)


def _events(verdict: Verdict, session: Session, people: list[Person], left: set[str]) -> None:
    """Each event that was answered with 200 is there once."""
    query = "select message_id, count(*) from events where name in ('Signed Up', 'Confirmed') group by 1"
    found = dict(tuple(row) for row in session.execute(text(query)))
    sent = {f"u{person.number}-2" for person in people}
    sent |= {f"u{p.number}-3" for p in people if not p.silent and (not p.leaving or p.email in left)}
    sent |= {f"u{p.number}-3" for p in people if p.leaving and p.silent and p.email in left}
    verdict.blame("events lost", sent - found.keys())
    verdict.blame("events that nobody sent", found.keys() - sent)
    verdict.blame("events twice", [name for name, count in found.items() if count > 1])
