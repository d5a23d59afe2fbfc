"""The Jinja environments of messages: dict-only, allow-listed, bounded, and aware of what is missing.

Jinja's sandbox keeps templates away from Python objects; it does not bound them. Every loop, call and operator that
multiplies is therefore counted (`engine.rendering.limits`), so that a template that was saved cannot hang a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.rendering.errors import RenderError
from engine.rendering.filters import comparisons, message_filters, sanitised, shown
from engine.rendering.limits import bounded_binary, bounded_loop, bounded_range, bounded_text, current
from engine.rendering.quoted_printable import html_value, text_value
from engine.rendering.when import When

functions = {"range": bounded_range}
loop_names = "index index0 revindex revindex0 first last length depth depth0 previtem nextitem"
loop_fields = frozenset(loop_names.split())
test_names = (
    "boolean defined divisibleby eq equalto even false float ge gt in integer iterable le lower lt "
    "mapping ne none number odd sameas sequence string true undefined upper"
)
tests = frozenset(test_names.split()) | {"==", "!=", ">", ">=", "<", "<=", "greaterthan", "lessthan"}


class Missing(ChainableUndefined):
    """A value that is not there: any path below it is missing too, it shows as nothing, and showing it is reported."""

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(name=f"{self._undefined_name}.{name}")

    def __getitem__(self, key: Any) -> Missing:  # type: ignore[override]
        return Missing(name=f"{self._undefined_name}.{key}")

    def __str__(self) -> str:
        state = current.get(None)
        if state is not None:
            state.report(self._undefined_name or "")
        return ""

    def __html__(self) -> str:
        return str(self)

    def __int__(self) -> int:  # type: ignore[override]
        return 0

    def __float__(self) -> float:  # type: ignore[override]
        return 0.0


arithmetic = "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow neg pos abs round"
# Sums with a missing value are missing, comparisons with one are false; Jinja would raise.
for operator in arithmetic.split():
    setattr(Missing, f"__{operator}__", lambda self, *_: self)
for operator in ("lt", "le", "gt", "ge"):
    setattr(Missing, f"__{operator}__", lambda *_: False)


class Gathered(CodeGenerator):
    """Yields the pieces of a template as one list: one by one they cost a message three times as much."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """The body of the template itself comes with a frame that is the root's and has no list yet."""
        if not frame.rootlevel or frame.buffer is not None:
            return super().blockvisit(nodes, frame)
        self.buffer(frame)
        super().blockvisit(nodes, frame)
        return self.writeline(f"yield {frame.buffer}")


class RawOutput(Gathered):
    """Writes what expressions give as it is: their filter has escaped and encoded it."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        """No escape() around it."""

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        """No bracket to close."""


class MessageEnvironment(ImmutableSandboxedEnvironment):
    """Names, dicts and lists, and the filters of `engine.rendering.filters`; nothing else is reachable."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    code_generator_class = Gathered

    def __init__(self, *, html: bool) -> None:
        super().__init__(
            autoescape=html,
            undefined=Missing,
            keep_trailing_newline=True,
            optimized=False,
            cache_size=0,
            extensions=[When],
        )
        self.filters = (
            message_filters(html=html)
            | comparisons
            | {
                "cairn_shown": shown,
                "cairn_loop": bounded_loop,
                "cairn_text": bounded_text,
                "cairn_qp": html_value if html else text_value,
                "cairn_html": lambda value: sanitised(value, as_text=not html),
            }
        )
        self.tests = {name: test for name, test in self.tests.items() if name in tests}
        self.globals = dict(functions)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a mapping, or a field of `loop`. Anything else, and null, is missing."""
        if isinstance(obj, Mapping):
            value = obj.get(attribute)
            return Missing(name=attribute) if value is None else value
        if isinstance(obj, Undefined):
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in loop_fields:
            return getattr(obj, attribute)
        return Missing(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry of a mapping or a place or slice of a list or text."""
        if isinstance(obj, (Mapping, Undefined)):
            return self.getattr(obj, argument)
        if isinstance(obj, Sequence) and isinstance(argument, (int, slice)):
            try:
                return obj[argument]
            except IndexError:
                return Missing(name=str(argument))
        return Missing(name=str(argument))

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, `range` or a link helper, counted. Raises RenderError for any other object."""
        current.get().charge(1)
        if isinstance(obj, Macro):
            return bounded_text(context.call(obj, *args, **kwargs))
        if obj is bounded_range or getattr(obj, "cairn_helper", False):
            return obj(*args)
        raise RenderError("A template calls only macros and range().")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """`* ** % +`, bounded; Jinja passes the context."""
        return bounded_binary(operator, left, right)


class EncodedEnvironment(MessageEnvironment):
    """For templates whose outputs are encoded by a filter of their own (`engine.rendering.quoted_printable`)."""

    code_generator_class = RawOutput


@lru_cache(maxsize=4)
def environment(*, html: bool, encoded: bool = False) -> MessageEnvironment:
    """The one environment for HTML parts (autoescaped) or for texts. Threads share it: it is never changed."""
    return EncodedEnvironment(html=html) if encoded else MessageEnvironment(html=html)
