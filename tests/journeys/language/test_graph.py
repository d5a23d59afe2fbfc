"""The program, the canvas and the outline of a journey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.expr import Schema
from journeys.language.check import Names, problems
from journeys.language.graph import graph
from journeys.language.parse import parse
from journeys.language.program import program
from tests.journeys.language.writing import steps

LIBRARY = Path(__file__).parents[3] / "journeys" / "library"
TRIAL = (LIBRARY / "trial-to-paid.yaml").read_text("utf-8")


def test_branches_rejoin_by_themselves() -> None:
    flat = program(parse(TRIAL))
    assert flat.first == "hello-ab"
    assert flat.paths["hello-ab"] == ("hello-a", "hello-b")
    assert flat.following["hello-a"] == flat.following["hello-b"] == "activated"
    assert flat.paths["activated"] == ("size",) and flat.timeout["activated"] == "need-a-hand"
    assert flat.following["cart-sms"] == flat.following["ending-sms"] == "mark-done"
    assert flat.following["mark-done"] is None and flat.parent["cart-sms"] == "cart-open"


def test_an_empty_path_leads_to_what_follows_the_step() -> None:
    assert program(parse(TRIAL)).paths["size"] == ("call-them", "decision")


def test_exit_true_leaves_also_from_the_last_step_of_a_path() -> None:
    text = steps(
        "  - branch: B",
        "    id: b",
        "    exit: true",
        "    paths: [{when: a is 1, do: [{wait: 1 day, id: w}]}, {else: , do: []}]",
        "  - {exit: done, id: e}",
    )
    flat = program(parse(text))
    assert flat.following["w"] is None and flat.paths["b"] == ("w", None)
    assert flat.leaves == {"b", "w", "e"}


def test_a_loop_leads_back_to_itself() -> None:
    flat = program(parse(steps("  - {repeat: 3, id: r, do: [{wait: 1 day, id: w}]}", "  - {exit: x, id: e}")))
    assert flat.paths["r"] == ("w",) and flat.following["w"] == "r" and flat.following["r"] == "e"


def test_the_canvas_has_a_node_for_each_step_and_both_ends() -> None:
    drawn = graph(parse(TRIAL))
    ids = [node["id"] for node in drawn["nodes"]]
    assert ids[0] == "@enter" and ids[-1] == "@end" and set(ids[1:-1]) == set(program(parse(TRIAL)).steps)
    size = next(node for node in drawn["nodes"] if node["id"] == "size")
    assert (size["label"], size["x"], size["y"], size["line"]) == ("Company size", 420, 610, 41)
    assert json.loads(json.dumps(drawn)) == drawn


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_edge_joins_two_nodes_and_every_node_is_reached(path: Path) -> None:
    drawn = graph(parse(path.read_text("utf-8")))
    ids = {node["id"] for node in drawn["nodes"]}
    assert all({edge["source"], edge["target"]} <= ids for edge in drawn["edges"])
    assert {edge["target"] for edge in drawn["edges"]} == ids - {"@enter"}
    assert len({edge["id"] for edge in drawn["edges"]}) == len(drawn["edges"])


def test_edges_say_which_way_they_go() -> None:
    edges = {edge["id"]: edge for edge in graph(parse(TRIAL))["edges"]}
    assert edges["size:paths.1"]["label"] == "else" and edges["size:paths.1"]["target"] == "decision"
    assert edges["activated:timeout"]["label"] == "after 3 days"
    assert edges["decision:timeout"]["label"] == "at 2 days before trial_ends_at"
    assert edges["trial-ending:fallback"]["target"] == "ending-sms"
    assert edges["call-them:next"]["exit"] and edges["call-them:next"]["target"] == "@end"


def test_a_branch_without_else_has_a_way_for_the_others() -> None:
    drawn = graph(parse(steps("  - branch: B", "    id: b", "    paths: [{when: a is 1, do: [{exit: x, id: e}]}]")))
    assert [(edge["slot"], edge["target"]) for edge in drawn["edges"] if edge["source"] == "b"] == [
        ("paths.0", "e"),
        ("otherwise", "@end"),
    ]


def test_the_outline_nests_as_the_file_does() -> None:
    decision = graph(parse(TRIAL))["outline"][3]
    assert [lane["slot"] for lane in decision["lanes"]] == ["any.0", "timeout"]
    assert [step["id"] for step in decision["lanes"][0]["steps"]] == ["cart-email", "cart-open"]


def test_names_that_do_not_exist_are_errors_with_the_nearest_one() -> None:
    text = steps(
        "  - {email: welcom, id: a, topic: news}",
        '  - {sms: hi, id: b, if: in segment "vipp" and opened step "a" and nickname is "x"}',
        "  - {emial: x, id: c}",
    )
    schema = Schema(
        attributes={"plan": "text"},
        segments=frozenset({"vip"}),
        contents=frozenset({"welcome", "hi"}),
        topics={"newt": "subscribed"},
    )
    found = [(one.severity, one.line, one.column) for one in problems(text, schema)]
    assert found == [
        ("error", 4, 5),
        ("warning", 4, 5),
        ("error", 5, 26),
        ("warning", 5, 68),
        ("error", 6, 6),
    ]


def test_a_topic_that_the_sends_name_may_be_asked_for_in_rules() -> None:
    found = problems(TRIAL, Schema(attributes={}))
    assert not [one for one in found if one.severity == "error" and "product" in one.message]


def test_the_workspaces_aliases_are_read_in_rules() -> None:
    text = steps("  - {wait_for: renewed at least twice, id: a, up_to: 1 day}")
    assert not [one for one in problems(text, Schema(aliases={"renewed": "Renewed"})) if one.severity == "error"]
    assert [one for one in problems(text, Schema()) if one.severity == "error"]


def test_contents_are_told_apart_by_channel_where_names_are_given() -> None:
    names = Names(emails=frozenset({"welcome"}), texts=frozenset({"hi"}))
    found = problems(steps("  - {email: hi, id: a}", "  - {sms: hello, id: b}"), names=names)
    assert [one.message for one in found] == [
        "There is no email content `hi`.",
        "There is no text message content `hello`.",
    ]


def test_a_rule_names_a_step_of_its_journey() -> None:
    text = steps("  - {email: a, id: hello}", "  - {exit: x, id: b}").replace(
        "steps:", 'exit: [opened step "helo"]\nsteps:'
    )
    assert [(one.message, one.hint) for one in problems(text)] == [
        ("There is no step `helo`.", "Did you mean `hello`?")
    ]
