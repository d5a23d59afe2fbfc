"""`repeat`: visits, waits and exits inside, and one message a visit."""

from __future__ import annotations

from tests.journeys.runtime.world import DAY, HOUR, START, World, journey

NUDGE = """
- repeat: 3 times
  id: loop
  do:
    - email: nudge
      id: nudge
    - wait_for: opened step "nudge" since step or did "Came"
      id: look
      up_to: 2 days
      timeout: [{score: 1, id: ignored}]
    - branch: Came
      id: came
      paths:
        - when: did "Came"
          do: [{set: {came: true}, id: done, exit: true}]
- set: {asked: true}
  id: asked
"""


def enter(world: World, *contact_ids: int) -> None:
    for contact_id in contact_ids:
        world.event(contact_id, "Signed Up")
    world.settle()


def test_a_loop_sends_once_a_visit_and_ends(world: World) -> None:
    world.publish(journey(NUDGE))
    stays, comes = world.contact(), world.contact()
    enter(world, stays, comes)
    world.live(3 * DAY)
    world.event(comes, "Came")
    world.live(9 * DAY)
    rows = world.execute("select contact_id, step_id, visit, state from messages order by contact_id, id")
    assert rows == [(stays, "nudge", n, "accepted") for n in (1, 2, 3)] + [
        (comes, "nudge", n, "accepted") for n in (1, 2)
    ]
    assert dict(world.execute("select id, attributes from contacts")) == {
        stays: {"score": 3, "asked": True},
        comes: {"score": 1, "came": True},
    }
    assert (world.statuses(stays), world.statuses(comes)) == (["completed"], ["exited"])
    rounds = "select visit, outcome from step_log where contact_id = :id and step_id = 'loop' order by id"
    assert world.execute(rounds, id=stays) == [(1, "repeated"), (2, "repeated"), (3, "repeated"), (4, "passed")]


def test_a_wait_in_a_loop_waits_each_time_anew_and_keeps_its_visit(world: World) -> None:
    world.publish(journey(NUDGE))
    contact = world.contact()
    enter(world, contact)
    for number in (1, 2, 3):
        assert world.wakes(contact) == START + 2 * number * DAY
        query = "select step_id, visit, visits from enrolments"
        assert world.execute(query) == [
            (
                "look",
                number,
                {
                    "loop": number,
                    "nudge": number,
                    "look": number,
                    **({"came": number - 1, "ignored": number - 1} if number > 1 else {}),
                },
            )
        ]
        world.live(2 * DAY)


def test_an_open_ends_the_wait_of_its_visit_only(world: World) -> None:
    world.publish(journey(NUDGE))
    contact = world.contact()
    enter(world, contact)
    world.live(HOUR)
    world.event(contact, "Email Opened", step="nudge", journey="j")
    world.live(HOUR)
    assert world.execute("select step_id, visit, wake_at from enrolments") == [("look", 2, START + HOUR + 2 * DAY)]


def test_loops_within_loops_and_a_thousand_steps(world: World) -> None:
    world.publish(
        journey("""
        - repeat: 2
          id: outer
          do:
            - repeat: 3 times
              id: inner
              do: [{score: 1, id: point}]
            - score: 10
              id: ten
        """)
    )
    world.publish(
        journey(
            "- repeat: 100\n  id: a\n  do:\n    - repeat: 100\n      id: b\n      do: [{score: 1, id: c}]",
            slug="long",
            enter="on: Long",
        )
    )
    short, long = world.contact(), world.contact()
    enter(world, short)
    world.event(long, "Long")
    world.settle()
    assert world.execute("select attributes from contacts order by id")[0] == ({"score": 26},)
    assert world.statuses(long) == ["failed"]
    assert world.execute("select reason from enrolments where contact_id = :id", id=long) == [
        ("took 1000 steps in one entry",)
    ]


def test_a_split_in_a_loop_draws_the_same_arm_and_counts_it_once(world: World) -> None:
    world.publish(
        journey("""
        - repeat: 3
          id: loop
          do:
            - split: Half
              id: half
              paths:
                - share: 50%
                  do: [{score: 1, id: one}]
                - share: 50%
                  do: [{score: 1, id: two, name: other}]
            - wait: 1 day
              id: pause
        """)
    )
    people = [world.contact() for _ in range(6)]
    enter(world, *people)
    world.live(4 * DAY)
    assert {tuple(found.values()) for (found,) in world.execute("select attributes from contacts")} == {(3,)}
