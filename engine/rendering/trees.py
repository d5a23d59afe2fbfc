"""Work on Jinja syntax trees: names of paths, and the changes every message template gets before it is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

helper = "cairn_"
orders = frozenset(["lt", "lteq", "gt", "gteq"])


def path_of(node: nodes.Node) -> str | None:
    """`contact.company.name` of a chain of names and constant keys; None for any other expression."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        parent = path_of(node.node)
        return parent and f"{parent}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        parent = path_of(node.node)
        return parent and f"{parent}.{node.arg.value}"
    return None


def first_path(node: nodes.Node) -> str:
    """The variable an expression shows, or the first it reads; empty for a constant."""
    found = path_of(node)
    if found:
        return found
    chains = (path_of(child) for child in node.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)))
    return next((chain for chain in chains if chain), "")


def filtered(node: nodes.Node | None, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    """`node|name(arguments)`; a block's filter when `node` is None."""
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=getattr(node, "lineno", 1))


class Prepared(NodeTransformer):
    """Counters on loops, joined texts and captured blocks; defaults and HTML fields where their paths are read.

    `defaults` maps dotted paths to values; `html_fields` are paths whose values are sanitised HTML. Jinja finds the
    methods by the names of its node classes.
    """

    def __init__(self, defaults: Mapping[str, Any], html_fields: frozenset[str]) -> None:
        self.defaults = {path: value for path, value in defaults.items() if "." in path}
        self.defaults |= {
            f"contact.{path}": value for path, value in defaults.items() if not path.startswith("contact.")
        }
        self.html_fields = html_fields | {f"contact.{path}" for path in html_fields}

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        """A loop counts its rounds before the first one."""
        name = first_path(node.iter)
        self.generic_visit(node)
        node.iter = filtered(node.iter, "cairn_loop", nodes.Const(name))
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        """A captured block is bounded in length."""
        self.generic_visit(node)
        node.filter = filtered(node.filter, "cairn_text")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """`a ~ b` is bounded in length."""
        self.generic_visit(node)
        return filtered(node, "cairn_text")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        """`a > b` of values that cannot be compared is false, as in rules."""
        self.generic_visit(node)
        if len(node.ops) == 1 and node.ops[0].op in orders:
            return filtered(node.expr, helper + node.ops[0].op, node.ops[0].expr)
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        """What is missing is reported by its path when it is shown."""
        names = [first_path(child) for child in node.nodes]
        self.generic_visit(node)
        node.nodes = [_shown(child, name) for child, name in zip(node.nodes, names, strict=True)]
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        """A top-level field declared as HTML."""
        return filtered(node, "cairn_html") if node.name in self.html_fields and node.ctx == "load" else node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        """A dotted path with a default or declared as HTML."""
        path = path_of(node)
        if path is None:
            return self.generic_visit(node)
        if path in self.defaults:
            return filtered(node, "default", nodes.Const(self.defaults[path]))
        return filtered(node, "cairn_html") if path in self.html_fields else node


def _shown(node: nodes.Expr, name: str) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData) or is_helper(node):
        return node
    return filtered(node, "cairn_shown", nodes.Const(name))


def is_helper(node: nodes.Node) -> bool:
    """A name that the renderer itself provides, ready made: tracking links and the like."""
    return isinstance(node, nodes.Name) and node.name.startswith(helper)


def prepare(tree: nodes.Template, defaults: Mapping[str, Any], html_fields: frozenset[str]) -> nodes.Template:
    """`tree` with the changes of `Prepared`, made in place."""
    Prepared(defaults, html_fields).visit(tree)
    return tree
