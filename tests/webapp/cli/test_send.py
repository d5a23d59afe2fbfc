"""`cairn send`."""

from __future__ import annotations

from pathlib import Path

from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_one_message_is_sent_by_hand_once_a_key(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "receipt.html").write_text("---\nsubject: Order {{ event.order }}\n---\n<p>{{ event.total }}</p>")
    assert cairn("content", "publish", tmp_path / "receipt.html").exit_code == 0
    call = ("send", "receipt", "ann@x.example", "--set", "order=A-1", "--set", "total=12.5", "--key", "A-1")
    first = cairn(*call)
    assert first.exit_code == 0 and first.output.endswith("  queued\n"), first.output
    assert cairn(*call).output == first.output
    assert cairn("send", "receipt", "ann").exit_code == 4  # nobody is made of a name that may be misspelt
    assert cairn("send", "nothing", "ann@x.example").exit_code == 4
    assert cairn("send", "receipt", "ann@x.example", "--set", "order").exit_code == 1
