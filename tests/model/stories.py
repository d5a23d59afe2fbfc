"""The journeys of the model, each in two versions, and what people do in them."""

from __future__ import annotations

WELCOME = """\
journey: welcome
enter: {on: Signed Up, again: always}
holdout: 10%
goal: {when: did "Paid", within: 3 days, value: event.total}
exit: ['plan is "left"']
steps:
  - email: hello
    id: hello
  - wait_for: opened step "hello"
    id: seen
    up_to: 6 hours
    timeout:
      - email: reminder
        id: reminder
  - branch: keen
    id: keen
    paths:
      - when: did "Seen"
        do:
          - email: keen
            id: keenly
  - wait: 1 hour
    id: pause
  - email: last
    id: last
"""
WELCOME_EDITED = WELCOME.replace("up_to: 6 hours", "up_to: 2 hours").replace(
    "  - email: last\n    id: last\n",
    '  - wait_for: did "Seen"\n    id: again\n    up_to: 1 day\n  - email: farewell\n    id: farewell\n',
)
ORDER = """\
journey: order
enter: {on: Paid, again: per event.order}
send: {topic: news, cap: 2 per day}
steps:
  - set: {buyer: true}
    id: buyer
  - email: thanks
    id: thanks
  - wait_for: did "Seen"
    id: read
    up_to: 1 day
  - split: offer
    id: offer
    paths:
      - share: 50%
        name: a
        do: [{email: offer, id: offered}]
      - share: 50%
        name: b
        do: [{wait: 2 hours, id: later}, {email: offer, id: offered-later}]
"""
ORDER_EDITED = ORDER.replace("  - email: thanks\n    id: thanks\n", "").replace("cap: 2 per day", "cap: 1 per hour")
BUYERS = """\
journey: buyers
enter: {segment: buyers}
exit: [not subscribed to "news" on email]
goal: {when: did "Seen" at least 2 times, stay: true}
send: {topic: news, quiet: "21:00-08:00"}
steps:
  - wait: 30 minutes
    id: settle
  - email: club
    id: club
    fallback: [{wait: 10 minutes, id: breath}, {email: club, id: club-again, fallback: [{set: {lost: true}, id: lost}]}]
  - wait: until 09:30
    id: morning
  - email: good-morning
    id: good-morning
"""
BUYERS_EDITED = BUYERS.replace("wait: 30 minutes", "wait: 10 minutes")
STORIES = {
    "welcome": (WELCOME, WELCOME_EDITED),
    "order": (ORDER, ORDER_EDITED),
    "buyers": (BUYERS, BUYERS_EDITED),
}
BUYERS_RULE = "buyer is true"
