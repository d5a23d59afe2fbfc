"""What compiles, what is refused and where, and what becomes of links, footers and variables."""

from __future__ import annotations

import json

import pytest

from engine.content.compile import compile_source
from engine.errors import LanguageError
from tests.engine.content.samples import column, compiled, content, html_of, mjml, rendered, text_of

refused = [
    (mjml("{{ a"), 4, "never closed"),
    (mjml("\n\n{{ a + }}"), 6, "unexpected"),
    (mjml("{% if a %}x"), 4, "end of template"),
    (mjml("{{ a|upcase }}"), 4, "upper"),
    (mjml("{{ a|safe }}"), 4, "html:"),
    (mjml("{{ a.upper() }}"), 4, "no methods"),
    (mjml("{{ lipsum() }}"), 4, "no function"),
    (mjml("{% include 'a' %}"), 4, "includes"),
    (mjml("{{ cairn_l1 }}"), 4, "Cairn's own"),
    (mjml("\na < b"), 5, "&lt;"),
    (mjml("{% if a %}<b>{% endif %}x</b>"), 4, "another element"),
    (mjml("<script>x</script>"), 4, "Scripts"),
    (mjml("{# two\nlines #}\n</ x"), 6, "without a name"),
    (mjml("\n<a h<a href='x'>y</a>"), 5, "quotes"),
    (mjml("\n<!doctype html>"), 5, "cannot stand"),
    ("<mjml><mj-head>é{# two\nlines #}{{ a }}\n<mj-style>\n<br></mj-style></mj-head></mjml>", 5, "cannot stand"),
    ("<mjml><mj-head>{# two\nlines #}\n<mj-style>\n<br></mj-style></mj-head></mjml>", 7, "does not compile"),
    ("<mjml><mj-head>\n<mj-style>a < b</mj-style></mj-head></mjml>", 5, "&lt;"),
    (mjml("<b>x"), 4, "</mj-text>"),
    ("<mjml><mj-body>\n<mj-secion></mj-secion></mj-body></mjml>", 5, "mj-section"),
    ("<mjml><mj-body><mj-section>\n\n<mj-column widht='1'></mj-column></mj-section></mj-body></mjml>", 6, "width"),
    ("<mjml><mj-body><mj-section><mj-text>a</mj-text></mj-section></mj-body></mjml>", 4, "mj-column"),
    ("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>", 4, "not allowed"),
    ("<mjml><mj-body><mj-section><mj-column>\n{{ a }}</mj-column></mj-section></mj-body></mjml>", 5, "mj-text"),
    (column("\n<mj-image src='x' width='{{ a }}' />"), 5, "cannot take"),
    (column("<mj-social>\n{% if a %}<mj-social-element name='x' />{% endif %}</mj-social>"), 5, "mj-social"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "line", "says"), refused)
def test_a_wrong_body_is_refused_at_the_authors_line(body: str, line: int, says: str) -> None:
    with pytest.raises(LanguageError) as caught:
        compiled(body)
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("front", "line", "says"),
    [
        ("subjct: a", 2, "subject"),
        ("preheader: a", 1, "needs a subject"),
        ("subject: a: b: c", 2, "no YAML"),
        ('preheader: x\nsubject: "{{ a"', 3, "end of"),
        ("subject: a\ntext: |\n  one\n  {{ b|nope }}", 5, "no filter"),
        ("subject: a\ntracking: maybe", 3, "true or false"),
        ('subject: "a\\0b"', 2, "NUL"),
        ('subject: a\ndefaults: {a: "\\ud800"}', 3, "broken"),
        ("subject: a\nfrom: nobody at all", 3, "neither an email address"),
    ],
)
def test_wrong_front_matter_is_refused_at_its_line(front: str, line: int, says: str) -> None:
    with pytest.raises(LanguageError) as caught:
        compiled(mjml("x"), front)
    assert caught.value.line == line
    assert says in str(caught.value)


def test_the_artefact_is_json() -> None:
    made = compiled(
        mjml('{{ a }} <a href="https://example.com/{{ b }}">x</a>'), "subject: Hi {{ a }}\ndefaults: {a: there}"
    )
    assert json.loads(json.dumps(made.data)) == made.data
    assert made.data["variables"] == ["a", "b"]


def test_conditions_and_loops_survive_around_every_component() -> None:
    body = """<mjml><mj-body>
      {% for n in [1, 2] %}
      <mj-wrapper>
        {% if a %}
        <mj-section>
          {% if b %}<mj-column><mj-text>B{{ n }}</mj-text></mj-column>{% endif %}
          <mj-column>
            {% if a %}<mj-text color="{{ colour }}">A{{ n }}</mj-text>{% endif %}
            <mj-raw><tr><td>{{ n }}</td></tr></mj-raw>
          </mj-column>
        </mj-section>
        {% endif %}
        <mj-section><mj-column>
          <mj-table>{% for r in rows %}<tr><td>{{ r }}</td></tr>{% endfor %}</mj-table>
        </mj-column></mj-section>
      </mj-wrapper>
      {% endfor %}
    </mj-body></mjml>"""
    made = rendered(body, {"a": 1, "rows": ["one", "two"], "colour": "#123456"})
    page = html_of(made)
    assert page.count("A1") == page.count("A2") == 1 and "B1" not in page
    assert page.count("<td>one</td>") == 2 and "color:#123456" in page
    assert page.count("<table") == page.count("</table>")
    plain = html_of(rendered(mjml("x"), {}))
    assert page.count("<!--") - page.count("-->") == plain.count("<!--") - plain.count("-->")
    without = html_of(rendered(body, {"rows": ["x"]}))
    assert without.count("<table") == without.count("</table>")


def test_entities_that_editors_write_inside_tags_are_resolved() -> None:
    assert "many" in text_of(
        rendered(mjml("{% if n &gt; 3 and s == &quot;a&quot; %}many{% else %}few{% endif %}"), {"n": 4, "s": "a"})
    )


def test_comments_of_the_author_are_not_sent_and_keep_the_lines() -> None:
    made = rendered(mjml("<!-- {{ secret }}\n -->x{# {{ also }} #}"), {"secret": "S3"})
    assert "S3" not in html_of(made) and "also" not in html_of(made)
    with pytest.raises(LanguageError) as caught:
        compiled("<!--\n\n-->" + mjml("{{ b|nope }}"))
    assert caught.value.line == 6


def test_web_links_are_tracked_by_position_and_others_left_alone() -> None:
    body = mjml(
        '<a href="https://a.example/?x=1&amp;y=2">a</a> <a href="mailto:b@example.com">b</a> <a href="tel:+1">c</a> '
        '<a href="#top">d</a> <a href="{{ unsubscribe_url }}">e</a> <a href="{{ preferences_url }}">f</a> '
        "<a href='https://b.example/{{ id }}?n={{ name|urlencode }}'>g</a> <a href=\"{{ url }}\">h</a>"
    )
    made = compiled(body)
    assert made.data["links"] == [
        {"position": 1, "url": "https://a.example/?x=1&y=2", "dynamic": False},
        {"position": 2, "url": "https://b.example/{{ id }}?n={{ name|urlencode }}", "dynamic": True},
        {"position": 3, "url": "{{ url }}", "dynamic": True},
    ]
    message = rendered(body, {"id": 7, "name": "A & B", "url": "https://c.example/<é>"})
    page = html_of(message)
    assert message.dynamic_links == {2: "https://b.example/7?n=A%20%26%20B", 3: "https://c.example/%3C%C3%A9%3E"}
    assert all(f'href="https://t.example.com/c/tok/{position}"' in page for position in (1, 2, 3))
    assert "https://t.example.com/u/" in page and 'href="mailto:b@example.com"' in page and 'href="#top"' in page
    assert "a (https://t.example.com/c/tok/1)" in text_of(message)


def test_a_link_with_conditions_in_it_is_tracked() -> None:
    body = mjml(
        '<a href="{% if a %}https://a.example/?x=1&amp;y={{ b }}{% else %}mailto:x@example.com{% endif %}">x</a>'
    )
    message = rendered(body, {"a": 1, "b": "<2>"})
    assert message.dynamic_links == {1: "https://a.example/?x=1&y=%3C2%3E"}
    assert 'href="mailto:x@example.com"' in html_of(rendered(body, {"b": 1}))


def test_links_in_a_loop_get_a_position_for_each_destination() -> None:
    body = mjml('{% for i in items %}<a href="{{ i.url }}">{{ i.n }}</a>{% endfor %}')
    items = [{"n": n, "url": f"https://a.example/{n}"} for n in (1, 2, 1)]
    message = rendered(body, {"items": items})
    assert list(message.dynamic_links.values()) == ["https://a.example/1", "https://a.example/2"]
    assert html_of(message).count('/c/tok/1"') == 2


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JaVaScript:x", "data:text/html,x", "vbscript:x", " javascript:x"]
)
def test_a_link_from_a_field_carries_no_dangerous_scheme(url: str) -> None:
    for front in ("subject: a", "subject: a\ntracking: false"):
        page = html_of(rendered(mjml('<a href="{{ url }}">x</a>'), {"url": url}, front))
        assert 'href="#"' in page and "script:" not in page.lower()


def test_untracked_content_keeps_its_links_and_has_no_pixel() -> None:
    message = rendered(mjml('<a href="https://a.example/">x</a>'), {}, "subject: a\ntracking: false")
    assert 'href="https://a.example/"' in html_of(message) and "/o/tok" not in html_of(message)


def test_the_pixel_stands_before_the_end_of_the_body() -> None:
    page = html_of(rendered(mjml("x"), {}))
    assert page.index("/o/tok") > page.index(">x<") and page.rstrip().endswith("</body></html>")
    assert "<img" not in html_of(rendered(mjml("x"), {}, open_url=""))


def test_a_body_without_unsubscribe_link_gets_the_standard_footer() -> None:
    message = rendered(mjml("x"), {})
    assert "1 Main Street, Springfield" in html_of(message) and "/u/xxx" in html_of(message)
    assert "Unsubscribe: https://t.example.com/u/" in text_of(message)
    own = rendered(mjml('x <a href="{{ unsubscribe_url }}">leave</a>'), {})
    assert "cairn-footer" not in html_of(own) and "-- " not in text_of(own)


def test_plain_html_is_taken_as_it_is() -> None:
    message = rendered('<p>Hi {{ n }}</p><a href="https://a.example/">x</a>', {"n": "<b>"})
    assert "<p>Hi &lt;b&gt;</p>" in html_of(message) and "/c/tok/1" in html_of(message)
    assert text_of(message).startswith("Hi <b>\n\nx (https://t.example.com/c/tok/1)")


def test_the_preheader_comes_first_and_stays_out_of_the_text() -> None:
    message = rendered(mjml("body"), {"n": "<Ann>"}, "subject: a\npreheader: Hello & {{ n }}")
    page = html_of(message)
    assert page.index("Hello &amp; &lt;Ann&gt;") < page.index("body</div>") and "Hello" not in text_of(message)


def test_unknown_and_uncovered_variables_are_warned_of() -> None:
    body = mjml("{{ frist_name }} {{ plan }} {{ event.total|default(0) }} {{ covered }}{% if tested %}x{% endif %}")
    known = frozenset({"first_name", "plan", "event.total", "covered", "tested"})
    made = compile_source(content(body, "subject: a\ndefaults: {covered: x}"), "email", known)
    found = {(note["kind"], note.get("variable")) for note in made.warnings if "variable" in note}
    assert found == {("unknown", "frist_name"), ("uncovered", "plan")}
    assert any("first_name" in note["hint"] for note in made.warnings)


def test_names_that_the_template_defines_are_no_variables() -> None:
    made = compiled(
        mjml("{% set a = b %}{% for c in d %}{{ a }}{{ c.e }}{{ loop.index }}{% endfor %}{{ range(2)|join }}")
    )
    assert made.data["names"] == ["b", "d"]


def test_text_in_the_front_matter_replaces_the_derived_text() -> None:
    message = rendered(mjml("html"), {"n": "<1>"}, "subject: a\ntext: |\n  Plain {{ n }}\n\n  two")
    assert text_of(message).startswith("Plain <1>\n\ntwo\n")
