"""`cairn journeys plan`, `apply`, `pull`, `rollback` and the states, with people in the journeys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.db import Database
from engine.settings import settings
from tests.conftest import drop
from tests.journeys.runtime.world import World, journey
from tests.smtp import Receiver
from webapp.cli import main

Cairn = Callable[..., Result]
TEXT = "# Waits a little\n" + journey("- wait: 3 days  # long\n  id: activated\n- wait: 1 day\n  id: rest")
EDITED = TEXT.replace("3 days", "2 days").replace("- wait: 1 day\n    id: rest", "- set: {done: true}\n    id: mark")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url, workspace="cairn_versions")
    made.migrate()
    yield made
    drop(made)


@pytest.fixture
def world(database: Database) -> World:
    return World(database, Receiver())


@pytest.fixture
def cairn(postgres_url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cairn]:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("CAIRN_WORKSPACE", "versions")
    settings.cache_clear()
    yield lambda *arguments, **options: CliRunner().invoke(main, ["journeys", *map(str, arguments)], **options)
    settings.cache_clear()


def people(world: World, count: int) -> None:
    for _ in range(count):
        world.event(world.contact(), "Signed Up")
    world.settle()


def test_a_plan_shows_changes_with_their_people_and_apply_carries_it_out(
    cairn: Cairn, world: World, tmp_path: Path
) -> None:
    file, plan = tmp_path / "j.yaml", tmp_path / "plan.json"
    file.write_text(TEXT)
    new = cairn("plan", file)
    assert (new.exit_code, new.output) == (2, "j: new\n")
    assert cairn("apply", file, "--yes").output == "j: new\nj version 1 is live.\n"
    assert (cairn("plan", file).exit_code, cairn("plan", file).output) == (0, "j: no change\n")
    people(world, 3)
    file.write_text(EDITED)
    shown = cairn("plan", file, "--choice", "j.activated=reschedule", "--out", plan)
    assert shown.exit_code == 2
    assert shown.output.splitlines() == [
        "j: version 1 -> 2",
        "  ~ wait activated 3 days -> 2 days: 3 waiting, reschedule",
        "  + set mark",
        "  - wait rest",
    ]
    done = cairn("apply", plan, "--yes")
    assert (done.exit_code, done.output) == (0, "j version 2 is live. 3 people went along.\n")
    assert world.execute("select distinct version_id, deadline - arrived_at from enrolments")[0][1].days == 2
    stale = cairn("apply", plan, "--yes")
    assert stale.exit_code == 1 and "Make a new plan" in stale.stderr
    assert world.execute("select action from audit_log order by id")[-1] == ("carry",)


def test_a_plan_whose_file_changed_since_is_refused(cairn: Cairn, tmp_path: Path) -> None:
    file, plan = tmp_path / "j.yaml", tmp_path / "plan.json"
    file.write_text(TEXT)
    cairn("plan", file, "--out", plan)
    file.write_text(EDITED)
    refused = cairn("apply", plan, "--yes")
    assert refused.exit_code == 1 and "has changed since the plan was made" in refused.stderr


def test_people_on_several_versions_are_shown_by_version(cairn: Cairn, world: World, tmp_path: Path) -> None:
    file = tmp_path / "j.yaml"
    for days, count in ((3, 2), (4, 1)):
        world.publish(TEXT.replace("3 days", f"{days} days"))
        people(world, count)
    file.write_text(TEXT.replace("3 days", "5 days"))
    found = json.loads(cairn("plan", file, "--json").output)["journeys"][0]
    [step] = found["steps"]
    assert (step["waiting"], step["by_version"], step["choice"]) == (3, {"1": 2, "2": 1}, "stay")
    assert "3 waiting (version 1: 2, version 2: 1), stay" in cairn("plan", file).output


def test_a_directory_is_planned_whole_and_lists_what_has_no_file(cairn: Cairn, world: World, tmp_path: Path) -> None:
    world.publish(TEXT)
    world.publish(TEXT.replace("journey: j", "journey: k"))
    (tmp_path / "j.yaml").write_text(TEXT)
    shown = cairn("plan", tmp_path)
    assert shown.exit_code == 0
    assert shown.output == "j: no change\nLive and without a file here (nothing happens to them): k\n"


def test_a_simulation_names_the_file_that_does_not_read(cairn: Cairn, tmp_path: Path) -> None:
    file = tmp_path / "j.yaml"
    file.write_text("journey: j\nsteps: [\n")
    refused = cairn("simulate", file, "--from", "2026-01-01")
    assert refused.exit_code == 1 and refused.stderr.startswith(f"{file}:3:1: error: ")


def test_a_journey_that_another_one_starts_is_known_to_the_plan_and_published_first(
    cairn: Cairn, database: Database, tmp_path: Path
) -> None:
    folder, plan = tmp_path / "d", tmp_path / "plan.json"
    folder.mkdir()
    (folder / "a.yaml").write_text(journey("- journey: sub\n  id: on", slug="a"))
    assert "There is no journey `sub`" in cairn("plan", folder).stderr
    (folder / "sub.yaml").write_text(journey("- wait: 1 day\n  id: rest", slug="sub", enter="api: true"))
    assert (made := cairn("plan", folder, "--out", plan)).exit_code == 2, made.output
    done = cairn("apply", plan, "--yes")
    assert (done.exit_code, done.output) == (0, "sub version 1 is live.\na version 1 is live.\n")


def test_a_table_without_a_terminal_is_not_cut(cairn: Cairn, world: World) -> None:
    long = "a-step-with-a-name-of-" + "x" * 40
    world.publish(journey(f"- wait: 1 day\n  id: {long}"))
    people(world, 1)
    assert long in cairn("status", "j").output
    assert long in cairn("simulate", "-", "--from", "2026-03-01", input=journey(f"- wait: 1 day\n  id: {long}")).output


def test_what_is_missing_is_named_as_it_is(cairn: Cairn, world: World) -> None:
    world.publish(TEXT)
    assert "There is no version of `j` with the number “99”." in cairn("rollback", "j", "99").stderr
    assert "Did you mean `welcome`?" in cairn("library", "add", "welcom").stderr


def ring(folder: Path, *slugs: str) -> None:
    """Journeys each of which starts the next one, the last one the first."""
    for slug, after in zip(slugs, [*slugs[1:], slugs[0]], strict=True):
        text = journey(f"- wait: 1 day\n  id: rest\n- journey: {after}\n  id: on", slug=slug, enter="api: true")
        (folder / f"{slug}.yaml").write_text(text)


def test_new_journeys_that_start_each_other_are_published_together_behind_what_they_start(
    cairn: Cairn, world: World, tmp_path: Path
) -> None:
    ring(tmp_path, "a", "b", "c")
    text = (tmp_path / "b.yaml").read_text() + "  - journey: sub\n    id: more\n"
    (tmp_path / "b.yaml").write_text(text)
    (tmp_path / "sub.yaml").write_text(journey("- wait: 1 day\n  id: rest", slug="sub", enter="api: true"))
    (tmp_path / "z.yaml").write_text(journey("- journey: a\n  id: on", slug="z"))
    assert cairn("lint", *sorted(tmp_path.glob("*.yaml"))).exit_code == 0
    assert "There is no journey `b`" in cairn("lint", tmp_path / "a.yaml").output
    assert cairn("plan", tmp_path).exit_code == 2
    done = cairn("apply", tmp_path, "--yes")
    assert done.exit_code == 0, done.output
    live = [line.split()[0] for line in done.output.splitlines() if line.endswith("is live.")]
    assert live == ["sub", "a", "b", "c", "z"]
    at = dict(world.execute("select slug, published_at from journeys"))
    assert set(at) == {"a", "b", "c", "sub", "z"}


def test_a_ring_of_which_one_cannot_be_published_leaves_nothing(cairn: Cairn, world: World, tmp_path: Path) -> None:
    plan, folder = tmp_path / "plan.json", tmp_path / "d"
    folder.mkdir()
    ring(folder, "a", "b")
    assert cairn("plan", folder, "--out", plan).exit_code == 2
    world.publish(journey("- wait: 2 days\n  id: rest", slug="b", enter="api: true"))
    refused = cairn("apply", plan, "--yes")
    assert refused.exit_code == 1 and "Make a new plan" in refused.stderr
    assert world.execute("select slug from journeys") == [("b",)]


@pytest.mark.parametrize(
    "arguments", [("--nonsense",), ("missing.yaml",), ("broken.yaml",), ("ok.yaml", "--choice", "x")]
)
def test_whatever_is_wrong_with_a_plan_has_the_exit_code_1(
    cairn: Cairn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("journey: j\nsteps: []\n")
    Path("ok.yaml").write_text(TEXT)
    assert cairn("plan", *arguments).exit_code == 1


def test_comments_are_a_change_that_touches_nobody(cairn: Cairn, world: World, tmp_path: Path) -> None:
    world.publish(TEXT)
    people(world, 2)
    (tmp_path / "j.yaml").write_text(TEXT.replace("# long", "# very long"))
    shown = cairn("plan", tmp_path / "j.yaml")
    assert shown.exit_code == 2
    assert shown.output.splitlines()[1:] == [
        "  ~ only comments, order of keys, layout or tests",
        "  = 2 at unchanged steps, stay",
    ]


def test_apply_asks_first(cairn: Cairn, world: World, tmp_path: Path) -> None:
    (tmp_path / "j.yaml").write_text(TEXT)
    assert cairn("apply", tmp_path / "j.yaml", input="n\n").exit_code == 1
    assert world.execute("select * from journeys") == []
    assert cairn("apply", tmp_path / "j.yaml", input="y\n").exit_code == 0


def test_pull_writes_the_live_texts_exactly_and_spares_what_was_never_published(
    cairn: Cairn, world: World, tmp_path: Path
) -> None:
    text = TEXT.replace("\n", "\r\n") + "# no break at the end"
    world.publish(EDITED)
    world.publish(text)
    file = tmp_path / "out" / "j.yaml"
    assert cairn("pull", "--to", tmp_path / "out").output == f"{file}: written\n"
    assert file.read_bytes() == text.encode()
    file.write_bytes(EDITED.encode())
    assert cairn("pull", "j", "--to", tmp_path / "out").exit_code == 0
    file.write_text("mine\n")
    assert cairn("pull", "--to", tmp_path / "out").exit_code == 1
    assert file.read_text() == "mine\n"
    assert cairn("pull", "--to", tmp_path / "out", "--force").exit_code == 0
    assert cairn("pull", "unknown").exit_code == 4


def test_states_and_rollback(cairn: Cairn, world: World) -> None:
    world.publish(TEXT)
    people(world, 2)
    world.publish(EDITED)
    assert cairn("pause", "j").output == "j is paused.\n"
    assert cairn("resume", "j").output == "j is live.\n"
    assert cairn("drain", "j").output == "j is draining.\n"
    back = cairn("rollback", "j", "--choice", "*=reschedule")
    assert back.output == "j version 3 is live. 2 people went along.\n"
    assert cairn("stop", "j").output == "j is stopped. 2 entries were ended.\n"
    assert cairn("resume", "j").exit_code == 1
    assert cairn("pause", "unknown").exit_code == 4
