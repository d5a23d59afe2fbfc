"""What a DKIM signature costs a message, by key, against the same message unsigned; and dkimpy's signer beside ours.

Run: python -m benchmarks.dkim [MESSAGES]. One process, CPU time, alternating rounds; every signer signs the message
that `benchmarks.send` sends.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from benchmarks.measure import Figure, write
from benchmarks.send import CONTENT
from benchmarks.sender import SITE, signer
from engine.channels.dkim import Dkim, Key, signed
from engine.content import store
from engine.content.compile import compile_source
from engine.messages.compose import Composer
from engine.messages.handed import Candidate
from engine.workspace import Workspace

DOMAIN, ROUNDS = "bench.example", 5
PERSON = {"first_name": "Ann", "last_name": "Smith", "city": "Springfield", "plan": "pro", "points": 12}
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def renders() -> Callable[[], bytes]:
    """A function that renders the benchmark's message."""
    renderer = store.build(compile_source(CONTENT, "email").data)
    composer = Composer(Workspace(sender_address=f"news@{DOMAIN}"), {1: renderer}, signer, SITE, NOW)
    message = Candidate(
        1,
        NOW,
        1,
        "news",
        "email",
        "c1@bench.example",
        1,
        NOW,
        1,
        1,
        1,
        1,
        None,
        1,
        None,
        "t" * 32,
        None,
        None,
        PERSON,
        1,
    )
    return lambda: composer.outgoing(message).render().data


def microseconds(work: Callable[[], object], count: int) -> float:
    """CPU time of one call."""
    started = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - started) / count * 1e6


def main(count: int = 400) -> None:
    """Medians of alternating rounds."""
    render = renders()
    rsa, ed25519 = Key("a", generate_private_key(65537, 2048)), Key("b", Ed25519PrivateKey.generate())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem, message = rsa.private.private_bytes(*form), render()
    names = [name.encode() for name in signed]
    one, other, both = (Dkim(DOMAIN, keys) for keys in ([rsa], [ed25519], [rsa, ed25519]))
    works: dict[str, Callable[[], object]] = {
        "render, unsigned": render,
        "RSA 2048": lambda: one.sign(message),
        "Ed25519": lambda: other.sign(message),
        "RSA 2048 and Ed25519": lambda: both.sign(message),
    }
    slow = lambda: dkim.sign(  # noqa: E731 - dkimpy's signer, with what ours signs
        message, b"a", DOMAIN.encode(), pem, canonicalize=(b"relaxed", b"relaxed"), include_headers=names
    )
    found: dict[str, list[float]] = {name: [] for name in (*works, "dkimpy, RSA 2048")}
    for _ in range(ROUNDS):
        for name, work in works.items():
            found[name].append(microseconds(work, count))
        found["dkimpy, RSA 2048"].append(microseconds(slow, max(count // 20, 5)))
    cost = {name: statistics.median(values) for name, values in found.items()}
    base = cost.pop("render, unsigned")
    figures = [Figure("render, unsigned", 1e6 / base, "/s", cpu_us_per_unit=base)]
    for name, value in cost.items():
        total = base + value
        figures.append(Figure(f"render and {name}", 1e6 / total, "/s", base / total, "unsigned", total))
    write("dkim", figures)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
