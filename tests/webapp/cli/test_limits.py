"""`cairn limits`."""

from __future__ import annotations

from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_limits_are_set_shown_and_lifted(cairn: Cairn) -> None:
    cairn("topics", "set", "orders")
    for given in (("cap", "email", "3 per week"), ("cap", "topic:orders", "1 per day"), ("quiet", "sms", "21:00-8:00")):
        assert cairn("limits", "set", *given).exit_code == 0
    assert cairn("limits", "set", "unlimited", "topic:orders", "yes").exit_code == 0
    assert cairn("limits", "show").output.splitlines() == [
        "cap\temail\t3 per week",
        "cap\ttopic:orders\t1 per day",
        "quiet\temail\tnone",
        "quiet\tsms\t21:00-08:00",
        "unlimited\ttopic:orders\tyes",
    ]
    for given in (("cap", "email"), ("cap", "topic:orders"), ("quiet", "sms"), ("unlimited", "orders")):
        assert cairn("limits", "set", *given, "none").exit_code == 0
    assert cairn("limits", "show").output.splitlines() == ["quiet\temail\tnone", "quiet\tsms\tnone"]


def test_what_is_no_limit_is_refused_in_words(cairn: Cairn) -> None:
    refused = cairn("limits", "set", "cap", "email", "often")
    assert (refused.exit_code, "Write 3 per week" in refused.output) == (1, True)
    assert cairn("limits", "set", "cap", "topic:none", "1 per day").exit_code == 1
    assert cairn("limits", "set", "unlimited", "orders", "perhaps").exit_code == 2
