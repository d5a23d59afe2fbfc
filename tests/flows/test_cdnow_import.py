"""Every purchase of the CDNOW cohort through the real commands, and rules counted again in plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from engine.db import Database
from engine.settings import settings
from tests.conftest import drop
from tests.flows.cdnow import PURCHASES
from webapp.cli import main

Purchases = list[tuple[dt.date, int, Decimal]]
NOW = "1998-07-01"
TODAY = dt.date(1998, 7, 1)


@dataclass(frozen=True)
class Shop:
    """The workspace after the import, and the file's purchases by customer, in the order of time."""

    database: Database
    folder: Path
    customers: dict[str, Purchases]

    def cairn(self, *arguments: str) -> Result:
        """Run a command as `cairn` does."""
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result


def read() -> dict[str, Purchases]:
    customers: dict[str, Purchases] = defaultdict(list)
    with PURCHASES.open() as file:
        for row in csv.DictReader(file):
            day = dt.date.fromisoformat(row["date"])
            customers[row["customer_id"]].append((day, int(row["quantity"]), Decimal(row["amount_usd"])))
    return {customer: sorted(purchases, key=lambda p: p[0]) for customer, purchases in customers.items()}


def write(folder: Path, customers: dict[str, Purchases]) -> None:
    """The two files: the first quantity of each customer is an attribute, so that rules can combine both."""
    with (folder / "contacts.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["external_id", "email", "phone", "timezone", "first_day", "first_quantity", "letter"])
        for customer, purchases in customers.items():
            day, quantity, _ = purchases[0]
            letter = "odd" if int(customer) % 2 else ""
            out.writerow([customer, f"c{customer}@example.com", "", "UTC", day, quantity, letter])
    with PURCHASES.open() as file, (folder / "events.csv").open("w", newline="") as target:
        out = csv.writer(target)
        out.writerow(["external_id", "name", "occurred_at", "message_id", "quantity", "revenue"])
        for number, row in enumerate(csv.DictReader(file)):
            values = row["date"], f"row-{number}", row["quantity"], row["amount_usd"]
            out.writerow([row["customer_id"], "Order Completed", *values])


@pytest.fixture(scope="module")
def shop(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    if not PURCHASES.exists():
        pytest.skip(f"the CDNOW purchases are not at {PURCHASES}")
    folder = tmp_path_factory.mktemp("cdnow")
    customers = read()
    write(folder, customers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", postgres_url)
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        patch.setenv("CAIRN_WORKSPACE", "cdnow_import")
        settings.cache_clear()
        database = Database(postgres_url, workspace=settings().workspace_schema)
        made = Shop(database, folder, customers)
        made.cairn("contacts", "import", folder / "contacts.csv", "--consent", "email")
        made.cairn("events", "import", folder / "events.csv")
        yield made
        drop(database)
    settings.cache_clear()


def test_no_row_is_lost(shop: Shop) -> None:
    with shop.database.transaction() as session:
        count, total, quantity = session.execute(
            text("select count(*), sum((properties->>'revenue')::numeric), sum((properties->>'quantity')::numeric) "
                 "from events where jsonb_typeof(properties->'revenue') = 'number'")
        ).one()  # fmt: skip
        assert (count, total) == (69_659, Decimal("2500315.63"))
        assert quantity == sum(q for purchases in shop.customers.values() for _, q, _ in purchases)
        assert session.execute(text("select count(*) from contacts")).scalar() == 23_570
        assert session.execute(text("select count(*) from event_inbox")).scalar() == 0
        consents = session.execute(text("select count(*) from consent_states where state = 'subscribed'")).scalar()
        assert consents == 23_570


def test_a_second_import_changes_nothing(shop: Shop) -> None:
    def state() -> list[object]:
        with shop.database.transaction() as session:
            tables = ("contacts", "events", "event_keys", "consent_events", "change_inbox", "attribute_definitions")
            hashes = [f"select md5(string_agg(t::text, '' order by t::text)) from {table} t" for table in tables]
            return [session.execute(text(query)).scalar() for query in hashes]

    before = state()
    contacts = shop.cairn("contacts", "import", shop.folder / "contacts.csv", "--consent", "email")
    events = shop.cairn("events", "import", shop.folder / "events.csv")
    assert "23,570 contacts: 0 imported, 23,570 unchanged, 0 refused." in contacts.output
    assert "69,659 events: 0 imported, 69,659 unchanged, 0 refused." in events.output
    assert state() == before


def test_the_import_asks_segments_to_look_again(shop: Shop) -> None:
    shop.cairn("segments", "create", "big", 'sum of revenue over "Order Completed" > 500')
    big = sum(sum(p[2] for p in purchases) > 500 for purchases in shop.customers.values())
    assert f"big\t{big}\t" in shop.cairn("segments", "list").output
    with shop.database.transaction() as session:
        assert session.execute(text("select not stale from segments where slug = 'big'")).scalar()


def since(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def months_back(count: int) -> dt.date:
    return dt.date(1998, 7 - count, 1)


def then_within(days: int) -> Callable[[Purchases], bool]:
    """Some purchase is followed by another, later than it and at most so many days."""
    return lambda p: any(a[0] < b[0] <= a[0] + dt.timedelta(days=days) for a in p for b in p)


def without_within(days: int) -> Callable[[Purchases], bool]:
    """Some purchase, its days over, was not followed by another."""

    def holds(p: Purchases) -> bool:
        length = dt.timedelta(days=days)
        return any(
            a[0] + length <= TODAY and not any(a[0] < b[0] <= a[0] + length for b in p) for a in p if a[0] <= TODAY
        )

    return holds


RULES: dict[str, Callable[[Purchases], bool]] = {
    "purchased in the last 90 days": lambda p: any(since(90) <= d for d, _, _ in p),
    "purchased at least 2 times in the last 3 months": lambda p: sum(d >= months_back(3) for d, _, _ in p) >= 2,
    "never purchased in the last 300 days": lambda p: not any(d >= since(300) for d, _, _ in p),
    "purchased exactly 3 times": lambda p: len(p) == 3,
    "purchased at most 1 time in the last 400 days": lambda p: sum(d >= since(400) for d, _, _ in p) <= 1,
    'sum of revenue over "Order Completed" > 200.50': lambda p: sum(x for *_, x in p) > Decimal("200.50"),
    'sum of revenue over "Order Completed" in the last 180 days <= 0': lambda p: sum(
        x for d, _, x in p if d >= since(180)
    ) <= 0,
    "purchased at least 2 times where (quantity >= 3 and revenue < 60)": lambda p: sum(
        q >= 3 and x < 60 for _, q, x in p
    ) >= 2,
    "purchased between 1997-03-01 and 1997-03-31": lambda p: any(
        dt.date(1997, 3, 1) <= d <= dt.date(1997, 3, 31) for d, _, _ in p
    ),
    'did "Order Completed" then "Order Completed" within 30 days': then_within(30),
    'did "Order Completed" without "Order Completed" within 90 days': without_within(90),
    "last_seen_at more than 200 days ago": lambda p: p[-1][0] < since(200),
    'average of revenue over "Order Completed" > 40': lambda p: sum(x for *_, x in p) / len(p) > 40,
    'max of quantity over "Order Completed" >= 10': lambda p: max(q for _, q, _ in p) >= 10,
    'min of revenue over "Order Completed" < 10': lambda p: min(x for *_, x in p) < 10,
    "first_quantity > 2 and not (purchased at least 2 times)": lambda p: p[0][1] > 2 and len(p) < 2,
    "first_day is before 1997-02-01 and first_quantity in [1, 4]": lambda p: (
        p[0][0] < dt.date(1997, 2, 1) and p[0][1] in (1, 4)
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_counts_what_plain_python_counts(shop: Shop, rule: str) -> None:
    expected = sum(map(RULES[rule], shop.customers.values()))
    assert int(shop.cairn("rules", "count", rule, "--now", NOW).output) == expected
    assert 0 < expected < 23_570


def test_missing_attributes_and_addresses_count_as_the_language_says(shop: Shop) -> None:
    odd = sum(int(customer) % 2 for customer in shop.customers)
    counts = {
        'letter is "odd"': odd,
        'letter is not "odd"': 23_570 - odd,
        'letter is not set and email ends with "@EXAMPLE.com"': 23_570 - odd,
        "consents to email and not consents to sms": 23_570,
    }
    for rule, expected in counts.items():
        assert int(shop.cairn("rules", "count", rule).output) == expected, rule


def test_segments_can_be_asked_for_in_rules(shop: Shop) -> None:
    shop.cairn("segments", "create", "loyal", "purchased at least 5 times")
    shop.cairn("segments", "create", "loyal-odd", 'in segment "loyal" and letter is "odd"')
    loyal = {customer: p for customer, p in shop.customers.items() if len(p) >= 5}
    both = sum(int(customer) % 2 and sum(q for _, q, _ in p) > 20 for customer, p in loyal.items())
    rule = 'in segment "loyal-odd" and sum of quantity over "Order Completed" > 20'
    assert int(shop.cairn("rules", "count", rule).output) == both


def test_a_rule_says_what_it_means_or_where_it_is_wrong(shop: Shop) -> None:
    shown = shop.cairn("rules", "check", "purchased   at least 2 times AND first_quantity>2").output.splitlines()
    assert shown[0] == "purchased at least 2 times and first_quantity > 2" and len(shown) == 2
    wrong = CliRunner().invoke(main, ["rules", "check", 'purchased in the last "x" days'])
    assert wrong.exit_code == 1 and wrong.stdout == ""
    assert wrong.stderr.startswith("line 1, column 23:") and "expected:" in wrong.stderr


def test_the_ledger_knows_the_imports(shop: Shop) -> None:
    with shop.database.transaction() as session:
        rows = session.execute(
            text("select kind, filename, rows, accepted, refused from imports order by id limit 2")
        ).all()
    assert json.dumps([list(row) for row in rows]) == json.dumps(
        [["contacts", "contacts.csv", 23570, 23570, 0], ["events", "events.csv", 69659, 69659, 0]]
    )
