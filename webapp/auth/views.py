"""The sign-in page, signing out and the own password."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from engine import users
from engine.errors import InvalidInput
from webapp.auth.people import database, person_of, signed_in

blueprint = Blueprint("auth", __name__)


@blueprint.record_once
def limit_sign_in(state: BlueprintSetupState) -> None:
    """The limit belongs to the application, so it is put around the view when the blueprint joins one."""
    limited = state.app.extensions["cairn.sign_in_limit"](sign_in)
    state.app.add_url_rule("/sign-in", "auth.sign_in", limited, methods=["GET", "POST"])


def sign_in() -> ResponseReturnValue:
    """Ask for address and password; `next` leads back to where the person wanted to go."""
    target = local(request.values.get("next"))
    if request.method == "GET":
        return redirect(target) if current_user.is_authenticated else _form(target)
    email = request.form.get("email", "").replace("\0", "")
    with database().transaction() as transaction:
        user = users.authenticate(transaction, email, request.form.get("password", ""))
        person = person_of(user) if user else None
    if person is None:
        return _form(target, email=email, wrong=True), 401
    session.clear()
    session.permanent = True
    login_user(person)
    return redirect(target)


def _form(target: str, *, email: str = "", wrong: bool = False) -> str:
    return render_template("pages/sign_in.html", target=target, email=email, wrong=wrong)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    logout_user()
    session.clear()
    return redirect(url_for("auth.sign_in"))


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Set a new password: every other session of this person ends, this one goes on."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.sign_in"))
    with database().transaction() as transaction:
        user = users.authenticate(transaction, signed_in().email, request.form.get("current", ""))
        if user is None:
            raise InvalidInput("the current password is not right", where="password", hint="Go back and type it again.")
        users.set_password(user, request.form.get("new", ""))
        person = person_of(user)
    login_user(person)
    flash("Your password is changed. Other sessions are signed out.", "success")
    return redirect(url_for("pages.settings"))


def local(target: str | None) -> str:
    """The target if it is a path of this site, else the dashboard: a link must not lead elsewhere after sign-in."""
    if target and target.isprintable() and target.startswith("/") and "\\" not in target:
        parts = None if target.startswith("//") else urlsplit(target)
        if parts and not parts.scheme and not parts.netloc:
            return target
    return str(current_app.url_for("pages.dashboard"))
