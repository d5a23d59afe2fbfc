"""Reading ahead: in order, and without a trace in the interpreter."""

from __future__ import annotations

import sys

from engine.imports.ahead import TURN, read_ahead


def test_of_two_files_read_at_once_the_last_puts_the_interpreters_turns_back() -> None:
    usual = sys.getswitchinterval()
    first, second = read_ahead(iter([1, 2, 3])), read_ahead(iter("ab"))
    assert (next(first), next(second)) == (1, "a")
    assert sys.getswitchinterval() < usual
    assert list(first) == [2, 3]
    assert abs(sys.getswitchinterval() - TURN) < 1e-6
    second.close()
    assert sys.getswitchinterval() == usual
