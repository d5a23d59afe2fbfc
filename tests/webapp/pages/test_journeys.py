"""Journeys: numbers on the outline, text with its errors, publishing, versions."""

from __future__ import annotations

from flask.testing import FlaskClient

from engine.db import Database
from engine.model import AuditLog, Content, Journey, JourneyVersion
from journeys.language.parse import parse
from tests.webapp.pages.conftest import post
from tests.webapp.pages.publish import SMALL, publish
from tests.webapp.pages.sample import TEXT
from webapp.pages.outline import entrance, outline


def test_the_list_shows_state_and_figures(marketer: FlaskClient) -> None:
    page = marketer.get("/journeys").text
    assert "state-good" in page
    assert "2,400" in page


def test_the_outline_has_every_step_with_its_counts(marketer: FlaskClient) -> None:
    page = marketer.get("/journeys/welcome").text
    for text in ("Enters on “Signed Up”", "Email “welcome-short”", "50% · arm a", "If it cannot be sent"):
        assert text in page
    for figure in ("<b>1</b> waiting", "<b>904</b> met", "<b>611</b> timed out", "<b>1,310</b> completed"):
        assert figure in page
    assert "/journeys/welcome/people?step=" in page
    everybody = marketer.get("/journeys/welcome/people").text
    assert "In the journey now" in everybody and "Why here?" in everybody


def test_the_outline_follows_the_text() -> None:
    journey = parse(TEXT)
    nodes = outline(journey.steps)
    assert entrance(journey) == "Enters on “Signed Up”"
    assert [node.id for node in nodes] == ["hello-ab", "opened", "size", "mark-done"]
    assert [branch.label for branch in nodes[0].branches] == ["50% · arm a", "50% · arm b"]
    assert [branch.label for branch in nodes[2].branches] == ["If company.seats >= 20", "Else"]
    fallback = nodes[1].branches[0].nodes[0].branches[0]
    assert (fallback.label, fallback.nodes[0].id) == ("If it cannot be sent", "nudge-sms")


def test_the_text_that_one_starts_from_has_no_error(marketer: FlaskClient) -> None:
    page = marketer.get("/journeys/-/new").text
    assert "Ready to publish" in page


def test_errors_are_listed_with_their_lines(marketer: FlaskClient) -> None:
    page = post(marketer, "/journeys/-/check", text=SMALL.format(slug="a").replace("2 days", "2 dayz")).text
    assert "Error, line 5, column" in page
    assert 'data-lines="5"' in page


def test_a_text_with_an_error_is_not_published_and_not_lost(marketer: FlaskClient, shop_database: Database) -> None:
    text = SMALL.format(slug="broken").replace("2 days", "2 dayz")
    answer = post(marketer, "/journeys/-/plan", text=text)
    assert answer.status_code == 422
    assert "2 dayz" in answer.text
    with shop_database.transaction() as session:
        assert session.query(Journey).filter_by(slug="broken").count() == 0


def test_publishing_makes_a_version_and_the_same_text_changes_nothing(
    marketer: FlaskClient, shop_database: Database
) -> None:
    text = SMALL.format(slug="published")
    assert publish(marketer, "-", text=text).location == "/journeys/published"
    assert "Version 1 is live" in marketer.get("/journeys/published").text
    assert "would change nothing" in post(marketer, "/journeys/published/plan", text=text).text
    publish(marketer, "published", text=text)
    assert "This text is live already." in marketer.get("/journeys/published").text
    with shop_database.transaction() as session:
        journey = session.query(Journey).filter_by(slug="published").one()
        versions = session.query(JourneyVersion).filter_by(journey_id=journey.id).all()
        assert [(version.number, version.published_by) for version in versions] == [(1, "mara@cairn.example")]
    assert "mara@cairn.example" in marketer.get("/journeys/published/versions").text


def test_a_draft_may_be_wrong_and_changes_nothing_live(marketer: FlaskClient, shop_database: Database) -> None:
    post(marketer, "/journeys/-/new", text=SMALL.format(slug="drafted"), action="save")
    wrong = SMALL.format(slug="drafted") + "  - email: nothing-like-it\n"
    assert post(marketer, "/journeys/drafted/text", text=wrong, action="save").status_code == 302
    assert "nothing-like-it" in marketer.get("/journeys/drafted/text").text
    with shop_database.transaction() as session:
        journey = session.query(Journey).filter_by(slug="drafted").one()
        assert (journey.state, journey.live_version_id) == ("draft", None)
        assert session.query(Content).filter_by(slug="nothing-like-it").count() == 0


def test_a_journey_keeps_its_name(marketer: FlaskClient) -> None:
    answer = post(marketer, "/journeys/welcome/plan", text=SMALL.format(slug="other"))
    assert answer.status_code == 422
    assert "A journey keeps its name" in answer.text


def test_line_ends_of_browsers_are_not_stored(marketer: FlaskClient, shop_database: Database) -> None:
    post(marketer, "/journeys/-/new", text=SMALL.format(slug="ends").replace("\n", "\r\n"), action="save")
    with shop_database.transaction() as session:
        assert session.query(Journey).filter_by(slug="ends").one().draft == SMALL.format(slug="ends")


def published(client: FlaskClient, slug: str) -> str:
    """The address of a live journey of two versions, the first of which waits two days, the second three."""
    for days in (2, 3):
        text = SMALL.format(slug=slug).replace("2 days", f"{days} days")
        assert publish(client, "-", text=text).status_code == 302
    return f"/journeys/{slug}"


def test_a_journey_is_paused_and_resumed_by_its_buttons_and_the_log_says_who(
    marketer: FlaskClient, shop_database: Database
) -> None:
    address = published(marketer, "held")
    page = marketer.get(address).text
    assert all(f"action={verb}" in page for verb in ("pause", "drain", "stop")) and "action=resume" not in page
    assert post(marketer, f"{address}/state", action="pause").location == address
    page = marketer.get(address).text
    assert "The journey is paused." in page and "action=resume" in page
    post(marketer, f"{address}/state", action="resume")
    with shop_database.transaction() as session:
        assert session.query(Journey).filter_by(slug="held").one().state == "live"
        log = session.query(AuditLog).filter_by(object="journey held").order_by(AuditLog.id)
        assert [(row.action, row.actor) for row in log][2:] == [
            ("pause", "mara@cairn.example"),
            ("resume", "mara@cairn.example"),
        ]


def test_a_stopped_journey_offers_nothing_but_its_text(marketer: FlaskClient) -> None:
    address = published(marketer, "ended")
    post(marketer, f"{address}/state", action="stop")
    page = marketer.get(address).text
    assert "Its entries end now" in page and "/state?action" not in page
    assert post(marketer, f"{address}/state", action="resume").status_code == 422
    assert post(marketer, f"{address}/state", action="explode").status_code == 422


def test_every_version_but_the_live_one_can_be_published_again(marketer: FlaskClient) -> None:
    page = marketer.get(f"{published(marketer, 'undone')}/versions").text
    assert page.count("Publish this text again") == 1 and 'name="version" value="1"' in page


def test_buttons_need_a_token_and_the_right_to_edit(marketer: FlaskClient, viewer: FlaskClient) -> None:
    address = published(marketer, "guarded")
    assert marketer.post(f"{address}/state", data={"action": "stop"}).status_code == 400
    assert post(viewer, f"{address}/state", action="stop").status_code == 403
    assert "action=stop" not in viewer.get(address).text
    assert '<button class="btn btn-error"' not in viewer.get(f"{address}/state?action=stop").text
