"""What a channel provider takes and gives: `Outgoing` in, `Result` out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from sqlalchemy.orm import Session

Outcome = Literal["accepted", "retry", "failed", "unknown", "not_tried"]


class Rendered(NamedTuple):
    """A message as it goes out: for email RFC 5322 with CRLF.

    `links` are this contact's dynamic destinations by position, `parts` what it is charged for, and `untracked` says
    that it has neither pixel nor tracked links; the journal keeps these.
    `clean` promises ASCII in which each line ends with CRLF and none begins with a dot, so that nobody has to look.
    """

    data: bytes
    links: Mapping[int, str] | None = None
    parts: int = 1
    clean: bool = False
    untracked: bool = False


@dataclass(slots=True)
class Outgoing:
    """A claimed message. `render` gives what to send and may raise `RenderFailure`.

    `id` and `attempt` (from 1) name the try in the journal. `sender` is the envelope's return path, `token` the name of
    the message outside, `origin_at` its partition.
    """

    id: int
    attempt: int
    sender: str
    recipient: str
    render: Callable[[], Rendered]
    token: str = ""
    origin_at: dt.datetime | None = None


class Result(NamedTuple):
    """What became of an `Outgoing`.

    outcome: `accepted`; `retry` (a 4xx: later); `failed` (for good); `unknown` (data was sent, no reply came);
    `not_tried` (no byte of it reached a provider: the message is as it was). `stage` is where the word fell: render,
    local, connect, mail, rcpt, data, dot. `code` is the provider's (0: none), `enhanced` that of RFC 3463.
    """

    id: int
    outcome: Outcome
    code: int = 0
    enhanced: str = ""
    text: str = ""
    stage: str = ""

    @property
    def reply(self) -> str:
        """The provider's answer on one line, as it is stored."""
        return " ".join([part for part in (str(self.code or ""), self.enhanced, self.text) if part])


class RenderFailure(Exception):
    """A message that cannot be rendered for this contact; its text is the reason that people see."""


class Provider(Protocol):
    """A way out for one channel. `record` runs in the commit that stores the results."""

    channel: str

    def open(self) -> None:
        """Make sure that messages can be handed over; raises `ProviderError` with the reason."""

    def submit(self, items: Sequence[Outgoing]) -> Future[list[Result]]:
        """Hand messages over; the future gives one result for each of them, in the order they came about."""

    def record(self, session: Session, accepted: Collection[int], now: dt.datetime) -> None:
        """Store what belongs into the same commit as the results; `accepted` are ids of messages handed over before."""

    def close(self) -> None:
        """End connections; the provider opens them anew when it is used again."""
