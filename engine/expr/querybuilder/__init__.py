"""A rule as the JSON of react-querybuilder (https://react-querybuilder.js.org/docs/typescript), and back.

A group is `{"combinator": "and" | "or", "not": true?, "rules": […]}`, a condition `{"field", "operator", "value"}`.
Fields are names as a rule writes them; conditions that are no comparison of a field have a field that begins with `@`.
What the builder cannot draw is a chip: `{"field": "@rule", "operator": "=", "value": "the rule's text"}`. Literals
carry their `type`; numbers and dates are texts, so that no digit is lost on the way through JavaScript.

| condition | field | operator | value |
|---|---|---|---|
| `did …`, `purchased …` | `@did` | `ever`, `never`, `at least` … | `event`, `alias`, `where`, `times`, `window` |
| `opened …` and the like | `@opened` … | the same | `content`, `step`, `times`, `window` |
| `in segment "vip"` | `@in` | `segment`, `list`, `journey` | the slug |
| `subscribed to "news" on sms` | `@subscribed` | the channel | the topic |
| `consents to sms` | `@consents` | `to` | the channel |
"""

from engine.expr.querybuilder.read import from_builder
from engine.expr.querybuilder.write import to_builder

__all__ = ["from_builder", "to_builder"]
