"""Anything may happen in any order, and workers die anywhere: I1 to I6 hold (docs/testing.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import drop, new_database
from tests.journeys.runtime.world import HOUR
from tests.model.machine import Machine
from tests.model.mailserver import troublesome_server
from tests.model.moves import MINUTE, PEOPLE
from tests.model.process import Nursery
from tests.model.site import Servers, prepare
from tests.model.stops import OF_JOB
from workers.enqueue import connect

LONG = int(os.environ.get("CAIRN_MODEL_EXAMPLES") or 0)
SHORT = settings(
    max_examples=12,
    stateful_step_count=40,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
SOAK = settings(max_examples=LONG or 1, stateful_step_count=60, print_blob=True)


@pytest.fixture(scope="module")
def servers(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    home = tmp_path_factory.mktemp("model")
    database = new_database(postgres_url, "cairn_model_")
    with troublesome_server() as mail, connect(redis_url) as redis:
        environment = {
            "CAIRN_HOME": str(home),
            "CAIRN_SMTP_URL": mail.url,
            "DATABASE_URL": postgres_url,
            "REDIS_URL": redis_url,
            "CAIRN_WORKSPACE": database.workspace.removeprefix("cairn_"),
        }
        prepare(database, mail)
        nursery = Nursery(environment)
        yield Servers(database, redis, mail, home, nursery)
        nursery.close()
    drop(database)


def bound(servers: Servers) -> type[Machine]:
    """The model over these servers."""
    return type("Bound", (Machine,), {"servers": servers})


@contextmanager
def example(servers: Servers) -> Iterator[Machine]:
    """One example by hand; at its end everything must come to rest, unless it has failed already."""
    model = bound(servers)()
    try:
        model.begin()
        yield model
    except BaseException:
        model.broken = True
        raise
    finally:
        model.teardown()


@pytest.mark.parametrize("job", OF_JOB)
def test_workers_die_one_after_the_other_at_each_point_of_a_job(servers: Servers, job: str) -> None:
    """None is left to chance, and none is never reached."""
    with example(servers) as model:
        bring_to(model, job)
        for point in OF_JOB[job]:
            bring_more(model, job)
            model.order(0, job, point)
            assert model.workers[0].state == "held", point
            model.kill(0)
            model.holds()


def bring_to(model: Machine, job: str) -> None:
    """Until there is something to do for each part of the job."""
    for who in range(PEOPLE):
        model.happens(who, "Signed Up", 1)
        model.happens(who, "Paid", 1)
    if job == "match":
        model.order(1, "match")
        model.order(1, "advance")
        model.happens(0, "Seen", 1)
        model.happens(1, "Paid", 2)
    order = ["match", "refresh", "advance", "send", "hits", "receipts"]
    for before in order[: order.index(job)] if job in order else ["match"]:
        if before != "refresh":
            model.order(1, before)
    if job == "campaigns":
        model.campaign_starts("", False, "25%", None)
    if job == "receipts":
        model.is_told(0, ["hard", "delivered"], MINUTE, twice=True)
        model.is_told(1, ["complaint"], MINUTE, twice=False)
    if job == "hits":
        model.hits_a_pixel(0)
        model.world.jump(MINUTE)
    if job == "sweep":
        model.order(1, "advance")
        model.order(1, "send", "try journalled")
        model.kill(1)


def bring_more(model: Machine, job: str) -> None:
    """What those who died before have used up: messages that may have been sent, and the leadership for a while."""
    if job == "send":
        model.world.event(model.world.contact(), "Signed Up")
        for before in ("sweep", "match", "advance"):
            model.order(1, before)
    if job == "schedule":
        model.lease_ends()


def test_a_sender_that_stands_still_is_left_alone(servers: Servers) -> None:
    """It has claimed and not tried yet; a reaper that took its messages for lost would have them sent twice."""
    with example(servers) as model:
        bring_to(model, "send")
        model.order(0, "send", "composed")
        model.world.jump(HOUR)
        for job in ("sweep", "send"):
            model.order(1, job)
        model.go_on(0)
        model.holds()


def test_a_sender_that_died_over_the_very_last_messages_is_found_out_by_time_alone(servers: Servers) -> None:
    with example(servers) as model:
        for who in range(PEOPLE):
            model.happens(who, "Signed Up", 1)
        for _ in range(20):
            for job in ("match", "advance"):
                model.order(1, job)
            if model.world.execute("select from messages where step_id = 'last' and state = 'queued'"):
                break
            model.order(1, "send")
            model.world.jump(HOUR)
        model.order(0, "send", "try journalled")
        assert model.workers[0].state == "held"
        model.kill(0)


@pytest.mark.timeout(0 if LONG else 900)
def test_nothing_is_lost_and_nothing_is_sent_twice(servers: Servers) -> None:
    profile = SOAK if LONG else SHORT
    run_state_machine_as_test(
        bound(servers), settings=settings(profile, deadline=None, suppress_health_check=list(HealthCheck))
    )
