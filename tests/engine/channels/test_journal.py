"""The journal: what it promises about the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.channels import journal as journals
from engine.channels.journal import Journal, Try, read, take_over
from engine.channels.provider import Result


def test_it_tells_tries_and_replies(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([Try(1, 1), Try(2, 1)])
    journal.note_reply(1, 1, Result(1, "retry", 451, "4.3.0", "come\r\n back  later", "dot"))
    journal.note_reply(3, 2, Result(3, "failed", 550, "", "no", "rcpt"))
    known = journal.known()
    assert known.whole
    assert known.entries == {
        (1, 1): Result(1, "retry", 451, "4.3.0", "come back later", "dot"),
        (2, 1): None,
        (3, 2): Result(3, "failed", 550, "", "no", "rcpt"),
    }


def test_half_a_line_was_never_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([Try(1, 1)])
    with (tmp_path / journal.name).open("a") as file:
        file.write("try 2 1\ntry 3")
    assert read(tmp_path / journal.name).entries == {(1, 1): None, (2, 1): None}


@pytest.mark.parametrize("line", ["try 2 1\0\0\0", "\0\0\0", "reply 2 1 accepted dot 2x0 -", "try 2", "try 2 1 1"])
def test_a_line_that_does_not_read_makes_the_rest_doubtful(tmp_path: Path, line: str) -> None:
    journal = Journal(tmp_path)
    journal.append([Try(1, 1)])
    with (tmp_path / journal.name).open("a") as file:
        file.write(f"{line}\ntry 3 1\n")
    known = read(tmp_path / journal.name)
    assert known.entries == {(1, 1): None, (3, 1): None}
    assert not known.whole


def test_only_one_process_holds_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    path = tmp_path / journal.name
    assert take_over(path) is None
    journal.close()
    taken = take_over(path)
    assert taken is not None
    os.close(taken)
    assert take_over(tmp_path / "gone") is None


def test_a_failed_append_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append([Try(1, 1)])
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:5]))
    with pytest.raises(OSError, match="full"):
        journal.append([Try(2, 1)])
    monkeypatch.undo()
    journal.append([Try(3, 1)])
    assert journal.known().entries == {(1, 1): None, (3, 1): None}


def test_a_really_full_disk_refuses_the_append() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    journal = object.__new__(Journal)
    journal.__dict__.update(_lock=__import__("threading").Lock(), _replies=[], _broken=False, size=0)
    journal._file = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space"):
        journal.append([Try(1, 1)])
    with pytest.raises(OSError, match="before"):
        journal.append([Try(1, 1)])


def test_a_full_disk_leaves_no_file_of_a_journal_that_could_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals.home_id(tmp_path)
    opened = set(Path("/proc/self/fd").iterdir())
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:5]))
    with pytest.raises(OSError, match="full"):
        Journal(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["home-id"]
    assert set(Path("/proc/self/fd").iterdir()) == opened


def test_it_forgets_on_reset_but_keeps_its_head(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([Try(1, 1)])
    journal.reset()
    journal.append([Try(2, 1)])
    assert journal.known().entries == {(2, 1): None}
    assert journal.known().whole


def test_after_a_restart_of_the_machine_silence_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    monkeypatch.setattr(journals, "boot", lambda: "another")
    assert not journal.known().whole


def test_a_try_keeps_links_and_parts(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    tried = Try(7, 2, {1: "https://a.example/?q=“x y”\n", 1001: "https://b.example/"}, 3)
    journal.append([tried, Try(8, 1)])
    journal.note_reply(7, 2, Result(7, "accepted", 250, "2.0.0", "ok", "dot"))
    known = journal.known()
    assert known.tries == {(7, 2): tried, (8, 1): Try(8, 1)}
    assert known.entries[7, 2] == Result(7, "accepted", 250, "2.0.0", "ok", "dot")
    journal.close()


def test_what_rendering_decided_stands_behind_the_try(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    tries = [Try(1, 1, {3: "https://x.example/é"}, 2), Try(2, 1, untracked=True), Try(3, 1)]
    journal.append(tries)
    assert list(journal.known().tries.values()) == tries
