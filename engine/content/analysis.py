"""Static reading of Jinja templates: what is not allowed, which variables are read, which are unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from engine.content.source import Text
from engine.errors import LanguageError
from engine.rendering import when
from engine.rendering.email import reserved
from engine.rendering.environment import MessageEnvironment, environment
from engine.rendering.trees import helper, path_of

statements = (
    nodes.Extends,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Block,
    nodes.ScopedEvalContextModifier,
)
# What the authors of Liquid templates write, and Jinja's name for it.
liquid = {"upcase": "upper", "downcase": "lower", "size": "length", "url_encode": "urlencode", "currency": "money"}
literals = (nodes.List, nodes.Tuple, nodes.Dict)
# What `engine.messages.compose.context` gives of the workspace to every message.
of_workspace = frozenset({"workspace.name", "workspace.currency", "workspace.postal_address"})


@dataclass(frozen=True)
class Variable:
    """A path that a template reads, and the author's line.

    `covered`: it has a default here. `tested`: the template asks whether it is there, and knows what to do without it.
    """

    path: str
    line: int
    covered: bool = False
    tested: bool = False


def parse(source: Text, *, html: bool) -> nodes.Template:
    """The syntax tree of a template. Raises LanguageError at the author's line."""
    try:
        tree = environment(html=html).parse(source.text)
    except TemplateSyntaxError as error:
        line, column = position(source, error.lineno)
        raise LanguageError(error.message or "This is no Jinja.", line, column, hint=syntax_hint(error)) from error
    except RecursionError as error:
        raise LanguageError("The template is nested too deeply.", source.line) from error
    callable_names = {"range", "caller"} | {macro.name for macro in tree.find_all(nodes.Macro)}
    for node in walk(tree):
        fault = refused(node, environment(html=html), callable_names)
        if fault:
            line, column = position(source, getattr(node, "lineno", None) or 1)
            raise LanguageError(fault[0], line, column, hint=fault[1])
    return tree


def position(source: Text, number: int) -> tuple[int, int]:
    """Line in the file and column of the first Jinja tag in line `number` of a template."""
    lines = source.text.split("\n")
    text = lines[number - 1] if number <= len(lines) else ""
    starts = [text.find(sign) for sign in ("{{", "{%") if sign in text]
    return source.line + number - 1, min(starts, default=0) + 1


def syntax_hint(error: TemplateSyntaxError) -> str:
    """What to do about an error of Jinja's parser."""
    message = error.message or ""
    if "end of template" in message or "end of statement" in message:
        return "look for a missing {% endif %}, {% endfor %} or {% endwhen %} above"
    return "write {{ name }} for a value, {% if name %} … {% endif %} for a condition"


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Every node of a tree, parents first, without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(current.iter_child_nodes())


def refused(node: nodes.Node, env: MessageEnvironment, callable_names: set[str]) -> tuple[str, str] | None:
    """What a content must not do, as message and hint; None for a node that is allowed."""
    if isinstance(node, statements):
        return "A content includes and extends nothing.", "write the text here"
    if isinstance(node, nodes.Filter) and (node.name not in env.filters or node.name.startswith(helper)):
        return unknown("filter", node.name, env.filters)
    if isinstance(node, nodes.Test) and node.name not in env.tests:
        return unknown("test", node.name, env.tests)
    if isinstance(node, nodes.Name) and node.name.startswith(helper) and not node.name.startswith(when.prefixes):
        return f"Names that begin with {helper} are Cairn's own.", ""
    if isinstance(node, nodes.Call):
        return refused_call(node, callable_names)
    if isinstance(node, nodes.For) and node.recursive:
        return "A loop cannot be recursive.", ""
    if isinstance(node, literals) and any(not isinstance(item, nodes.Const) for item in items_of(node)):
        return "A list in a template holds constants only.", "join texts with ~"
    return None


def refused_call(node: nodes.Call, callable_names: set[str]) -> tuple[str, str] | None:
    """Only macros of this template and range() are called."""
    if not isinstance(node.node, nodes.Name):
        return "A template calls no methods.", "use a filter: {{ name|upper }}"
    name = node.node.name
    return None if name in callable_names else (f"There is no function “{name}”.", "use a filter: {{ name|upper }}")


def items_of(node: nodes.Node) -> list[nodes.Node]:
    """The members of a literal; targets of an assignment count as constants."""
    if isinstance(node, nodes.Dict):
        return [pair.value for pair in node.items]
    if isinstance(node, nodes.Tuple) and node.ctx == "store":
        return []
    return list(getattr(node, "items", []))


def unknown(kind: str, name: str, names: Iterable[str]) -> tuple[str, str]:
    """Message and hint with the nearest known filter or test."""
    public = sorted(known for known in names if not known.startswith(helper))
    near = [liquid[name]] if name in liquid else get_close_matches(name, public, 1)
    hint = f"Did you mean `{near[0]}`?" if near else f"known are {', '.join(public)}"
    if name == "safe":
        hint = "list the variable under html: in the front matter; it is then sanitised"
    return f"There is no {kind} “{name}”.", hint


def variables(tree: nodes.Template, source: Text) -> list[Variable]:
    """The paths a template reads from its context, in order. What loops, `set` and macros define is left out."""
    local = local_names(tree)
    found: list[Variable] = []

    def visit(node: nodes.Node, covered: bool, tested: bool) -> None:
        path = path_of(node) if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)) else None
        if path is not None:
            if path.split(".")[0] not in local and getattr(node, "ctx", "load") == "load":
                found.append(Variable(path, node.lineno + source.line - 1, covered, tested))
            return
        if isinstance(node, nodes.Filter) and node.name in {"default", "d"} and node.node is not None:
            visit(node.node, True, tested)
            rest: Iterable[nodes.Node] = node.args
        elif isinstance(node, (nodes.If, nodes.CondExpr)):
            visit(node.test, True, True)
            rest = [child for child in node.iter_child_nodes() if child is not node.test]
        else:
            rest = node.iter_child_nodes()
        for child in rest:
            visit(child, covered, tested)

    visit(tree, False, False)
    return sorted(found, key=lambda variable: variable.line)


def local_names(tree: nodes.Template) -> set[str]:
    """Names that the template itself defines, `loop`, `range` and the names of Cairn's own pages."""
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}}
    ours = {name.name for name in tree.find_all(nodes.Name) if name.name.startswith(helper)}
    return (
        stored
        | ours
        | {macro.name for macro in tree.find_all(nodes.Macro)}
        | {"loop", "range", "caller"}
        | set(reserved)
    )


def warn(found: Iterable[Variable], defaults: dict[str, Any], known: frozenset[str] | None) -> list[dict[str, Any]]:
    """A warning for each variable that is unknown, or that nothing covers when it is missing.

    `known` are the dotted paths of attributes and event properties; None means that they are not known here.
    Returns dicts with kind (`unknown`, `uncovered`), variable, line, message and hint.
    """
    warnings: dict[tuple[str, str], dict[str, Any]] = {}
    found = list(found)
    bare = set(uncovered(found, defaults))
    for variable in found:
        path = variable.path
        if path in of_workspace:
            continue
        if known is not None and not is_known(path, known):
            near = get_close_matches(path, known, 1)
            hint = f"Did you mean `{near[0]}`?" if near else "define the attribute, or check the spelling"
            message = f"No contact or event is known to have “{path}”."
            warnings.setdefault(("unknown", path), note("unknown", variable, message, hint))
        elif path in bare and not variable.covered:
            hint = f"add a default: {{{{ {path}|default(…) }}}}, or defaults: in the front matter"
            message = f"“{path}” shows as nothing for a contact without it."
            warnings.setdefault(("uncovered", path), note("uncovered", variable, message, hint))
    return list(warnings.values())


def uncovered(found: Iterable[Variable], defaults: dict[str, Any]) -> list[str]:
    """The paths that show as nothing where they are missing: no default and no condition covers them."""
    found = list(found)
    covered = {variable.path for variable in found if variable.tested} | set(defaults)
    bare = {variable.path for variable in found if not variable.covered}
    return sorted(path for path in bare if not {path, path.removeprefix("contact.")} & covered)


def is_known(path: str, known: frozenset[str]) -> bool:
    """Is the path, a parent or a child of it in the schema? Objects may hold more than the schema lists."""
    parts = path.removeprefix("contact.").split(".")
    parents = {".".join(parts[:length]) for length in range(1, len(parts) + 1)} - {"event"}
    return path == "contact" or bool(parents & known) or any(name.startswith(path + ".") for name in known)


def note(kind: str, variable: Variable, message: str, hint: str) -> dict[str, Any]:
    """A warning as stored."""
    return {"kind": kind, "variable": variable.path, "line": variable.line, "message": message, "hint": hint}
