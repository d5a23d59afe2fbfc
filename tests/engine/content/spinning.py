"""Stands for a check that never ends."""

from typing import Any, NoReturn

from engine.content import compiler


def spin(request: dict[str, Any]) -> NoReturn:
    while True:
        pass


if __name__ == "__main__":
    compiler.reply_to = spin
    compiler.serve()
