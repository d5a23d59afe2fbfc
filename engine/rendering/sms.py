"""A compiled SMS content as a callable: text, folded to GSM 03.38 where that loses nothing, counted in parts."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import smsutil

from engine.rendering.email import because, line
from engine.rendering.envelope import RenderedSms
from engine.rendering.environment import functions
from engine.rendering.errors import LimitError, RenderError
from engine.rendering.filters import absent, safe_url
from engine.rendering.limits import State, current

smart = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "`": "'", "´": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-", "·": ".",
        "‹": "<", "›": ">",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\t": " ", "\u200b": "", "\u200d": "", "\u200e": "",
        "\u200f": "", "\u00ad": "", "\ufeff": "",
    }
)  # fmt: skip
max_parts = 10


@dataclass(frozen=True)
class SmsRenderer:
    """An SMS content, ready. `tracked` are the destinations of its links by position."""

    text: Callable[[dict[str, Any]], str]
    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    tracked: Mapping[int, str] = field(default_factory=dict)

    def render(self, context: Mapping[str, Any], links: Mapping[str, str] | None = None) -> RenderedSms:
        """The text for one contact; `links` are addresses such as `unsubscribe_url`, and `cairn_l1` of the first link.

        A link without one keeps its destination. Raises RenderError for an empty text, and past ten parts.
        """
        state = State()
        mark = current.set(state)
        try:
            text = folded(self.text(self._values(context, links or {})))
        except RenderError:
            raise
        except RecursionError as error:
            raise LimitError("The template calls itself without end.") from error
        except Exception as error:
            raise RenderError(f"The content fails for this contact: {error}") from error
        finally:
            current.reset(mark)
        if not text:
            raise RenderError("The text would be empty" + because(state), code="empty-body")
        return counted(text, tuple(state.missing))

    def _values(self, context: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {name: context.get(name) for name in self.names}
        values |= {name: value for name, value in self.defaults.items() if absent(values.get(name))}
        values |= {name: safe_url(url) for name, url in ({**self._own(), **links}).items()}
        return dict(functions) | {name: value for name, value in values.items() if value is not None}

    def _own(self) -> dict[str, str]:
        return {placed(position): url for position, url in self.tracked.items()}


def placed(position: int) -> str:
    """By which name a template reads the address of a link."""
    return f"cairn_l{position}"


def folded(text: str) -> str:
    """Typographic quotes, dashes and blanks in their plain form, accents joined to their letters (NFC): any of them
    would halve the room of a part.

    A text that needs UCS-2 all the same keeps its typography: nothing would be won, and joiners hold emoji together.
    """
    plain = _rows(text.translate(smart))
    return plain if smsutil.is_valid_gsm(plain) else _rows(text)


def _rows(text: str) -> str:
    rows = (" ".join(row.split()) for row in unicodedata.normalize("NFC", text).splitlines())
    return "\n".join(rows).strip()


def counted(text: str, missing: tuple[str, ...] = ()) -> RenderedSms:
    """`text` with its number of parts and encoding. Raises RenderError past ten parts."""
    split = smsutil.split(text)
    if len(split.parts) > max_parts:
        raise RenderError(f"The text takes {len(split.parts)} parts; {max_parts} is the most.", code="too-long")
    return RenderedSms(text, len(split.parts), split.encoding, missing)


def load(compiled: Mapping[str, Any]) -> SmsRenderer:
    """The renderer of a compiled SMS content (`engine.content.compile`)."""
    defaults = {path: value for path, value in compiled["defaults"].items() if "." not in path}
    rules, products = (tuple(each["text"] for each in compiled.get(name, ())) for name in ("rules", "products"))
    links = {link["position"]: link["url"] for link in compiled["links"]}
    return SmsRenderer(line(compiled["text"], compiled), tuple(compiled["names"]), defaults, rules, products, links)
