"""`{% when 1 %} … {% else %} … {% endwhen %}`: a block for those of whom rule 1 of the content is true; and
`{% products 1 %} … {% else %} … {% endproducts %}`: a block for each `product` of query 1, or for want of any.

Where the number stands the author has written the rule or query; `engine.content.conditions` puts them apart, as none
is Jinja. Whom a rule selects, and which products there are, is decided for a whole batch before anything is rendered
(`engine.messages.blocks`).
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

words = {"when": "cairn_when_", "products": "cairn_products_"}
prefixes = tuple(words.values())


def name_of(number: int, word: str = "when") -> str:
    """The variable that says whether rule `number`, from 1, is true of the contact, or holds the products."""
    return f"{words[word]}{number}"


class When(Extension):
    """The statements themselves: an `if` that asks for the verdict, a `for` over what was chosen."""

    tags = set(words)  # noqa: RUF012 - Jinja reads it so

    def parse(self, parser: Parser) -> nodes.If | nodes.For:
        """Called by Jinja at one of the words."""
        line, _, word = next(parser.stream)
        number: Any = parser.stream.expect("integer").value
        value, end = nodes.Name(name_of(number, word), "load", lineno=line), f"name:end{word}"
        body = parser.parse_statements(("name:else", end))
        otherwise: list[nodes.Node] = []
        if next(parser.stream).value == "else":
            otherwise = parser.parse_statements((end,), drop_needle=True)
        if word == "when":
            return nodes.If(value, body, [], otherwise, lineno=line)
        return nodes.For(nodes.Name("product", "store"), value, body, otherwise, None, False, lineno=line)
