"""What is unwise about an email is told at the author's line."""

from __future__ import annotations

import pytest

from engine.content.compile import compile_source
from engine.content.contrast import faint, ratio, read_colour
from tests.engine.content.samples import column, content

front = "subject: Hello\npreheader: What is new"
words = "<mj-text>Enough words to read here, so that the text part is not empty.</mj-text>"


def told(inside: str, head: str = front) -> list[tuple[str, int]]:
    body = column(inside + words).replace("<mjml>", '<mjml lang="en">')
    made = compile_source(content(body, head), "email")
    return [(note["kind"], note["line"]) for note in made.warnings if note["kind"] not in ("footer", "uncovered")]


@pytest.mark.parametrize(
    ("inside", "kind"),
    [
        ('\n<mj-image src="https://a.example/i.png" />', "alt"),
        ('\n<mj-text><img src="https://a.example/i.png"></mj-text>', "alt"),
        ('\n<mj-text><a href="https://a.example/"> </a></mj-text>', "link"),
        ('\n<mj-button href="https://a.example/"></mj-button>', "link"),
        ('\n<mj-text><a href="https://a.example/"><img src="https://a.example/i.png" alt=""></a></mj-text>', "link"),
        ('\n<mj-text><a href="#">Go</a></mj-text>', "link"),
        ("\n<mj-button>Go</mj-button>", "link"),
        ('\n<mj-text><a href="shop/new">Go</a></mj-text>', "link"),
        ('\n<mj-text><a href="http://a.example/">Go</a></mj-text>', "http"),
        ('\n<mj-image alt="x" src="http://a.example/i.png" />', "http"),
        ("\n<mj-text><table><tr><td>x</td></tr></table></mj-text>", "table"),
        ('\n<mj-text>More <a href="https://a.example/"> Click\n here! </a></mj-text>', "words"),
        ('\n<mj-button href="https://a.example/">Weiterlesen</mj-button>', "words"),
        ('\n<mj-image alt="IMG_12.JPG" src="https://a.example/i.png" />', "alt"),
        ("\n<mj-text><h1>One</h1><h3>Three</h3></mj-text>", "heading"),
        ('\n<mj-text color="#aaaaaa">Faint words</mj-text>', "contrast"),
        ('\n<mj-text><span style="color:#777;background:#555">Faint words</span></mj-text>', "contrast"),
    ],
)
def test_each_fault_is_told_once_at_its_line(inside: str, kind: str) -> None:
    assert told(inside) == [(kind, 6)]


@pytest.mark.parametrize(
    "inside",
    [
        '\n<mj-image alt="" src="https://a.example/i.png" />',
        '\n<mj-text><a href="{{ event.url }}">{{ event.name }}</a></mj-text>',
        '\n<mj-text><a href="https://a.example/"><img alt="Shop" src="https://a.example/i.png"></a></mj-text>',
        '\n<mj-text><a href="mailto:a@b.example">Write</a> <a href="#top">Up</a> <a name="top"></a></mj-text>',
        '\n<mj-text><table role="presentation"><tr><td>x</td></tr></table></mj-text>',
        '\n<mj-text color="{{ colour }}">Who knows</mj-text>',
        "\n<mj-text><h2>Two</h2><h3>Three</h3><h1>One</h1><h2>Two</h2></mj-text>",
        '\n<mj-text><a href="https://a.example/">Here are <b>the beans</b></a> {{ x }}</mj-text>',
        '\n<mj-text><a href="https://a.example/" aria-label="The story of beans">Read more</a></mj-text>',
        '\n<mj-text><a href="https://a.example/">{{ x }} here</a></mj-text>',
        '\n<mj-text color="#aaaaaa"><a href="https://a.example/" style="color:#000">Clear</a></mj-text>',
        '\n<mj-button href="https://a.example/?a={{ \'"\' }}">Go {% if n < 3 %}now{% endif %}</mj-button>',
    ],
)
def test_what_is_well_is_not_complained_of(inside: str) -> None:
    assert told(inside) == []


def test_the_heading_and_the_text_part_are_looked_at() -> None:
    long = "subject: '" + "Very long {{ n }} " * 9 + "'"
    assert told("", long) == [("preheader", 1), ("subject", 2)]
    made = compile_source(content(column("<mj-text>Hi</mj-text>"), front), "email")
    assert {"text", "lang"} <= {note["kind"] for note in made.warnings}


def test_many_faults_of_a_kind_become_five() -> None:
    made = compile_source(content(column('<mj-image src="https://a.example/i.png" />' * 30 + words), front), "email")
    alts = [note["message"] for note in made.warnings if note["kind"] == "alt"]
    assert len(alts) == 5 and alts[-1].endswith("There are 25 more like it.")


def test_contrast_is_that_of_wcag() -> None:
    white, grey = read_colour("#fff"), read_colour("rgb(118, 118, 118)")
    assert white and grey and round(ratio(white, grey), 2) == 4.54
    assert read_colour("var(--x)") is None
    assert faint('<style>.a{color:red}</style><p class="a" style="background:#f00">who knows</p>') == []
    assert [one.text for one in faint('<p style="color:#ccc">dim<br>more<b style="color:#000">x</b></p>')] == [
        "dim",
        "more",
    ]
    assert faint('<p style="color:#888;font-size:30px">large</p>') == []
