"""The connections of one process to one server, and the messages that wait for them. Runs inside one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from engine.channels.journal import Journal, Try
from engine.channels.provider import Outgoing, RenderFailure, Result
from engine.channels.smtp.delivery import Delivery, Run, deliveries, nothing
from engine.channels.smtp.dialogue import Dialogue
from engine.channels.smtp.envelope import Unsendable, commands, prepare
from engine.channels.smtp.handshake import Extensions, Refused, connect
from engine.channels.smtp.reply import Reply
from engine.channels.smtp.server import Server, Timeouts
from engine.channels.smtp.wire import Wire

most_bounces = 3
fruitless_connections = 3
messages_a_connection = 4


class Pool:
    """Owns the dialogues. A try is in the journal before its data is on the wire; one append per turn of the loop."""

    def __init__(self, server: Server, journal: Journal, connections: int, timeouts: Timeouts, hostname: str) -> None:
        self.server, self.journal, self.timeouts, self.hostname = server, journal, timeouts, hostname
        self.limit = self.most = connections
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[Delivery] = deque()
        self.dialogues: set[Dialogue] = set()
        self.opening: set[asyncio.Task[None]] = set()
        self.pending: list[tuple[Dialogue, Delivery]] = []
        self.flush_due = False
        self.halted = ""
        self.fruitless = 0
        self.ticker: asyncio.TimerHandle | None = None

    def submit(self, items: Sequence[Outgoing], run: Run) -> None:
        """Queue the messages of a run."""
        self.halted, self.fruitless = "", 0
        self.limit = min(self.most, self.limit + 1)
        self.waiting.extend(deliveries(items, run))
        self._grow()

    async def open(self) -> None:
        """Make sure that there is a connection; raises `Refused`."""
        if not self.dialogues:
            self._add(*await connect(self.server, self.timeouts, self.hostname))

    async def close(self) -> None:
        """Take leave on all connections, waiting a second at most."""
        for task in self.opening:
            task.cancel()
        for dialogue in [each for each in self.dialogues if each.idle]:
            dialogue.quit()
        until = self.loop.time() + 1
        while self.dialogues and self.loop.time() < until:
            await asyncio.sleep(0.01)
        for dialogue in list(self.dialogues):
            dialogue.wire.abort("closed")
        if self.ticker is not None:
            self.ticker.cancel()

    def _grow(self) -> None:
        """Put messages on idle connections, and open as many more as the queue deserves."""
        self._wake()
        busy = len(self.dialogues) + len(self.opening)
        wanted = min(self.limit, busy + -(-len(self.waiting) // messages_a_connection))
        for _ in range(wanted - busy):
            task = self.loop.create_task(self._connect())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    def _wake(self) -> None:
        for dialogue in list(self.dialogues):
            if not self.waiting:
                return
            dialogue.start()

    async def _connect(self) -> None:
        try:
            wire, extensions = await connect(self.server, self.timeouts, self.hostname)
        except Refused as error:
            self._opened()
            return self._refused(error)
        self._opened()
        return self._add(wire, extensions).start()

    def _opened(self) -> None:
        """Said by the task itself: its callback runs later, when the connection may have been lost again."""
        task = asyncio.current_task()
        assert task is not None
        self.opening.discard(task)

    def _add(self, wire: Wire, extensions: Extensions) -> Dialogue:
        dialogue = Dialogue(wire, extensions, self, self.timeouts, self.loop.time)
        self.dialogues.add(dialogue)
        if self.ticker is None:
            self._tick()
        return dialogue

    def _refused(self, error: Refused) -> None:
        """A connection could not be opened: the others carry on; without others, everything goes back."""
        if error.busy and self.dialogues:
            self.limit = max(1, len(self.dialogues))
        if not self.dialogues and not self.opening:
            self._halt(str(error))

    def _halt(self, reason: str) -> None:
        """Send nothing more in the runs at hand."""
        self.halted = reason
        waiting, self.waiting = self.waiting, deque()
        for delivery in waiting:
            self._return(delivery)

    def _return(self, delivery: Delivery) -> None:
        delivery.run.add(Result(delivery.item.id, "not_tried", text=self.halted, stage="connect"))

    def take(self, extensions: Extensions) -> Delivery | None:
        """The next message that can be sent, rendered; those that cannot be get their result here."""
        while self.waiting:
            delivery = self.waiting.popleft()
            try:
                if not delivery.data:
                    delivery.rendered = rendered = delivery.item.render()
                    delivery.data = rendered.data if rendered.clean else prepare(rendered.data)
                item, clean = delivery.item, delivery.rendered.clean
                delivery.commands = commands(item.sender, item.recipient, delivery.data, extensions, clean=clean)
                return delivery
            except Unsendable as error:
                result = Result(delivery.item.id, "failed", error.code, error.enhanced, error.text, "local")
            except RenderFailure as error:
                result = Result(delivery.item.id, "failed", text=str(error), stage="render")
            except Exception as error:  # one poisoned message must not stop the others
                result = Result(delivery.item.id, "failed", text=f"{type(error).__name__}: {error}", stage="render")
            self.settle(delivery, result)
        return None

    def ready(self, dialogue: Dialogue, delivery: Delivery) -> None:
        """The server waits for this message's data."""
        self.pending.append((dialogue, delivery))
        self._flush_soon()

    def settle(self, delivery: Delivery, result: Result) -> None:
        """Journal the result and hand it to the run."""
        self.fruitless = 0
        delivery.data, delivery.rendered = b"", nothing
        self._flush_soon()
        self.journal.note_reply(delivery.item.id, delivery.item.attempt, result)
        delivery.run.add(result)

    def _flush_soon(self) -> None:
        if not self.flush_due:
            self.flush_due = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Append what is due to the journal; then, and only then, write the data of the messages tried."""
        self.flush_due = False
        pending = [(dialogue, each) for dialogue, each in self.pending if dialogue.following is each]
        self.pending = []
        try:
            self.journal.append(
                Try(each.item.id, each.item.attempt, each.rendered.links, each.rendered.parts, each.rendered.untracked)
                for _, each in pending
            )
        except OSError as error:
            self._halt(f"the journal cannot be written: {error.strerror or error}")
            for dialogue, _ in pending:
                dialogue.wire.abort(self.halted)
            return
        for dialogue, each in pending:
            dialogue.transfer(each)

    def give_back(self, delivery: Delivery, reason: str) -> None:
        """Try the message on another connection, after the others; not for ever, as it may be what breaks them."""
        delivery.bounces += 1
        if self.halted:
            self._return(delivery)
        elif delivery.bounces >= most_bounces:
            self.settle(delivery, Result(delivery.item.id, "retry", text=reason, stage="mail"))
        else:
            self.waiting.append(delivery)

    def lost(self, dialogue: Dialogue, reason: str, reply: Reply | None) -> None:
        """Replace a connection that ended while there is work, unless that has proved fruitless."""
        self.dialogues.discard(dialogue)
        if reply is not None and reply.busy:
            self.limit = max(1, len(self.dialogues))
        self.fruitless = 0 if dialogue.completed else self.fruitless + 1
        if not self.waiting:
            return
        if self.fruitless < fruitless_connections:
            self._grow()
        elif not self.dialogues and not self.opening:
            self._halt(f"{self.server}: {reason}")
        else:
            self._wake()

    def blocked(self, reply: Reply) -> None:
        """The server refuses us as a sender."""
        self._halt(f"{self.server} refuses the sender: {reply}")

    def _tick(self) -> None:
        now = self.loop.time()
        for dialogue in list(self.dialogues):
            dialogue.tick(now)
        phases = (self.timeouts.command, self.timeouts.data, self.timeouts.block, self.timeouts.dot, self.timeouts.idle)
        self.ticker = self.loop.call_later(min(1.0, *(each / 4 for each in phases)), self._tick)
