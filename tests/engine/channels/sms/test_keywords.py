"""What people text, and what they mean by it."""

from __future__ import annotations

import pytest

from engine.channels.sms.keywords import keyword


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "Stop.", " STOP PLEASE ", "please stop texting me", "QUIT", "End", "REVOKE", "OPT OUT", "opt-out",
     "Cancel!", "UNSUBSCRIBE", "stopall", "Arrêt", "“STOP”", "STOP\n\nSent from my phone", "Abmelden bitte",
     "СТОП!", "отписаться, пожалуйста", "İPTAL",
     "请退订", "수신거부 해주세요", "إيقاف", "הסר", "बंद करो", "ยกเลิก", "Διαγραφή", "désinscrire", "Dur!"],
)  # fmt: skip
def test_a_wish_to_stop_is_heard_anywhere_in_a_text(text: str) -> None:
    assert keyword(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "nonstop",
        "non-stop flights?",
        "I cancelled it",
        "the weekend",
        "friend",
        "stopping by",
        "",
        "👍",
        "quite nice",
        "no",
        "Das dur-moll Stück",
        "alto saxophone",
        "停车",
    ],
)
def test_part_of_a_word_is_no_wish(text: str) -> None:
    assert keyword(text) is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("START", "start"),
        ("Unstop", "start"),
        ("yes", "start"),
        ("HELP", "help"),
        ("info?", "help"),
        ("Помощь", "help"),
        ("ヘルプ", "help"),
        ("s’abonner", "start"),
    ],
)
def test_start_and_help_are_whole_texts(text: str, wish: str) -> None:
    assert keyword(text) == wish
    assert keyword(f"{text} and more") is None


def test_who_writes_both_wants_to_stop() -> None:
    assert keyword("HELP me STOP") == "stop"
