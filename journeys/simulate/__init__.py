"""Replay a draft over real history: who would have entered, what they would have got, and what was held back."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from engine.signing import Signer
from journeys.simulate.history import people, population
from journeys.simulate.notes import notes
from journeys.simulate.person import Person, Turn
from journeys.simulate.plan import Plan, plan
from journeys.simulate.replay import Replay
from journeys.simulate.tally import Tally, as_json
from journeys.simulate.winners import winners

__all__ = [
    "Person",
    "Plan",
    "Tally",
    "Turn",
    "as_json",
    "notes",
    "plan",
    "population",
    "replay",
    "replay_people",
    "winners",
]


def replay(plan: Plan, everybody: Iterable[Person]) -> Tally:
    """Replay the draft over each of these people. Pure: the same history gives the same tally."""
    tally = Tally()
    for person in everybody:
        Replay(plan, person, tally).run()
    return tally


def replay_people(session: Session, plan: Plan, ids: Sequence[int], signer: Signer) -> Tally:
    """Load these contacts and replay the draft over them."""
    return replay(plan, people(session, plan, ids, signer))
