"""Notes to colleagues: a small template in the same bounded sandbox as messages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.content.compile import compile_source
from engine.errors import CairnError
from engine.rendering.email import line
from engine.rendering.environment import functions
from engine.rendering.limits import State, current

LONGEST = 20_000


@lru_cache(maxsize=256)
def _template(source: str) -> Any:
    compiled = compile_source(source, "sms").data
    return line(compiled["text"], compiled)


def check(source: str) -> None:
    """Raises LanguageError where a template is wrong."""
    _template(source)


def render(source: str, context: Mapping[str, Any]) -> str:
    """The text. Raises CairnError when the template fails for this contact."""
    mark = current.set(State())
    try:
        known = {name: value for name, value in context.items() if value is not None}
        text = str(_template(source)({**functions, **known}))
    except CairnError:
        raise
    except Exception as error:
        raise CairnError(f"The message fails for this contact: {error}") from error
    finally:
        current.reset(mark)
    return text.replace("\0", "").strip()[:LONGEST]
