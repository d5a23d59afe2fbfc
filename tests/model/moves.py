"""What the model draws from: people, spans of time, jobs with the point where they are stopped, campaigns."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from hypothesis import strategies as st

from tests.journeys.runtime.world import DAY, HOUR
from tests.model.stops import OF_JOB

MINUTE = dt.timedelta(minutes=1)
PEOPLE = 4
MOST_CAMPAIGNS = 3
CAMPAIGN = {"audience": "email is set", "except": 'plan is "left"', "topic": "news", "content": "hello"}
TEST = {
    "content": None,
    "variants": [{"name": "a", "content": "hello"}, {"name": "b", "content": "offer"}],
    "test": "50%",
    "winner": {"by": "opens", "after": "30 minutes"},
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
people = st.integers(0, PEOPLE - 1)
spans = st.sampled_from([MINUTE, 10 * MINUTE, HOUR, 7 * HOUR, DAY])
workers = st.integers(0, 1)
words = st.sampled_from(["delivered", "deferred", "soft", "hard", "complaint"])


class Task(NamedTuple):
    """A job; the point where it is stopped ('' nowhere) at the how manieth arrival, and whether it is killed there."""

    job: str
    point: str = ""
    nth: int = 1
    dies: bool = False


def stopped(job: str) -> st.SearchStrategy[Task]:
    """A job that is stopped somewhere, or not."""
    return st.builds(Task, st.just(job), st.sampled_from(("", *OF_JOB[job])), st.integers(1, 3), st.booleans())


FLOW = ("hits", "receipts", "match", "refresh", "advance", "campaigns", "send")
tasks = st.sampled_from(
    ["match", "advance", "campaigns", "send", "send", "refresh", "hits", "receipts", "sweep"]
).flatmap(stopped)
