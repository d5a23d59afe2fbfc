"""The text part reads like a letter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.content.samples import mjml, rendered, text_of

link = '<a href="{{ unsubscribe_url }}"></a>'


@pytest.mark.parametrize(
    ("inside", "context", "expected"),
    [
        ("<h1>Title</h1><p>One  two\n three</p><p>Four</p>", {}, "Title\n=====\n\nOne two three\n\nFour"),
        ("<ul><li>a</li><li>b</li></ul><p>c</p>", {}, "- a\n- b\n\nc"),
        ("<ol><li>a</li><li>b <b>c</b></li></ol>", {}, "1. a\n2. b c"),
        ("a<br>b<br><br>c", {}, "a\nb\n\nc"),
        ("<p>a</p><ul>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ul><p>b</p>", {"l": [1, 2]}, "a\n\n- 1\n- 2\n\nb"),
        ("Hello {% if a %}x{% else %}y{% endif %} z", {}, "Hello y z"),
        ("<p>Q</p><p>{% if a %}x {% endif %}z</p>", {}, "Q\n\nz"),
        ("<p>Q</p><p>{% if a %}x {% endif %}z</p>", {"a": 1}, "Q\n\nx z"),
        ("<p>Q</p>{% if a %}<p>x</p>{% else %}<p>y</p>{% endif %}<p>z</p>", {"a": 1}, "Q\n\nx\n\nz"),
        ("<p>Q</p>{% if a %}<p>x</p>{% else %}<p>y</p>{% endif %}<p>z</p>", {}, "Q\n\ny\n\nz"),
        ("a &amp; b &lt;c&gt; &nbsp; d", {}, "a & b <c> d"),
        ('<a href="mailto:x@example.com">Write</a>', {}, "Write (x@example.com)"),
        ('<a href="#a">Top</a> <a href="https://e.example/"><img src="i" alt="L"></a>', {}, "Top L (https://t.example.com/c/tok/1)"),
        ('a<span style="display:none">hidden<b>x</b></span> b', {}, "a b"),
        ("<table><tr><th>Item</th><th>Each</th></tr><tr><td>Sock</td><td>3</td></tr></table>", {}, "Item Each\nSock 3"),
    ],
)  # fmt: skip
def test_markup_becomes_readable_text(inside: str, context: dict[str, Any], expected: str) -> None:
    text = text_of(rendered(mjml(inside), context))
    assert text.split("\n-- \n")[0].strip() == expected
