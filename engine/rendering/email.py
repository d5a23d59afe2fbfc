"""A compiled email content as a fast callable: load once per process and version, render once per contact."""

from __future__ import annotations

import quopri
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, nodes
from jinja2.runtime import Context
from jinja2.utils import missing
from markupsafe import Markup, escape

from engine.rendering import attached, headers, honeypot, quoted_printable, utm
from engine.rendering.envelope import Envelope, RenderedEmail
from engine.rendering.environment import MessageEnvironment, environment, functions
from engine.rendering.errors import LimitError, RenderError
from engine.rendering.filters import absent, safe_url
from engine.rendering.limits import State, current
from engine.rendering.trees import helper, prepare

boundary = "=_cairn_alternative"
reserved = ("unsubscribe_url", "preferences_url", "confirm_url", "view_url", "postal_address")
mime_head = (
    f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)
mime_middle = (
    f"\r\n--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)
mime_end = f"\r\n--{boundary}--\r\n"
mime_version = "MIME-Version: 1.0\r\n"
dynamic_base = 1000

Part = Callable[[dict[str, Any]], list[str]]


@dataclass(frozen=True)
class Renderer:
    """An email content, ready.

    `text_tail` is apart where the text before it could turn out empty. `static` are the links whose destination is the
    same for everybody. `views`: it links to itself in the browser. `rules` decide on its blocks, `products` ask
    for what is shown in them.
    """

    subject: Callable[[dict[str, Any]], str]
    text: Part
    text_tail: Part | None
    html: Part
    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    static: Mapping[int, str]
    sender: tuple[str, str] | None
    reply_to: str
    tracking: bool
    utm: str = ""
    opening: str = mime_head
    ending: str = mime_end
    views: bool = False
    rules: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def render(self, context: Mapping[str, Any], envelope: Envelope) -> RenderedEmail:
        """The complete message for one contact.

        `context` maps names to plain values, dicts and lists. Raises RenderError when the subject or the text would be
        empty, an address is unusable, or the template fails or takes too much.
        """
        state = State()
        mark = current.set(state)
        try:
            return self._render(context, envelope, state)
        except RenderError:
            raise
        except RecursionError as error:
            raise LimitError("The template calls itself without end.") from error
        except Exception as error:
            raise RenderError(f"The content fails for this contact: {error}") from error
        finally:
            current.reset(mark)

    def _render(self, context: Mapping[str, Any], envelope: Envelope, state: State) -> RenderedEmail:
        values = self._values(context)
        subject = headers.neutral(self.subject(values))
        if not subject:
            raise RenderError("The subject would be empty" + because(state), code="empty-subject")
        links = Links(envelope, tracking=self.tracking, tags=self.utm)
        links.add_to(values, self.static)
        text = self.text(values)
        if self.text_tail is not None:
            if not decoded("".join(text)).strip():
                raise RenderError("The text would be empty" + because(state), code="empty-body")
            text += self.text_tail(values)
        links.escape_in(values)
        head, recipient, utf8 = self._head(subject, envelope)
        message = "".join([head, self.opening, *text, mime_middle, *self.html(values), self.ending])
        data = message.encode("utf-8" if utf8 else "ascii")
        return RenderedEmail(data, subject, recipient, tuple(state.missing), links.dynamic, len(data), utf8)

    def _values(self, context: Mapping[str, Any]) -> Values:
        """The names that the templates read, blank ones by their default."""
        values = Values(functions)
        for name in self.names:
            value = context.get(name)
            if name in self.defaults and absent(value):
                value = self.defaults[name]
            if value is not None:
                values[name] = value
        return values

    def _head(self, subject: str, envelope: Envelope) -> tuple[str, str, bool]:
        own = None if envelope.from_wins else self.sender
        name, address = own or (envelope.from_name, envelope.from_address)
        to_line, recipient, utf8 = headers.address_line("To", envelope.to_name, envelope.to_address)
        common = headers.common_lines(
            name or envelope.from_name,
            address,
            self.reply_to or envelope.reply_to,
            envelope.date,
            envelope.feedback_id,
        )
        token, extra = envelope.token, headers.extra_lines(envelope) if envelope.headers else ""
        return (
            (
                f"{common}{to_line}{headers.subject_line(subject)}"
                f"Message-ID: <{token}@{headers.ascii_name(envelope.message_domain)}>\r\n"
                f"{headers.unsubscribe_lines(envelope)}{extra}X-Cairn-Message: {token}\r\n"
            ),
            recipient,
            utf8,
        )


@lru_cache(maxsize=256)
def link_names(positions: tuple[int, ...]) -> tuple[str, ...]:
    """The variables of the static links at these positions."""
    return tuple(f"cairn_l{position}" for position in positions)


class Links:
    """The addresses in one message. A dynamic link inside a loop takes a position of its own for each destination."""

    cairn_helper = True

    def __init__(self, envelope: Envelope, *, tracking: bool, tags: str = "") -> None:
        self.envelope, self.tags = envelope, tags
        self.clicks = envelope.click_urls if tracking else None
        self.plain = False
        self.ready: dict[str, str] = {}
        self.dynamic: dict[int, str] = {}
        self.places: dict[tuple[int, str], int] = {}

    def add_to(self, values: dict[str, Any], static: Mapping[int, str]) -> None:
        """Add this message's addresses, encoded once, to the variables of the text part."""
        envelope, clicks = self.envelope, self.clicks
        self.ready = dict(zip(link_names(tuple(static)), clicks(static) if clicks else static.values(), strict=True))
        if clicks and envelope.open_url:
            self.ready["cairn_open"] = envelope.open_url
        self.plain = envelope.plain_urls and clicks is not None
        whole = quoted_printable.plain_address_piece if self.plain else quoted_printable.address_piece
        values.update(zip(self.ready, map(whole, self.ready.values()), strict=True))
        values["unsubscribe_url"] = unsubscribe = envelope.unsubscribe_url or None
        values["preferences_url"] = preferences = envelope.preferences_url or None
        if envelope.plain_urls:
            values["unsubscribe_url"] = unsubscribe and quoted_printable.known_address(unsubscribe)
            values["preferences_url"] = preferences and quoted_printable.known_address(preferences)
        values["confirm_url"] = envelope.confirm_url or None
        values["view_url"] = envelope.view_url or None
        values["postal_address"] = envelope.postal_address or None
        values["cairn_leaving"] = not envelope.transactional
        values["cairn_link"] = self

    def escape_in(self, values: dict[str, Any]) -> None:
        """Make the variables of the text part those of the HTML part."""
        if not self.plain:
            for name, url in self.ready.items():
                if "&" in url:
                    values[name] = quoted_printable.address_piece(str(escape(url)))

    def __call__(self, position: int, *parts: Any) -> str:
        """The address to write for a link put together per contact, remembered under its position."""
        url = safe_url(
            "".join(str(Markup(part).unescape()) if isinstance(part, Markup) else str(part) for part in parts)
        )
        if not url.lower().startswith(("http://", "https://")):
            return url or "#"
        if url.startswith(self.envelope.own_urls):
            return url  # leaving is nobody's click, whatever the author put behind the address
        url = utm.tagged(url, self.tags)
        if self.clicks is None:
            return url
        place = self.places.get((position, url))
        if place is None:
            place = position if position not in self.dynamic else dynamic_base + len(self.places)
            self.places[position, url] = place
            self.dynamic[place] = url
        return self.clicks((place,))[0]


def because(state: State) -> str:
    """The reason for an empty message, as the end of a sentence."""
    return f": no value for {', '.join(state.missing)}." if state.missing else "."


def decoded(text: str) -> str:
    """The text behind a quoted-printable piece."""
    return quopri.decodestring(text.encode("ascii")).decode("utf-8", "replace")


class Values(dict[str, Any]):
    """Variables as templates look them up: Jinja's own mark for one that is not there."""

    def __missing__(self, name: str) -> Any:
        return missing


class Variables(Context):
    """Jinja's context of one render without what it does for inheritance, imports and autoescape blocks.

    What a template sets itself it never looks up here, as it is one function with variables of its own.
    """

    name = None
    blocks = {}  # noqa: RUF012 - Jinja declares it of the instance; nobody writes into it
    globals_keys = set()  # noqa: RUF012

    def __init__(self, env: MessageEnvironment, eval_ctx: nodes.EvalContext, values: Values) -> None:
        self.environment, self.eval_ctx, self.parent = env, eval_ctx, values
        self.resolve_or_missing = values.__getitem__  # type: ignore[method-assign, assignment]
        self.vars, self.exported_vars = {}, set()


def output(env: MessageEnvironment, tree: nodes.Template) -> Part:
    """A prepared tree as a function of its variables, in pieces; without Jinja's copies and rewritten tracebacks."""
    tree.set_environment(env)
    body: Callable[[Context], Any] = Template.from_code(env, env.compile(tree), {}).root_render_func
    eval_ctx = nodes.EvalContext(env)

    def run(values: dict[str, Any]) -> list[str]:
        known = values if type(values) is Values else Values(values)
        pieces: list[str] = next(body(Variables(env, eval_ctx, known)))
        return pieces

    return run


def part(source: str, compiled: Mapping[str, Any], *, html: bool) -> Part:
    """A body part: quoted-printable inside the template, or around it when the template captures output."""
    env = environment(html=html)
    tree = prepare(env.parse(source), compiled["defaults"], frozenset(compiled["html_fields"]))
    if not quoted_printable.captures(tree):
        return output(environment(html=html, encoded=True), quoted_printable.precompile(tree))
    whole = output(env, tree)

    def run(values: dict[str, Any]) -> list[str]:
        text = whole({name: ready(name, value) for name, value in values.items()})
        return [quoted_printable.piece("".join(text))]

    def ready(name: str, value: Any) -> Any:
        if not name.startswith(helper) or not isinstance(value, str):
            return value
        return Markup(decoded(value)) if html else decoded(value)

    return run


def line(source: str, compiled: Mapping[str, Any]) -> Callable[[dict[str, Any]], str]:
    """A template of one line of text, such as the subject."""
    env = environment(html=False)
    pieces = output(env, prepare(env.parse(source), compiled["defaults"], frozenset()))
    return lambda values: "".join(pieces(values))


def has_constant(source: str) -> bool:
    """Does a text template write something for every contact?"""
    outputs = (node for node in environment(html=False).parse(source).body if isinstance(node, nodes.Output))
    pieces = (child for node in outputs for child in node.nodes if isinstance(child, nodes.TemplateData))
    return any(piece.data.strip() for piece in pieces)


def load(compiled: Mapping[str, Any]) -> Renderer:
    """The renderer of a compiled email content (`engine.content.compile`)."""
    sender, files = compiled.get("from"), [each["entity"] for each in compiled.get("files", ())]
    spoken = headers.language_line(compiled.get("language") or "")
    constant = has_constant(compiled["text"])
    static = {link["position"]: link["url"] for link in compiled["links"] if not link["dynamic"]}
    if compiled.get("honeypot"):
        static[honeypot.POSITION] = ""
    return Renderer(
        subject=line(compiled["subject"], compiled),
        text=part(compiled["text"] + (compiled["text_tail"] if constant else ""), compiled, html=False),
        text_tail=None if constant else part(compiled["text_tail"], compiled, html=False),
        html=part(compiled["html"], compiled, html=True),
        names=tuple(compiled["names"]),
        defaults={path: value for path, value in compiled["defaults"].items() if "." not in path},
        static=static,
        sender=(sender["name"], sender["address"]) if sender else None,
        reply_to=compiled.get("reply_to") or "",
        tracking=compiled["tracking"],
        utm=compiled.get("utm") or "",
        opening=spoken + (attached.HEAD + mime_head.removeprefix(mime_version) if files else mime_head),
        ending=mime_end + attached.ending(files) if files else mime_end,
        rules=tuple(rule["text"] for rule in compiled.get("rules", ())),
        products=tuple(query["text"] for query in compiled.get("products", ())),
        views=any("view_url" in compiled[name] for name in ("html", "text", "text_tail")),
    )
