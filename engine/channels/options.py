"""What the addresses of gateways and vendors have in common: KIND://USER:PASSWORD@HOST:PORT?NAME=VALUE."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import SplitResult, parse_qsl, urlsplit

from engine.errors import ConfigurationError


def split(url: str, wrong: Callable[[str], ConfigurationError]) -> tuple[SplitResult, int | None]:
    """The parts, and the port as a number. Raises what `wrong` makes of the reason."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise wrong(f"it is no address ({error})") from error


def options(
    kind: str, parts: SplitResult, known: Collection[str], wrong: Callable[[str], ConfigurationError]
) -> dict[str, str]:
    """What follows the question mark; a plus sign there is a plus sign, as in numbers and keys.

    Raises what `wrong` makes of the reason for a name that is not known.
    """
    found = {name: value.strip() for name, value in parse_qsl(parts.query.replace("+", "%2B"))}
    if unknown := sorted(found.keys() - set(known)):
        raise wrong(f"{kind} knows no option {unknown[0]}; there are {', '.join(sorted(known))}")
    return found
