"""The mutants: what each takes away, and which tests have to notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIGRATION = "engine/migrations/versions/0001_the_first_slice.py"
DEATHS = "tests/model/test_model.py::test_workers_die_one_after_the_other_at_each_point_of_a_job"
RACES = "tests/journeys/runtime/test_races.py"


@dataclass(frozen=True)
class Mutant:
    """A change of one place of the product. `removes` says what the product lacks then; `suite` are pytest's
    arguments for the tests that have to fail."""

    name: str
    removes: str
    file: str
    before: str
    after: str
    suite: tuple[str, ...]

    def apply(self, folder: Path) -> None:
        """Change the copy in `folder`. The place must be there exactly once, or the mutant tests nothing."""
        path = folder / self.file
        source = path.read_text()
        assert source.count(self.before) == 1, (
            f"{self.name}: {self.file} has its place {source.count(self.before)} times"
        )
        path.write_text(source.replace(self.before, self.after))


MUTANTS = (
    Mutant(
        "unique-message",
        "the unique key of messages (enrolment, step, visit)",
        MIGRATION,
        """        sa.UniqueConstraint(
            "origin_at",
            "enrolment_id",
            "step_id",
            "visit",
            name=op.f("messages_origin_at_enrolment_id_step_id_visit_key"),
        ),
""",
        "",
        ("tests/journeys/runtime/test_fences.py",),
    ),
    Mutant(
        "unique-campaign-message",
        "the unique key of messages (campaign, contact)",
        "engine/migrations/versions/0004_campaign_key.py",
        """COLUMNS, unique=True,""",
        "COLUMNS, unique=False,",
        ("tests/campaigns/test_sending.py",),
    ),
    Mutant(
        "claim-not-committed",
        "the commit of state `sending` before the first byte of DATA",
        "engine/messages/claim.py",
        "    counts = Counter(each.verdict.reason or each.verdict.action for each in ended)\n",
        """    session.execute(
        text("update messages set state = 'queued', claimed_at = null, journal = null where id = any(:ids)"),
        {"ids": [each.id for each in going]},
    )
    counts = Counter(each.verdict.reason or each.verdict.action for each in ended)
""",
        (f"{DEATHS}[send]",),
    ),
    Mutant(
        "try-not-journalled",
        "the `try` in the journal before the first byte of DATA",
        "engine/channels/smtp/pool.py",
        """self.journal.append(
                Try(each.item.id, each.item.attempt, each.rendered.links, each.rendered.parts, each.rendered.untracked)
                for _, each in pending
            )""",
        "self.journal.append()",
        (f"{DEATHS}[send]",),
    ),
    Mutant(
        "reaper-without-lock",
        "the reaper's lock of the journal, which a living sender holds",
        "engine/channels/journal.py",
        "        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "        pass\n",
        ("tests/model/test_model.py::test_a_sender_that_stands_still_is_left_alone",),
    ),
    Mutant(
        "late-results",
        "`attempts = the try` where results are written",
        "engine/messages/results.py",
        " and m.attempts = u.attempt\n",
        "\n",
        ("tests/engine/messages/test_fences.py",),
    ),
    Mutant(
        "slot-twice",
        "UNIQUE (schedule, slot)",
        MIGRATION,
        '        sa.PrimaryKeyConstraint("schedule", "slot", name=op.f("schedule_slots_pkey")),\n',
        "",
        ("tests/workers/test_scheduler.py",),
    ),
    Mutant(
        "claim-reads-first",
        "the second read after the claim of messages: what a single statement would see, whose snapshot is older than "
        "its locks",
        "engine/messages/claim.py",
        """    rows = session.execute(lock_due, {"channel": channel, "now": now, "limit": limit}).all()
    candidates = _one_per_contact(rows)
    if not candidates:
        return Claim([], Counter(), 0)
    known = facts.read(session, channel, candidates, now, signer, pressure)
""",
        """    due = {"channel": channel, "now": now, "limit": limit}
    seen = _one_per_contact(session.execute(text(lock_due.text.split("for update")[0]), due).all())
    known = facts.read(session, channel, seen, now, signer, pressure)
    candidates = _one_per_contact(session.execute(lock_due, due).all())
    if not candidates:
        return Claim([], Counter(), 0)
    facts._names(session, candidates, facts.Known(now, pressure))
""",
        ("tests/engine/messages/test_fences.py",),
    ),
    Mutant(
        "one-snapshot",
        "the second read after the claim of entries: claim and read share one snapshot",
        "engine/db.py",
        "            pool_pre_ping=True,\n",
        '            pool_pre_ping=True,\n            isolation_level="REPEATABLE READ",\n',
        ("tests/journeys/runtime/test_races.py",),
    ),
    Mutant(
        "no-turns",
        "the turn of matching: entries begin while somebody else looks for open ones",
        "journeys/runtime/turn.py",
        'TRY = f"select pg_try_advisory_xact_lock({KEY})"\n',
        'TRY = "select true"\n',
        (f"{RACES}::test_a_goal_hears_what_happened_while_somebody_else_began_the_entry",),
    ),
    Mutant(
        "events-by-an-old-catalogue",
        "the condition that events are taken only by a catalogue that knows every journey",
        "journeys/runtime/match.py",
        "and (select {STAMP}) = %s\n    returning id, contact_id, name,",
        "and %s::text <> ''\n    returning id, contact_id, name,",
        (f"{RACES}::test_an_event_taken_with_a_catalogue_from_before_the_publish_enters",),
    ),
    Mutant(
        "changes-by-an-old-catalogue",
        "the condition that changes are taken only by a catalogue that knows every journey",
        "journeys/runtime/match.py",
        "and (select {STAMP}) = %s returning",
        "and %s::text <> '' returning",
        (f"{RACES}::test_a_change_taken_with_a_catalogue_from_before_the_publish_enters",),
    ),
    Mutant(
        "carried-without-visits",
        "the count of visits of people who are put back to a step",
        "journeys/runtime/carry.py",
        "recount=_meets_again(version.program, move, former)",
        "recount=False",
        ("tests/journeys/runtime/test_carrying.py",),
    ),
)
