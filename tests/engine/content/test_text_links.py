"""Which addresses of a text are tracked, and which are left as they are."""

from __future__ import annotations

import pytest

from engine.content.compile import compile_source
from engine.rendering import sms
from engine.signing import Signer

ONE = "---\ntracking: true\n---\n"


def rendered(body: str, front: str = ONE, **links: str) -> tuple[str, list[str]]:
    compiled = compile_source(front + body, "sms").data
    text = sms.load(compiled).render({"code": "A1", "url": "https://x.example/own"}, links).text
    return text, [link["url"] for link in compiled["links"]]


@pytest.mark.parametrize(
    ("body", "tracked"),
    [
        ("Sale: https://x.example/a.", ["https://x.example/a"]),
        ("(https://x.example/a), or HTTP://X.example/b!", ["https://x.example/a", "HTTP://X.example/b"]),
        ("https://x.example/a?b={{ code }} now", []),
        ("https://x.example/p.{{ code }}", []),
        ("https://x.example/{% if code %}y{% endif %}", []),
        ("{{ url }} and https://x.example/a {{ code }}", ["https://x.example/a"]),
        ("{% if code %}https://x.example/a {% endif %}b", ["https://x.example/a"]),
        ("no address: x.example/a", []),
    ],
)
def test_addresses_without_variables_are_tracked_without_the_sentence_around_them(
    body: str, tracked: list[str]
) -> None:
    text, found = rendered(body)
    assert found == tracked
    assert (
        text == sms.load(compile_source(body, "sms").data).render({"code": "A1", "url": "https://x.example/own"}).text
    )


def test_a_link_takes_the_address_that_is_given_for_it() -> None:
    text, _ = rendered("A https://x.example/a B https://x.example/b.", cairn_l2="https://go.example/s/t")
    assert text == "A https://x.example/a B https://go.example/s/t."


def test_texts_are_not_tracked_unless_they_say_so_and_tags_go_to_the_destination() -> None:
    assert rendered("https://x.example/a", front="") == ("https://x.example/a", [])
    front = "---\ntracking: true\nutm: {source: sms}\n---\n"
    assert rendered("https://x.example/a", front)[1] == ["https://x.example/a?utm_source=sms"]


def test_tokens_of_texts_are_short_and_cannot_be_made_up() -> None:
    signer = Signer(b"tests")
    token = signer.brief(2**40 + 7, 3)
    assert len(token) == 24 and signer.read_brief(token) == (2**40 + 7, 3)
    others = (token[:-1] + ("A" if token[-1] != "A" else "B"), "B" + token[1:], token + "A", token[:-1], "é" * 24, "")
    assert [signer.read_brief(one) for one in others] == [None] * 6
    assert Signer(b"others").read_brief(token) is None
