"""Every mail of the corpus is read as the table beside it says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from engine.bounces import Report, classify

CORPUS = Path(__file__).parents[2] / "corpora" / "bounces"
with (CORPUS / "expected.tsv").open(encoding="utf-8") as table:
    EXPECTED = list(csv.DictReader(table, delimiter="\t"))


def _told(report: Report) -> tuple[str, str, str]:
    """Kind, recipients and status of a report as the table has them."""
    recipients = ",".join(sorted((each.recipient or "-").lower() for each in report.verdicts))
    worst = next((each for each in report.verdicts if each.kind == report.kind), None)
    return report.kind, recipients or "-", (worst.status if worst else None) or "-"


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row["file"])
def test_a_mail_is_read_as_the_table_says(row: dict[str, str]) -> None:
    raw = (CORPUS / f"{row['file']}.eml").read_bytes()
    recipients = ",".join(sorted(row["recipients"].lower().split(",")))
    assert _told(classify(raw)) == (row["kind"], recipients, row["status"])


def test_every_bounce_says_why_in_at_most_300_characters_on_one_line() -> None:
    for row in EXPECTED:
        for verdict in classify((CORPUS / f"{row['file']}.eml").read_bytes()).verdicts:
            if verdict.kind != "complaint":
                assert verdict.reason, row["file"]
            assert len(verdict.reason or "") <= 300, row["file"]
            assert "\n" not in (verdict.reason or ""), row["file"]


def test_the_corpus_holds_both_sides() -> None:
    others = sum(row["kind"] == "not_a_bounce" for row in EXPECTED)
    assert others >= 40
    assert len(EXPECTED) - others >= 120


def test_the_table_names_every_mail() -> None:
    assert {row["file"] for row in EXPECTED} == {path.stem for path in CORPUS.glob("*.eml")}
