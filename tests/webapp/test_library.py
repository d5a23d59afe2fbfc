"""The stock journeys and their contents: whole, tested, and the same family."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from engine.content import trial
from engine.content.compile import compile_source
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.model import Content, Journey, Segment
from engine.rendering import email, sms
from engine.settings import settings
from engine.signing import signer
from engine.webhooks import endpoints
from journeys import publish
from journeys.language.check import problems
from journeys.language.kinds import KINDS
from journeys.language.program import walk
from journeys.language.steps import Split
from journeys.simulate.testing import run_tests
from tests.conftest import drop
from tests.journeys.runtime.test_races import Thread, wait_for_a_lock
from webapp import library
from webapp.cli import main
from webapp.library_sample import SAMPLE, WORKSPACE

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
NAMES = library.ORDER
MESSAGES = {message.slug: message for one in library.stock() for message in one.messages}
HEAD = re.compile(r"<mj-title>.*?</mj-title>|\s+")
ADDRESS = re.compile(r"https?://[^\s\"'<>){]+")
NAMESPACES = ("http://www.w3.org/1999/xhtml",)
DARK, LIGHT = ("#202226", "#151618", "#2b2e33"), ("#ffffff", "#f4f2ed")


def known() -> frozenset[str]:
    """The attributes and event properties that the heads of all stock journeys name."""
    names = {name for one in library.stock() for name in one.attributes}
    events = (properties for one in library.stock() for properties in one.events.values())
    return frozenset(names | {f"event.{name}" for properties in events for name in properties})


def test_there_are_twelve_and_every_file_belongs_to_one() -> None:
    assert len(NAMES) == 12
    assert {path.stem for path in library.JOURNEYS.glob("*.yaml")} == set(NAMES)
    assert {path.name for path in library.MESSAGES.iterdir()} == {message.file for message in MESSAGES.values()}


@pytest.mark.parametrize("slug", [slug for slug, message in MESSAGES.items() if message.channel == "email"])
def test_a_compiled_message_holds_no_address_but_those_of_its_text(slug: str) -> None:
    html = json.dumps(compile_source(MESSAGES[slug].text, "email").data).replace("\\n", " ").replace("\\", "")
    assert set(ADDRESS.findall(html)) <= {*ADDRESS.findall(MESSAGES[slug].text), *NAMESPACES}


@pytest.mark.parametrize("name", NAMES)
def test_the_head_says_everything_and_the_check_finds_nothing(name: str) -> None:
    one = library.find(name)
    assert all((one.journey.title, one.summary, one.audience, one.change, one.attributes))
    assert problems(one.text, one.schema) == []
    ids = [step.id for step in walk(one.journey.steps)]
    assert len(ids) == len(set(ids))
    assert [line for line in one.text.split("\n") if len(line) > 120] == []


def test_together_they_show_every_kind_of_step() -> None:
    steps = [step for one in library.stock() for step in walk(one.journey.steps)]
    assert {step.kind for step in steps} == set(KINDS)
    assert any(isinstance(step, Split) and step.winner for step in steps)
    assert {one.journey.enter.kind for one in library.stock()} == {"event", "segment", "schedule", "date"}


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass(name: str) -> None:
    one = library.find(name)
    results = run_tests(one.text, one.schema)
    assert len(results) >= 2
    assert {result.test.name: result.differences for result in results if not result.passed} == {}


@pytest.mark.parametrize("slug", MESSAGES)
def test_a_content_renders_for_everybody_without_a_warning(slug: str) -> None:
    message = MESSAGES[slug]
    compiled = compile_source(message.text, message.channel, known())
    assert compiled.warnings + trial.try_out(compiled.data) == []
    for context in ({"workspace": WORKSPACE}, {**SAMPLE, "workspace": WORKSPACE}):
        if message.channel == "sms":
            text = sms.load(compiled.data).render(context)
            assert text.parts <= 2 and text.missing == () and "Reply STOP to opt out." in text.text
        else:
            mail = email.load(compiled.data).render(context, trial.sample_envelope())
            assert mail.missing == () and 0 < len(mail.subject) <= 60 and mail.size < 25_000


def emails() -> list[library.Message]:
    return [message for message in MESSAGES.values() if message.channel == "email"]


def test_emails_are_one_family() -> None:
    heads = {HEAD.sub("", message.text.partition("<mj-head>")[2].partition("</mj-head>")[0]) for message in emails()}
    assert len(heads) == 1
    for message in emails():
        assert message.source.title and message.source.preheader.text
        assert "{{ unsubscribe_url }}" in message.text and "{{ postal_address }}" in message.text
        images = re.findall(r"<(?:img|mj-image)[^>]* src=[^>]*>", message.text)
        assert [image for image in images if "alt=" not in image] == []
        assert message.text.count("<h1>") == 1


def test_links_lead_to_the_example_site_or_where_the_event_says() -> None:
    for message in MESSAGES.values():
        for link in re.findall(r'href="([^"]*)"', message.text):
            assert link.startswith((library.SITE + "/", "{{ event.", "{{ item.", "{{ unsubscribe", "{{ preferences"))


@pytest.mark.parametrize(("ink", "grounds"), [
    ("#26282c", LIGHT), ("#5f6368", LIGHT), (library.ACCENT, LIGHT), ("#f1efea", DARK), ("#b3b1ab", DARK),
])  # fmt: skip
def test_text_is_readable_on_every_ground(ink: str, grounds: tuple[str, ...]) -> None:
    head = emails()[0].text.partition("</mj-head>")[0]
    assert ink in head
    for ground in grounds:
        assert ground in emails()[0].text
        bright, dim = sorted((library.luminance(ink), library.luminance(ground)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5


@pytest.mark.parametrize("name", NAMES)
def test_an_added_journey_is_a_draft_that_can_be_published(database: Database, name: str) -> None:
    one = library.find(name)
    with database.transaction() as session:
        added = library.add(session, one, library.brand("https://shop.example/", "#9A3412"), NOW)
        assert added.kept == () and f"draft {name}" in added.made
        for slug in one.webhooks:  # only the owner knows their addresses
            endpoints.add(session, slug, "https://crm.example/hook", signer().sealing_keys)
        draft = session.execute(select(Journey.draft).where(Journey.slug == name)).scalar_one()
        assert publish.publish(session, str(draft), NOW, "test").version.number == 1
        brought = [one, *map(library.find, one.starts)]
        segments = {slug for stock in brought for slug in stock.segments}
        assert set(session.execute(select(Segment.slug)).scalars()) == segments
        contents = {message.slug for stock in brought for message in stock.messages}
        assert set(session.execute(select(Content.slug)).scalars()) == contents
        again = library.add(session, one, library.Brand(), NOW)
        assert again.made == () and len(again.kept) == len(added.made)


def test_the_brand_takes_the_place_of_the_example() -> None:
    text = library.branded(MESSAGES["cart-reminder"].text, library.brand("https://shop.example/", "#9A3412"))
    assert "https://shop.example/checkout" in text and "#9a3412" in text
    assert library.SITE not in text and library.ACCENT not in text


@pytest.mark.parametrize(("site", "accent", "message"), [
    ("shop.example", "", "no address of a site"),
    ('https://shop.example/"><b', "", "no address of a site"),
    ("", "teal", "no colour"),
    ("", "#ffcc00", "contrast of 1.5 to 1"),
])  # fmt: skip
def test_a_brand_that_would_break_the_mail_is_refused(site: str, accent: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        library.brand(site, accent)


def test_the_documentation_lists_them_all() -> None:
    text = (library.ROOT / "docs" / "language.md").read_text("utf-8")
    assert [one.slug for one in library.stock() if f"| `{one.slug}` | {one.journey.title} |" not in text] == []


def test_a_journey_that_is_none_is_not_found() -> None:
    with pytest.raises(NotFound):
        library.find("../secrets")


@pytest.fixture(scope="module")
def cairn(postgres_url: str) -> Iterator[Callable[..., Result]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", postgres_url)
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        patch.setenv("CAIRN_WORKSPACE", "library_commands")
        settings.cache_clear()
        yield lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
        drop(Database(postgres_url, workspace=settings().workspace_schema))
    settings.cache_clear()


def test_the_command_lists_them_and_adds_one(cairn: Callable[..., Result], tmp_path: Path) -> None:
    listed = cairn("journeys", "library").output
    assert all(name in listed for name in NAMES) and "Rescue abandoned carts" in listed
    done = cairn("journeys", "library", "add", "vip", "--to", tmp_path, "--site", "https://shop.example")
    assert done.exit_code == 0, done.output
    assert "made segment vip" in done.output and "made draft vip" in done.output and "Before you publish" in done.output
    assert (tmp_path / "vip.yaml").read_text("utf-8") == library.find("vip").text
    assert "https://shop.example/preview" in (tmp_path / "messages" / "vip-preview.mjml").read_text("utf-8")
    assert cairn("journeys", "publish", tmp_path / "vip.yaml").exit_code == 0
    again = cairn("journeys", "library", "add", "vip", "--to", tmp_path)
    assert again.exit_code == 1 and "exists already" in again.output
    assert cairn("journeys", "library", "add", "nothing").exit_code == 4


def test_of_two_who_add_the_same_at_once_the_later_finds_it_there(database: Database) -> None:
    def add() -> library.Added:
        with database.transaction() as session:
            return library.add(session, library.find("welcome"), library.brand(), NOW)

    with database.transaction() as session:
        first = library.add(session, library.find("welcome"), library.brand(), NOW)
        late = Thread(add)
        wait_for_a_lock(database)
    second = late.finish()
    assert isinstance(second, library.Added)
    assert "draft welcome" in first.made and second.made == () and "journey welcome" in second.kept
