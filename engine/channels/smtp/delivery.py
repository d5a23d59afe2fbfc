"""A message on its way through the pool, and the batch that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from engine.channels.provider import Outcome, Outgoing, Rendered, Result
from engine.channels.smtp.reply import Reply


@dataclass(slots=True)
class Run:
    """The messages of one call of `submit`, and what became of them so far."""

    outstanding: int
    on_result: Callable[[Result], None] | None = None
    results: list[Result] = field(default_factory=list)
    done: Future[list[Result]] = field(default_factory=Future)

    def add(self, result: Result) -> None:
        """Take a result; the last one completes the future."""
        self.results.append(result)
        self.outstanding -= 1
        if self.on_result is not None:
            self.on_result(result)
        if self.outstanding == 0:
            self.done.set_result(self.results)


nothing = Rendered(b"")


@dataclass(slots=True, eq=False)
class Delivery:
    """One message: what was rendered, made ready for the wire; the refusal it met; how often a connection broke."""

    item: Outgoing
    run: Run
    rendered: Rendered = nothing
    data: bytes = b""
    commands: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    refusal: tuple[str, Reply] | None = None
    bounces: int = 0


def deliveries(items: Sequence[Outgoing], run: Run) -> list[Delivery]:
    """The items of a run."""
    return [Delivery(item, run) for item in items]


def outcome_of(code: int) -> Outcome:
    """2xx accepted, 4xx later, all else never (RFC 5321, section 4.2.1)."""
    if 200 <= code < 300:
        return "accepted"
    return "retry" if 400 <= code < 500 else "failed"


def result_of(delivery: Delivery, stage: str, reply: Reply) -> Result:
    """The result that a reply at a stage means; a success before the end of the data is none."""
    outcome = outcome_of(reply.code)
    if outcome == "accepted" and stage != "dot":
        outcome = "retry"
    enhanced, text = reply.told
    return Result(delivery.item.id, outcome, reply.code, enhanced, text, stage)
