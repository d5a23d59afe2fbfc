"""A town of random people, for tests that judge many rules over them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from tests.conftest import drop, new_database
from tests.engine.expr import population


@pytest.fixture(scope="module")
def residents() -> list[population.Resident]:
    return population.town(seed=7, size=60)


@pytest.fixture(scope="module")
def town(postgres_url: str, residents: list[population.Resident]) -> Iterator[Session]:
    database = new_database(postgres_url)
    with database.transaction() as session:
        population.settle(session, residents)
        session.flush()
        yield session
    drop(database)
