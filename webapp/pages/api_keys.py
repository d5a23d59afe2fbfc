"""API keys on the settings page: administrators make and revoke them; a key is shown once."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import update

from engine import users
from engine.errors import InvalidInput, NotFound
from engine.model import ApiKey, AuditLog
from webapp.api import failures
from webapp.api.keys import SCOPES
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.settings import settings
from webapp.pages.work import work

LONGEST_NAME = 100
SHOWN = 200


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/settings/keys", "key_make", make, methods=["POST"])
    blueprint.add_url_rule("/settings/calls", "key_failures", failed)
    blueprint.add_url_rule("/settings/keys/<int:key_id>/revoke", "key_revoke", revoke, methods=["POST"])


def make() -> ResponseReturnValue:
    """A new key. It stands in this answer and nowhere else."""
    _only_administrators()
    name, scopes = request.form.get("name", "").replace("\0", "").strip(), request.form.getlist("scope")
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput(f"a key needs a name of at most {LONGEST_NAME} characters", "name")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidInput("a key needs something that it may do", "scope")
    with work() as opened:
        key = users.create_api_key(opened.session, name, tuple(dict.fromkeys(scopes)))
        detail = {"name": name, "scopes": scopes}
        opened.session.add(
            AuditLog(actor=signed_in().email, action="make", object=f"key {key[:8]}", detail=detail, at=opened.now)
        )
    return settings(made=key)


def failed() -> ResponseReturnValue:
    """The calls that failed lately."""
    with work() as opened:
        return render_template("pages/key_failures.html", failures=failures.latest(opened.session, SHOWN))


def revoke(key_id: int) -> ResponseReturnValue:
    """The key is in force no longer."""
    _only_administrators()
    with work() as opened:
        ended = update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=opened.now)
        prefix = opened.session.execute(ended.returning(ApiKey.prefix)).scalar()
        if prefix is None:
            raise NotFound("key", str(key_id))
        opened.session.add(
            AuditLog(actor=signed_in().email, action="revoke", object=f"key {prefix}", detail={}, at=opened.now)
        )
    flash(f"The key {prefix}… is refused within five seconds.", "success")
    return redirect(url_for("pages.settings"))


def _only_administrators() -> None:
    if signed_in().role != "admin":
        raise Forbidden("Keys are made and revoked by administrators.")
