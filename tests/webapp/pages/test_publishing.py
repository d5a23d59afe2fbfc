"""The publish sheet: what it shows, what it does, and what it refuses to do unseen."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine.db import Database
from engine.model import Enrolment, Journey, JourneyVersion, Segment
from tests.webapp.pages.conftest import post, token
from tests.webapp.pages.publish import SMALL, leave, publish, seen, stand

TWO = SMALL + "  - set: {{done: true}}\n    id: mark\n"


def changed(slug: str) -> str:
    """The small journey with another wait, and a step more."""
    return TWO.format(slug=slug).replace("2 days", "3 days")


@pytest.fixture
def crowded(marketer: FlaskClient, shop_database: Database, request: pytest.FixtureRequest) -> str:
    """A live journey with twenty people who wait two days; named after its test."""
    slug = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    assert publish(marketer, "-", text=SMALL.format(slug=slug)).status_code == 302
    stand(shop_database, slug, "pause", 20)
    return slug


def versions(database: Database, slug: str) -> dict[int, int]:
    """How many active people each version holds, by its number."""
    with database.transaction() as session:
        journey = session.query(Journey).filter_by(slug=slug).one()
        rows = session.query(JourneyVersion).filter_by(journey_id=journey.id).all()
        count = session.query(Enrolment).filter_by(status="active")
        return {row.number: count.filter_by(version_id=row.id).count() for row in rows}


def test_the_sheet_tells_changes_people_and_choices_and_changes_nothing(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    page = post(marketer, f"/journeys/{crowded}/plan", text=changed(crowded)).text
    assert "<del>2 days</del> → <ins>3 days</ins>" in page
    assert "Set done" in page and "Added" in page
    assert f'href="/journeys/{crowded}/people?step=pause&amp;version=1">20</a>' in page
    assert '<option value="stay" selected>' in page
    assert all(f'value="{value}"' in page for value in ("reschedule", "exit", "move:pause", "move:mark"))
    assert "0 of 20 people in the journey are affected" in page and "Publish version 2" in page
    assert versions(shop_database, crowded) == {1: 20}


def test_one_person_is_told_of_in_the_singular(marketer: FlaskClient, shop_database: Database, crowded: str) -> None:
    with shop_database.transaction() as session:
        journey = select(Journey.id).where(Journey.slug == crowded).scalar_subquery()
        inside = session.scalars(select(Enrolment).where(Enrolment.journey_id == journey)).all()
        for one in inside[1:]:
            session.delete(one)
    for choice, said in (("stay", "is not affected and stays on"), ("exit", "leaves."), ("reschedule", "goes along.")):
        page = post(marketer, f"/journeys/{crowded}/plan", text=changed(crowded), **{"choice-pause": choice}).text
        assert f"The one person in the journey {said}" in page, choice


def test_a_choice_is_counted_at_once_and_htmx_gets_the_sheet_alone(marketer: FlaskClient, crowded: str) -> None:
    form = {"csrf_token": token(marketer), "text": changed(crowded), "choice-pause": "exit"}
    page = marketer.post(f"/journeys/{crowded}/plan", data=form, headers={"HX-Request": "true"}).text
    assert "<html" not in page and "data-sheet-close" in page
    assert "20 of 20 people in the journey are affected: 0 go along, 20 leave, 0 stay" in page


@pytest.mark.parametrize(("choice", "after"), [("stay", {1: 20, 2: 0}), ("reschedule", {1: 0, 2: 20})])
def test_what_is_chosen_is_done(
    marketer: FlaskClient, shop_database: Database, crowded: str, choice: str, after: dict[int, int]
) -> None:
    answer = publish(marketer, crowded, text=changed(crowded), **{"choice-pause": choice})
    assert answer.location == f"/journeys/{crowded}"
    assert versions(shop_database, crowded) == after


def test_people_leave_and_the_page_says_how_many(marketer: FlaskClient, shop_database: Database, crowded: str) -> None:
    publish(marketer, crowded, text=changed(crowded), all="exit", **{"choice-pause": "exit"})
    assert "Entries that ended: 20." in marketer.get(f"/journeys/{crowded}").text
    assert versions(shop_database, crowded) == {1: 0, 2: 0}


def test_one_button_chooses_for_everybody_who_can(marketer: FlaskClient, crowded: str) -> None:
    gone = SMALL.format(slug=crowded).replace("id: pause", "id: other")
    page = post(marketer, f"/journeys/{crowded}/plan", text=gone, all="reschedule").text
    assert "0 go along, 0 leave, 20 stay" in page and "Removed" in page
    page = post(marketer, f"/journeys/{crowded}/plan", text=gone, all="exit").text
    assert "0 go along, 20 leave, 0 stay" in page


def test_who_was_slower_sees_the_new_plan_and_keeps_the_text(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    text = changed(crowded)
    looked = seen(post(marketer, f"/journeys/{crowded}/plan", text=text).text)
    assert publish(marketer, crowded, text=text.replace("3 days", "5 days")).status_code == 302
    late = post(marketer, f"/journeys/{crowded}/publish", text=text, seen=looked)
    assert late.status_code == 409
    assert "Somebody else has published meanwhile: version 2 is live now." in late.text
    assert "<del>5 days</del> → <ins>3 days</ins>" in late.text and "wait: 3 days" in late.text
    assert len(versions(shop_database, crowded)) == 2
    again = post(marketer, f"/journeys/{crowded}/publish", text=text, seen=seen(late.text))
    assert again.status_code == 302 and len(versions(shop_database, crowded)) == 3


def test_people_who_moved_are_shown_before_anything_is_done_with_them(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    form = {"text": changed(crowded), "choice-pause": "exit"}
    looked = seen(post(marketer, f"/journeys/{crowded}/plan", **form).text)
    stand(shop_database, crowded, "pause", 2)
    more = stand(shop_database, crowded, "pause", 1)
    late = post(marketer, f"/journeys/{crowded}/publish", seen=looked, **form)
    assert late.status_code == 409
    assert "23 are at “pause” now, 20 were when you looked" in late.text
    leave(shop_database, more)
    assert post(marketer, f"/journeys/{crowded}/publish", seen=looked, **form).status_code == 302  # a tenth is drift


def test_nothing_is_published_that_was_not_looked_at(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    assert post(marketer, f"/journeys/{crowded}/publish", text=changed(crowded)).status_code == 409
    assert post(marketer, f"/journeys/{crowded}/publish", text=changed(crowded), seen="{}").status_code == 422
    assert versions(shop_database, crowded) == {1: 20}


def test_the_people_of_a_segment_who_would_enter_are_counted(marketer: FlaskClient, shop_database: Database) -> None:
    text = "journey: let-in\nenter: {segment: vip-customers, existing: true}\nsteps:\n  - wait: 1 day\n    id: rest\n"
    page = post(marketer, "/journeys/-/plan", text=text).text
    with shop_database.transaction() as session:
        assert session.query(Segment).filter_by(slug="vip-customers").one()
    assert "Enter at once:" in page and 'href="/segments/vip-customers">1 person' in page


def test_the_next_slot_of_a_schedule_is_told_with_who_fits_now(marketer: FlaskClient) -> None:
    rule = 'plan is "pro"'
    text = f"journey: weekly\nenter: {{schedule: monday 09:00, where: '{rule}'}}\n"
    page = post(marketer, "/journeys/-/plan", text=text + "steps:\n  - wait: 1 day\n    id: rest\n").text
    assert "Next entries by the schedule:" in page and "contacts fit now" in page


def test_an_earlier_text_is_published_again_by_the_same_sheet(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    publish(marketer, crowded, text=changed(crowded), **{"choice-pause": "reschedule"})
    page = post(marketer, f"/journeys/{crowded}/plan", version="1").text
    assert "Publish the text of version 1" in page and "<del>3 days</del> → <ins>2 days</ins>" in page
    assert publish(marketer, crowded, version="1", **{"choice-pause": "reschedule"}).status_code == 302
    page = marketer.get(f"/journeys/{crowded}").text
    assert "The text of version 1 is live again, as version 3. People who went along: 20." in page
    assert versions(shop_database, crowded) == {1: 0, 2: 0, 3: 20}
    assert post(marketer, f"/journeys/{crowded}/plan", version="9").status_code == 404


def test_an_error_goes_to_the_list_beside_the_text(marketer: FlaskClient, crowded: str) -> None:
    wrong = SMALL.format(slug=crowded).replace("2 days", "2 dayz")
    form = {"csrf_token": token(marketer), "text": wrong}
    answer = marketer.post(f"/journeys/{crowded}/plan", data=form, headers={"HX-Request": "true"})
    assert answer.headers["HX-Retarget"] == "#problems" and "Error, line 5" in answer.text
    plain = post(marketer, f"/journeys/{crowded}/plan", text=wrong)
    assert plain.status_code == 422 and "2 dayz" in plain.text


def test_one_comes_back_to_the_text_as_it_was_typed(marketer: FlaskClient, crowded: str) -> None:
    page = post(marketer, f"/journeys/{crowded}/text", text=changed(crowded) + "# mine\n", action="edit")
    assert page.status_code == 200 and "# mine" in page.text
    assert "# mine" not in marketer.get(f"/journeys/{crowded}/text").text


def test_the_sheet_and_the_deed_need_a_token_and_the_right_to_edit(
    marketer: FlaskClient, viewer: FlaskClient, crowded: str
) -> None:
    for path in (f"/journeys/{crowded}/plan", f"/journeys/{crowded}/publish"):
        assert marketer.post(path, data={"text": changed(crowded)}).status_code == 400
        assert post(viewer, path, text=changed(crowded)).status_code == 403
    assert marketer.get(f"/journeys/{crowded}/publish").status_code == 405


def test_a_state_tells_whom_it_concerns_before_it_is_changed(
    marketer: FlaskClient, shop_database: Database, crowded: str
) -> None:
    for verb, fate in (("pause", "are held"), ("drain", "go on to their ends"), ("stop", "leave now")):
        page = marketer.get(f"/journeys/{crowded}/state?action={verb}").text
        assert fate in page and ">20<" in page.replace("\n", "")
        assert f'href="/journeys/{crowded}/people?step=pause&amp;version=1">20 people</a>' in page
    assert marketer.get(f"/journeys/{crowded}/state?action=explode").status_code == 422
    with shop_database.transaction() as session:
        assert session.query(Journey).filter_by(slug=crowded).one().state == "live"


def test_the_people_at_a_step_are_listed_in_pages(marketer: FlaskClient, shop_database: Database, crowded: str) -> None:
    stand(shop_database, crowded, "pause", 40)
    first = marketer.get(f"/journeys/{crowded}/people?step=pause&version=1").text
    assert first.count("row-link") == 50 and "Why here?" in first
    after = first.split("after=")[1].split('"')[0].split("&")[0]
    second = marketer.get(f"/journeys/{crowded}/people?step=pause&version=1&after={after}").text
    assert second.count("row-link") == 10
    assert "Nobody is here now" in marketer.get(f"/journeys/{crowded}/people?step=nowhere").text
