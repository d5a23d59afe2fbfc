"""Signing in: sessions, roles, CSRF and the limit on attempts."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from webapp.auth import limits, people, views

csrf = CSRFProtect()


def init_app(app: Flask, redis_url: str | None) -> None:
    """Attach everything about identity to the application."""
    csrf.init_app(app)
    people.manager.init_app(app)
    limits.init_app(app, redis_url)
    app.register_blueprint(views.blueprint)
