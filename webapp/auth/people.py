"""Who is signed in, as Flask-Login sees it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import ClassVar, cast

from flask import current_app
from flask_login import LoginManager, current_user

from engine import users
from engine.db import Database
from engine.model import User

manager = LoginManager()
manager.session_protection = "basic"
EDITORS = ("admin", "marketer")


@dataclass(frozen=True)
class Person:
    """Someone who is signed in, as Flask-Login wants it. `stamp` is the user's session stamp at sign-in."""

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    public_id: str
    email: str
    name: str
    role: str
    stamp: str

    def get_id(self) -> str:
        """What the session cookie carries: a new password changes the stamp, so old sessions find nobody."""
        return f"{self.public_id}.{self.stamp}"

    @property
    def may_edit(self) -> bool:
        """Whether this person may change anything."""
        return self.role in EDITORS


def person_of(user: User) -> Person:
    """The row as a value that outlives its transaction."""
    return Person(user.public_id, user.email, user.name, user.role, user.session_stamp)


def signed_in() -> Person:
    """The person of this request; call it only behind the sign-in check."""
    return cast(Person, current_user._get_current_object())


def database() -> Database:
    """The workspace's database of the running application."""
    return cast(Database, current_app.extensions["cairn.database"])


def load(identity: str) -> Person | None:
    """The person whom a session names, if the session is still good."""
    public_id, _, stamp = identity.partition(".")
    with database().transaction() as session:
        user = users.by_public_id(session, public_id)
        if user is None or not hmac.compare_digest(user.session_stamp.encode(), stamp.encode()):
            return None
        return person_of(user)


manager.user_loader(load)
