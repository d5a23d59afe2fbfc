"""What tracking adds to links: a honeypot, and tags for web analytics."""

from __future__ import annotations

import re

import pytest

from engine.content.compile import compile_source
from engine.errors import LanguageError
from engine.rendering.email import load
from engine.rendering.honeypot import POSITION
from engine.rendering.utm import query, tagged
from tests.engine.content.samples import compiled, envelope, html_of, mjml, rendered, text_of

LINK = '<a href="https://shop.example/sale?x=1#top">Sale</a> <a href="{{ url }}">Yours</a>'
UTM = "subject: Hello\nutm: {source: news, campaign: spring sale}"


def test_a_tracked_email_holds_one_link_that_nobody_sees() -> None:
    message = rendered(mjml(LINK), {"url": "https://shop.example/you"})
    page = html_of(message)
    hidden = re.findall(r"<a [^>]*display:none[^>]*></a>", page)
    assert len(hidden) == 1 and 'tabindex="-1"' in hidden[0] and 'aria-hidden="true"' in hidden[0]
    address = re.search(r'href="([^"]+)"', hidden[0])
    assert address and address[1] == envelope().click_urls((POSITION,))[0]  # type: ignore[misc]
    assert address[1] not in text_of(message)


def test_an_email_without_tracking_has_no_honeypot() -> None:
    assert 'display:none;mso-hide:all;"></a>' not in html_of(
        rendered(mjml(LINK), {}, "subject: Hello\ntracking: false")
    )
    untracked = load(compiled(mjml(LINK)).data).render({}, envelope(click_urls=None))
    assert f"cairn_l{POSITION}" not in html_of(untracked) and 'tabindex="-1"' not in html_of(untracked)


def test_tags_go_into_fixed_links_and_those_of_one_contact() -> None:
    artefact = compiled(mjml(LINK), UTM).data
    assert artefact["links"][0]["url"] == "https://shop.example/sale?x=1&utm_source=news&utm_campaign=spring%20sale#top"
    message = load(artefact).render({"url": "https://shop.example/you?utm_source=own"}, envelope())
    assert list(message.dynamic_links.values()) == [
        "https://shop.example/you?utm_source=own&utm_campaign=spring%20sale"
    ]
    mail = load(artefact).render({"url": "mailto:a@x.example"}, envelope())
    assert mail.dynamic_links == {} and 'mailto:a@x.example"' in html_of(mail)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example", "https://x.example?utm_source=a"),
        ("https://x.example/?", "https://x.example/?utm_source=a"),
        ("https://x.example/?b=1&", "https://x.example/?b=1&utm_source=a"),
        ("https://x.example/#f?g", "https://x.example/?utm_source=a#f?g"),
        ("https://x.example/?UTM_SOURCE=z", "https://x.example/?UTM_SOURCE=z"),
    ],
)
def test_a_tag_is_added_once_and_before_the_fragment(url: str, expected: str) -> None:
    assert tagged(url, query({"source": "a"})) == expected


@pytest.mark.parametrize("front", ["utm: news", "utm: {sauce: news}", "utm: {source: [a]}"])
def test_tags_of_another_kind_are_refused_where_they_stand(front: str) -> None:
    with pytest.raises(LanguageError, match="utm names tags") as told:
        compile_source(f"---\nsubject: Hi\n{front}\n---\n{mjml(LINK)}", "email")
    assert told.value.line == 3


def test_pages_of_ours_are_neither_tracked_nor_tagged_whatever_the_author_writes_around_them() -> None:
    body = mjml(
        '<a href="{{ unsubscribe_url }}?lang=de">a</a> <a href="{{ preferences_url }}#topics">b</a> '
        '<a href="{% if vip %}{{ preferences_url }}{% else %}{{ unsubscribe_url }}{% endif %}">c</a>'
    )
    message = rendered(body, {}, UTM)
    page, leaving = html_of(message), "https://t.example.com/u/" + "x" * 90
    assert message.dynamic_links == {}
    assert f'href="{leaving}?lang=de"' in page and f'href="{leaving}"' in page
    assert 'href="https://t.example.com/p/tok#topics"' in page and "utm_" not in page
