"""`split` and the holdout: sticky draws by hash of the contact."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from journeys.decide.values import NOTHING, Needs, Outcome, Row
from journeys.language.program import Program
from journeys.language.steps import Split

RANGE = 2**64


def needs(program: Program, step: Split) -> Needs:  # noqa: ARG001
    """The winner, if one is to be chosen; else nothing, for the draw depends on the contact's id alone."""
    return NOTHING if step.winner is None else Needs(winner=True)


def decide(program: Program, step: Split, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:  # noqa: ARG001
    """The winner takes all; else each contact gets the arm whose span of the draw it falls in, always the same one."""
    salt = f"{program.journey.slug}\0{drawn_as(program, step)}"
    bounds = [share * RANGE for share in accumulate(arm.share for arm in step.paths)]
    outcomes = [
        Outcome("split", to, arm=arm.name, detail={"path": arm.name})
        for arm, to in zip(step.paths, program.paths[step.id], strict=True)
    ]
    of_arm: dict[str | None, Outcome] = {arm.name: outcome for arm, outcome in zip(step.paths, outcomes, strict=True)}
    return [of_arm.get(row.winner) or outcomes[_index(bounds, draw(salt, row.contact_id))] for row in rows]


def drawn_as(program: Program, step: Split) -> str:
    """The id that a split hashes: of one that was renamed its first, so that everybody keeps their arm."""
    return next((moved.source for moved in program.journey.moved if moved.to == step.id), step.id)


def is_held_out(journey_slug: str, contact_id: int, share: Fraction) -> bool:
    """Whether a contact's first entry falls into the holdout; salted apart from every split."""
    return share > 0 and (draw(f"{journey_slug}\0\0holdout", contact_id) * share.denominator < share.numerator * RANGE)


def draw(salt: str, contact_id: int) -> int:
    """A uniform number below 2**64, fixed for salt and contact."""
    return int.from_bytes(hashlib.blake2b(f"{salt}\0{contact_id}".encode(), digest_size=8).digest(), "big")


def _index(bounds: list[Fraction], drawn: int) -> int:
    return next((i for i, bound in enumerate(bounds) if drawn < bound), len(bounds) - 1)
