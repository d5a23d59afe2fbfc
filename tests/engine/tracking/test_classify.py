"""The classifier, hit by hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tracking import classify
from engine.tracking.classify import HONEYPOT, RULES, Seen

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
CLASSES = {"human", "proxy_open", "prefetch", "scanner", "unknown"}


def seen(seconds: float = 60, kind: str = "click", position: int | None = 0, **more: object) -> Seen:
    place = position if kind == "click" else None
    values = {"user_agent": FIREFOX, **more}
    return Seen(START + dt.timedelta(seconds=seconds), kind, place, **values)  # type: ignore[arg-type]


def classes(hits: Sequence[Seen], accepted_at: dt.datetime | None) -> list[str]:
    return [verdict.kind for verdict in classify.classify(hits, accepted_at)]


def rules(hits: Sequence[Seen]) -> list[str]:
    return [verdict.rule for verdict in classify.classify(hits, START)]


@pytest.mark.parametrize(
    ("hit", "expected"),
    [
        (seen(kind="open"), "human"),
        (seen(), "human"),
        (seen(user_agent=IPHONE), "human"),
        (seen(kind="open", user_agent=GMAIL), "proxy_open"),
        (seen(kind="open", user_agent="YahooMailProxy; https://help.yahoo.com/kb/SLN28749.html"), "proxy_open"),
        (seen(user_agent=GMAIL), "scanner"),
        (seen(kind="open", user_agent="Mozilla/5.0"), "unknown"),
        (seen(user_agent="Mozilla/5.0"), "unknown"),
        (seen(kind="open", user_agent=None), "unknown"),
        (seen(user_agent=""), "unknown"),
        (seen(method="HEAD"), "scanner"),
        (seen(method="OPTIONS"), "scanner"),
        (seen(kind="open", method="HEAD"), "scanner"),
        (seen(headers={"Sec-Purpose": "prefetch;prerender"}), "prefetch"),
        (seen(headers={"Purpose": "prefetch"}), "prefetch"),
        (seen(headers={"X-Purpose": "preview"}), "prefetch"),
        (seen(kind="open", headers={"X-Moz": "prefetch"}), "prefetch"),
        (seen(headers={"Sec-Fetch-Mode": "navigate"}), "human"),
        (seen(user_agent="python-requests/2.32"), "scanner"),
        (seen(user_agent="curl/8.5.0"), "scanner"),
        (seen(user_agent="Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), "scanner"),
        (seen(user_agent="WhatsApp/2.23.20.0"), "scanner"),
        (seen(user_agent="Mozilla/5.0 Chrome/42.0.2311.135 Edge/12.246 Gmail-content-sampling"), "scanner"),
        (seen(user_agent="Mozilla/5.0 (compatible; SomeChecker/1.0; +https://checker.example/about)"), "scanner"),
        (seen(kind="open", user_agent="Mozilla/4.0 (compatible; ms-office; MSOffice 16)"), "human"),
        (seen(user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel)"), "scanner"),
        (seen(position=HONEYPOT), "scanner"),
        (seen(seconds=3, user_agent="Mozilla/5.0"), "scanner"),
        (seen(seconds=3), "human"),
        (seen(seconds=3, kind="open", user_agent="Mozilla/5.0"), "unknown"),
    ],
)  # fmt: skip
def test_a_single_hit_is_judged_by_what_it_shows(hit: Seen, expected: str) -> None:
    assert classes([hit], START) == [expected]


def test_three_different_links_within_two_seconds_are_a_scanners() -> None:
    hits = [seen(60, position=0), seen(61, position=1), seen(62, position=2)]
    assert classes(hits, START) == ["scanner"] * 3


def test_three_links_in_three_seconds_and_two_in_one_are_a_persons() -> None:
    assert classes([seen(60, position=0), seen(61.5, position=1), seen(63, position=2)], START) == ["human"] * 3
    assert classes([seen(60, position=0), seen(60.5, position=1), seen(61, position=1)], START) == ["human"] * 3


def test_only_the_burst_is_the_scanners_and_the_person_who_comes_later_is_not() -> None:
    burst = [seen(20 + n / 10, position=n) for n in range(5)]
    assert classes([*burst, seen(300, position=1)], START) == ["scanner"] * 5 + ["human"]


def test_an_open_amid_a_burst_stays_an_open() -> None:
    burst = [seen(20 + n / 10, position=n) for n in range(5)]
    assert classes([*burst, seen(20.1, kind="open", user_agent=GMAIL)], START)[-1] == "proxy_open"


def test_who_follows_the_hidden_link_is_a_machine_with_all_its_clicks() -> None:
    hits = [seen(60, position=0), seen(61, position=HONEYPOT), seen(600, position=0)]
    assert classes(hits, START) == ["scanner", "scanner", "human"]


def test_who_follows_one_link_after_the_other_up_to_the_hidden_one_is_a_machine_with_all_its_clicks() -> None:
    slow = [seen(60 + 1.5 * n, position=n) for n in range(8)] + [seen(72, position=HONEYPOT)]
    after = [seen(73.9, position=1), seen(76, position=2)]
    assert rules([*slow, *after]) == ["breath"] * 8 + ["hidden_link", "breath", "person"]
    assert rules(slow[:8]) == ["person"] * 8


def test_a_known_scanner_beside_a_click_right_after_acceptance_gives_it_away() -> None:
    scan = seen(3, kind="open", user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel)")
    assert rules([scan, seen(4)]) == ["program", "too_soon"]
    late = seen(63, kind="open", user_agent="Slackbot-LinkExpanding 1.0")
    assert rules([late, seen(64)]) == ["program", "person"]


def test_a_person_who_clicks_twice_and_colleagues_behind_one_address_are_people() -> None:
    assert rules([seen(60), seen(60.4)]) == ["person", "person"]


def test_a_probe_before_a_click_gives_a_machine_away_only_right_after_acceptance() -> None:
    assert classes([seen(4, method="HEAD"), seen(5)], START) == ["scanner", "scanner"]
    assert classes([seen(64, method="HEAD"), seen(65)], START) == ["scanner", "human"]
    assert classes([seen(4, method="HEAD"), seen(5)], None) == ["scanner", "human"]


anything = st.builds(
    Seen,
    at=st.integers(0, 6000).map(lambda ms: START + dt.timedelta(milliseconds=ms)),
    kind=st.sampled_from(["open", "click"]),
    position=st.none() | st.integers(0, HONEYPOT),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]),
    user_agent=st.none() | st.text(max_size=30) | st.sampled_from([FIREFOX, GMAIL, "Mozilla/5.0"]),
    headers=st.none() | st.dictionaries(st.sampled_from(["Purpose", "X-Moz", "Via"]), st.text(max_size=10), max_size=2),
)


@given(st.lists(anything, max_size=12), st.randoms(use_true_random=False))
def test_every_hit_gets_one_class_whatever_the_order(hits: list[Seen], random: object) -> None:
    found = classes(hits, START)
    assert len(found) == len(hits)
    assert set(found) <= CLASSES
    assert set(rules(hits)) <= RULES.keys()
    pairs = list(zip(hits, found, strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined]
    assert classes([hit for hit, _ in pairs], START) == [class_ for _, class_ in pairs]
