"""The mail transactions on one connection, pipelined where the server offers it (RFC 2920).

One message is in its data phase (`sending`: its end is written, the reply outstanding), and the envelope of the next
one (`following`) is already with the server, written together with that end. So a message costs one round trip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from engine.channels.provider import Result
from engine.channels.smtp.delivery import Delivery, result_of
from engine.channels.smtp.handshake import Extensions
from engine.channels.smtp.reply import Reply
from engine.channels.smtp.server import Timeouts
from engine.channels.smtp.wire import Wire


class Owner(Protocol):
    """What a dialogue asks of the pool that it belongs to."""

    def take(self, extensions: Extensions) -> Delivery | None:
        """The next message, rendered, with its commands; None if there is none."""

    def ready(self, dialogue: Dialogue, delivery: Delivery) -> None:
        """The server waits for the data: journal the try, then call `transfer`."""

    def settle(self, delivery: Delivery, result: Result) -> None:
        """The message has its result."""

    def give_back(self, delivery: Delivery, reason: str) -> None:
        """No data of the message was sent; another connection may take it."""

    def lost(self, dialogue: Dialogue, reason: str, reply: Reply | None) -> None:
        """The connection ended; `reply` is the 421 or the refusal that ended it."""

    def blocked(self, reply: Reply) -> None:
        """The server refuses us, not a message: nothing more is sent for now."""


class Dialogue:
    """Listens to a wire that has been set up."""

    def __init__(
        self, wire: Wire, extensions: Extensions, owner: Owner, timeouts: Timeouts, clock: Callable[[], float]
    ) -> None:
        self.wire, self.extensions, self.owner, self.timeouts = wire, extensions, owner, timeouts
        self.pipelining = "PIPELINING" in extensions
        self.expected: deque[tuple[str, Delivery | None]] = deque()
        self.unsent: deque[tuple[str, Delivery | None, bytes]] = deque()
        self.sending: Delivery | None = None
        self.following: Delivery | None = None
        self.completed = 0
        self.farewell: Reply | None = None
        self.clock = clock
        self.active_at = self.moved_at = clock()
        self.backlog = 0
        wire.listener = self

    @property
    def idle(self) -> bool:
        """Whether no message is on this connection."""
        return self.sending is None and self.following is None

    def start(self) -> None:
        """Take a message if there is one."""
        if self.idle and not self.wire.closed:
            self._begin(reset=False)

    def _begin(self, *prefix: bytes, reset: bool) -> None:
        """Write `prefix` and, after it, RSET if asked for and the envelope of the next message."""
        plan: list[tuple[str, Delivery | None, bytes]] = [("rset", None, b"RSET\r\n")] if reset else []
        self.following = delivery = self.owner.take(self.extensions)
        if delivery is not None:
            mail, rcpt, data = delivery.commands
            plan += (("mail", delivery, mail), ("rcpt", delivery, rcpt), ("data", delivery, data))
        if self.pipelining:
            for stage, owner, line in plan:
                self.expected.append((stage, owner))
                prefix += (line,)
        else:
            self.unsent.extend(plan)
        if prefix:
            self._write(*prefix)
        self._advance()

    def _advance(self) -> None:
        """Without PIPELINING: write the next command once its turn has come."""
        if self.unsent and not self.expected:
            stage, delivery, line = self.unsent.popleft()
            self.expected.append((stage, delivery))
            self._write(line)

    def _write(self, *pieces: bytes) -> None:
        self.active_at = self.clock()
        self.wire.write(*pieces)

    def transfer(self, delivery: Delivery) -> None:
        """Write the data of a message whose try has been journalled."""
        self.sending, self.following = delivery, None
        self.expected.append(("dot", delivery))
        if self.pipelining:
            self._begin(delivery.data, b".\r\n", reset=False)
        else:
            self._write(delivery.data, b".\r\n")

    def reply(self, reply: Reply) -> None:
        """Apply a reply to what it answers."""
        if not self.expected:
            self._stray(reply)
            return
        self.active_at = self.clock()
        stage, delivery = self.expected.popleft()
        if reply.code == 421:
            self._closing(stage, delivery, reply)
        elif delivery is None:
            self._housekeeping(stage, reply)
        elif stage == "dot":
            self._end_of_data(delivery, reply)
        elif stage == "data":
            self._data(delivery, reply)
        else:
            self._envelope(stage, delivery, reply)
        if self.unsent:
            self._advance()

    def _stray(self, reply: Reply) -> None:
        self.farewell = reply
        self.wire.abort(f"the server says {reply}")

    def _closing(self, stage: str, delivery: Delivery | None, reply: Reply) -> None:
        """421: the server goes. Only a message whose data it had is answered by that.

        Where the sender was taken and the recipient gets it, it is no refusal of us; said on a second connection too,
        it is the recipient's answer.
        """
        self.farewell = reply
        if stage == "dot" and delivery is not None:
            self.sending = None
            self.owner.settle(delivery, result_of(delivery, stage, reply))
        elif stage == "rcpt" and delivery is not None and delivery.refusal is None:
            self.completed += 1
            delivery.refusal = (stage, reply) if delivery.bounces else None
        self.wire.close(f"the server says {reply}")

    def _housekeeping(self, stage: str, reply: Reply) -> None:
        """RSET must work; the answer to a lone dot says nothing, whatever it is; QUIT ends."""
        if stage == "quit":
            self.wire.close("quit")
        elif stage == "rset" and reply.code // 100 != 2:
            self._stray(reply)

    def _envelope(self, stage: str, delivery: Delivery, reply: Reply) -> None:
        if reply.code // 100 == 2 or delivery.refusal is not None:
            return
        if stage == "mail" and refuses_us(reply):
            self.farewell = reply
            self.owner.blocked(reply)
            self.wire.abort(f"the server says {reply}")
            return
        delivery.refusal = (stage, reply)
        if not self.pipelining:
            self.unsent.clear()
            self._refused(delivery)

    def _data(self, delivery: Delivery, reply: Reply) -> None:
        if reply.code == 354 and delivery.refusal is None:
            self.owner.ready(self, delivery)
        elif reply.code == 354:
            self.expected.append(("void", None))
            self._refused(delivery, b".\r\n")
        else:
            delivery.refusal = delivery.refusal or ("data", reply)
            self._refused(delivery)

    def _refused(self, delivery: Delivery, *prefix: bytes) -> None:
        """The message ends here; a 354 in spite of it gets a lone dot (RFC 2920, section 3.1)."""
        assert delivery.refusal is not None
        self.following = None
        self.completed += 1
        self.owner.settle(delivery, result_of(delivery, *delivery.refusal))
        self._begin(*prefix, reset=True)

    def _end_of_data(self, delivery: Delivery, reply: Reply) -> None:
        self.sending = None
        self.completed += 1
        self.owner.settle(delivery, result_of(delivery, "dot", reply))
        if self.following is None:
            self.start()

    def lost(self, reason: str) -> None:
        """The connection ended: what was in its data phase is unknown, what was not goes back."""
        sending, following = self.sending, self.following
        self.sending = self.following = None
        if sending is not None:
            self.owner.settle(sending, Result(sending.item.id, "unknown", text=reason, stage="dot"))
        if following is not None and following.refusal is not None:
            self.owner.settle(following, result_of(following, *following.refusal))
        elif following is not None:
            self.owner.give_back(following, reason)
        self.owner.lost(self, reason, self.farewell)

    def quit(self) -> None:
        """Take leave of the server; the connection must be idle."""
        self.expected.append(("quit", None))
        self._write(b"QUIT\r\n")

    def tick(self, now: float) -> None:
        """End the connection if the server has kept us waiting too long, or nothing was sent on it for long."""
        backlog = self.wire.backlog
        if backlog != self.backlog:
            self.moved_at, self.backlog = now, backlog
        if not self.expected and self.idle:
            if now - self.active_at > self.timeouts.idle:
                self.quit()
        elif backlog and now - self.moved_at > self.timeouts.block:
            self.wire.abort("the server takes no more data")
        elif self.expected and now - max(self.active_at, self.moved_at) > self.timeouts.of(self.expected[0][0]):
            self.wire.abort(f"no answer in time ({self.expected[0][0]})")


def refuses_us(reply: Reply) -> bool:
    """Whether a refused MAIL speaks of the sender's standing (sign-in, policy: 5.7.x) and so of every message."""
    return reply.code in (530, 535, 538) or (reply.code // 100 == 5 and reply.enhanced.startswith("5.7."))
