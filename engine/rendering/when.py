"""`{% when 1 %} … {% else %} … {% endwhen %}`: a block for those of whom rule 1 of the content is true.

Where the number stands the author has written the rule; `engine.content.conditions` puts them apart, as rules are no
Jinja. Whom a rule selects is decided for a whole batch before anything is rendered (`engine.messages.blocks`).
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

prefix = "cairn_when_"


def name_of(number: int) -> str:
    """The variable that says whether rule `number`, from 1, is true of the contact."""
    return f"{prefix}{number}"


class When(Extension):
    """The statement itself: an `if` that asks for the verdict."""

    tags = {"when"}  # noqa: RUF012 - Jinja reads it so

    def parse(self, parser: Parser) -> nodes.If:
        """Called by Jinja at the word `when`."""
        line = next(parser.stream).lineno
        number: Any = parser.stream.expect("integer").value
        test = nodes.Name(name_of(number), "load", lineno=line)
        body = parser.parse_statements(("name:else", "name:endwhen"))
        otherwise: list[nodes.Node] = []
        if next(parser.stream).value == "else":
            otherwise = parser.parse_statements(("name:endwhen",), drop_needle=True)
        return nodes.If(test, body, [], otherwise, lineno=line)
