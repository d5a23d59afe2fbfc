"""The fields of the campaign editor, to the mapping of a definition and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST = 4
NAMES = "abcdefgh"
PLAIN = (
    *("name", "channel", "audience", "except", "topic", "from", "test", "holdout", "at", "zone", "passed"),
    *("throttle", "cap", "expires"),
)
LABELS = {
    "name": "Name",
    "channel": "Channel",
    "topic": "Topic",
    "from": "From",
    "audience": "Audience",
    "except": "But not",
    "winner_by": "Winner by",
    "test": "Test on, %",
    "winner_after": "Chosen after",
    "holdout": "Held back, %",
    "at": "Day and time",
    "zone": "By the clock of",
    "passed": "Where that time is over already",
    "throttle": "At most, an hour",
    "expires": "Not later than",
    "cap": "Cap",
    "goal_when": "What people should do",
    "goal_within": "Within",
}
"""What the form calls its fields."""
KEYS = {name: label for name, label in LABELS.items() if "_" not in name} | {
    "campaign": LABELS["name"],
    "content": "Content",
    "variants": "Content",
    "winner": LABELS["winner_by"],
    "by": LABELS["winner_by"],
    "winner.after": LABELS["winner_after"],
    "goal": LABELS["goal_when"],
    "goal.within": LABELS["goal_within"],
}
"""Keys of the file, as the form calls them."""
KEY = "|".join(re.escape(key) for key in sorted(KEYS, key=len, reverse=True))
NAMED = re.compile(rf"(?:^|(?<=[:;] ))(?P<place>line \d+, column \d+: )?(?P<keys>(?:{KEY})(?:, (?:{KEY}))*): ")


class Form(dict[str, str]):
    """Values by field; a field that is not there is empty.

    `mode` is `file` where `source`, the file, was written by hand; else `source` is the file that the fields change.
    """

    def __or__(self, other: Mapping[str, str]) -> Form:  # type: ignore[override]
        return Form({**self, **other})

    def __missing__(self, _: str) -> str:
        return ""

    @property
    def variants(self) -> int:
        """How many rows of variants hold something."""
        return max((number + 1 for number in range(MOST) if self[f"content_{number}"]), default=1)


def blank() -> Form:
    """An editor that nobody has written in."""
    return Form(channel="email", zone="workspace", passed="next day", content_0="")


def filled(definition: Mapping[str, Any]) -> Form:
    """The editor of a saved campaign."""
    form = Form({name: str(definition[name]) for name in PLAIN if definition.get(name)})
    if form["at"].startswith("best"):
        form |= {"zone": "best", "at": form["at"].removeprefix("best").removeprefix(" from ")}
    form["at"] = form["at"].replace(" ", "T")[:16]
    form["throttle"] = form["throttle"].removesuffix(" per hour")
    variants = definition.get("variants") or [{"name": "a", "content": definition.get("content", ""), "share": ""}]
    for number, variant in enumerate(variants[:MOST]):
        form |= {
            f"content_{number}": variant["content"],
            f"share_{number}": str(variant.get("share", "")).removesuffix("%"),
        }
    winner, goal = definition.get("winner") or {}, definition.get("goal") or {}
    form |= {"winner_by": winner.get("by", ""), "winner_after": winner.get("after", "")}
    form |= {"goal_when": goal.get("when", ""), "goal_within": goal.get("within", "")}
    return form


def mapping(form: Form, slug: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """What the editor says. Variants are named by their rows: as in `names`, others by a letter, `a` first."""
    found: dict[str, Any] = {name: form[name] for name in PLAIN if form[name]} | {"campaign": slug}
    if form["zone"] == "best":
        found["at"] = f"best from {form['at']}" if form["at"] else "best"
        del found["zone"]
    for name in ("test", "holdout"):
        if name in found:
            found[name] = _share(found[name])
    rows = [number for number in range(MOST) if form[f"content_{number}"]]
    if len(rows) == 1:
        found["content"] = form[f"content_{rows[0]}"]
    elif rows:
        letters = (letter for letter in NAMES if letter not in names)
        found["variants"] = [
            {"name": names[number] if number < len(names) else next(letters), "content": form[f"content_{number}"]}
            | ({"share": _share(form[f"share_{number}"])} if form[f"share_{number}"] else {})
            for number in rows
        ]
    if form["winner_by"] and form["test"]:
        found["winner"] = {"by": form["winner_by"], "after": form["winner_after"] or "4 hours"}
    if form["goal_when"]:
        found["goal"] = {"when": form["goal_when"], "within": form["goal_within"] or "7 days"}
    return found


def merged(base: Mapping[str, Any] | None, form: Form, slug: str) -> dict[str, Any]:
    """What the editor says, where it says other than it was filled with; the rest as in `base`.

    So what the fields do not hold survives: names of variants, a fifth one, an offset.
    """
    names = [one["name"] for one in base.get("variants", ())] if base else []
    after = mapping(form, slug, names)
    if base is None:
        return after
    before = mapping(filled(base), slug, names)
    kept = {key: value for key, value in base.items() if before.get(key) == after.get(key)}
    return kept | {key: value for key, value in after.items() if before.get(key) != value}


def worded(said: str) -> str:
    """An error that names keys of the file, naming the fields of the form instead."""

    def label(found: re.Match[str]) -> str:
        labels = dict.fromkeys(KEYS[key] for key in found["keys"].split(", "))
        place = (found["place"] or "").removesuffix(": ")
        return f"{' and '.join(labels)}{', ' if place else ''}{place}: "

    return NAMED.sub(label, said)


def _share(written: str) -> str:
    """Fields say per cent without the sign."""
    return written if written.endswith("%") or not written else f"{written}%"
