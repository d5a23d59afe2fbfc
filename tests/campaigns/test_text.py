"""Changes made by fields are spliced into the author's file."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.campaigns import definition as definitions
from engine.campaigns.definition import Goal, Variant, parse
from engine.campaigns.spans import HOUR
from engine.campaigns.text import spliced

FILE = """\
# The sale of spring, agreed with Åsa
campaign: spring-sale   # never changes
name: Spring sale

audience: plan is "pro"   # paying ones
except: >
  in list "staff"
variants:
  # the control
  - {name: plain, content: spring-a, share: 50%}
  - {name: bold, content: spring-b, share: 50%}   # brave

# when
at: 2026-12-01 09:00+02:00
throttle: 1,000 per hour
"""
READ = parse(FILE)


def test_what_says_the_same_changes_nothing() -> None:
    assert spliced(FILE, READ) == FILE


def test_a_value_is_changed_in_its_place() -> None:
    changed = replace(READ, name="Frühling: “20 %”", audience='plan is "free" # x', throttle=5)
    text = spliced(FILE, changed)
    assert parse(text) == changed
    kept = FILE.splitlines()
    assert [line for line in text.splitlines() if line not in kept] == [
        "name: 'Frühling: “20 %”'",
        "audience: 'plan is \"free\" # x'   # paying ones",
        "throttle: 5 per hour",
    ]


def test_keys_come_and_go_beside_comments_that_stay() -> None:
    changed = replace(
        READ, excluded="", topic="offers", holdout=Decimal("0.1"), goal=Goal("x is 1", HOUR), cap="3 per day"
    )
    text = spliced(FILE, changed)
    assert parse(text) == changed
    assert "except" not in text and text.index("topic:") < text.index("variants:") < text.index("holdout:")
    for comment in ("# The sale", "# never changes", "# paying ones", "# the control", "# brave", "\n\n# when"):
        assert comment in text


def test_variants_are_written_anew_and_the_rest_stays() -> None:
    changed = replace(READ, variants=(Variant("a", "spring-c"),))
    text = spliced(FILE, changed)
    assert parse(text) == changed and "\n# when\nat: 2026-12-01 09:00+02:00" in text


@pytest.mark.parametrize("source", ["{campaign: x, audience: a is 1}", "no: [yaml", "", "- a"])
def test_where_nothing_can_be_spliced_the_file_is_written_anew(source: str) -> None:
    assert spliced(source, READ) == definitions.as_yaml(READ)
