"""What a product block asks for: `4 viewed or best sellers from "shop" where category is "socks" not bought`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from engine.errors import LanguageError
from engine.expr import ast, parse
from engine.expr.walk import asks, nodes, values

FIRST, BEST, VIEWED, CARTED = "first", "best sellers", "viewed", "carted"
SOURCES = (FIRST, BEST, VIEWED, CARTED)
MOST = 20
EXAMPLE = 'products 4 viewed or best sellers from "shop" where category is "socks" not bought'
WHOLE = re.compile(
    r"(?P<count>\d+)\s+(?P<sources>.*?)\s*\bfrom\s+[\"“„](?P<feed>[^\"”“]+)[\"”“]"
    r"(?P<where>\s+where\s+(?P<rule>.+?))?(?P<new>\s+not\s+bought)?\s*",
    re.DOTALL,
).fullmatch


@dataclass(frozen=True, slots=True)
class Query:
    """`count` products of a feed, from the first of the `sources` on until there are enough.

    `where` speaks of the product, whose fields are bare names. `new` leaves out what the contact has bought.
    """

    count: int
    sources: tuple[str, ...]
    feed: str
    where: ast.Node | None = None
    new: bool = False


@lru_cache(maxsize=500)
def query(text: str) -> Query:
    """Raises LanguageError with the place in `text`."""
    match = WHOLE(text)
    if match is None:
        raise LanguageError("This does not say which products", hint=f"write {EXAMPLE}")
    count, named = int(match["count"]), match["sources"]
    if not 0 < count <= MOST:
        raise LanguageError(f"A block shows 1 to {MOST} products", hint="write several blocks")
    sources = tuple(" ".join(each.split()) for each in re.split(r"\bor\b", named)) if named else (FIRST,)
    for source in sources:
        if source not in SOURCES:
            near = get_close_matches(source, SOURCES, 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"there is {', '.join(SOURCES)}"
            raise LanguageError(f"There are no products “{source}”", 1, match.start("sources") + 1, hint=hint)
    where = _where(match["rule"], text, match.start("rule")) if match["where"] else None
    return Query(count, sources, match["feed"], where, bool(match["new"]))


def _where(rule: str, text: str, offset: int) -> ast.Node:
    line, column = text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1)
    try:
        node = parse(rule)
    except LanguageError as error:
        place = (line + error.line - 1, error.column + (column if error.line == 1 else 0))
        raise LanguageError(error.message, *place, error.expected, error.hint) from None
    paths = [value for each in nodes(node) for value in values(each) if isinstance(value, ast.Path)]
    if asks(node) or any(path.root for path in paths):
        hint = "such as where category is “socks”; put {% when … %} around the block for what concerns the contact"
        raise LanguageError("where speaks of the product alone", line, column + 1, hint=hint)
    return node
