"""The Flask application: pages for the people who work with Cairn."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from pathlib import Path

from flask import Flask

from engine.channels import allowed
from engine.db import Database
from engine.settings import Settings
from engine.settings import settings as load_settings
from webapp import auth, errors, pages
from webapp.api import openapi, schemas
from webapp.auth import headers

ROOT = Path(__file__).resolve().parents[1]
SESSION_LIFETIME = dt.timedelta(days=14)
LARGEST_FORM = 2 * 1024 * 1024


def create_app(database: Database, redis_url: str | None = None, settings: Settings | None = None) -> Flask:
    """The application on a workspace's database. With `redis_url` the sign-in limit holds across processes."""
    chosen = settings or load_settings()
    app = Flask("webapp", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "webapp" / "static"))
    app.config.from_mapping(_configuration(chosen))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["cairn.database"] = database
    app.extensions["cairn.settings"] = chosen
    only = allowed.parse(chosen.allowed_recipients)
    app.jinja_env.globals["allowed_recipients"] = only.text if only else ""
    headers.init_app(app)
    errors.init_app(app)
    auth.init_app(app, redis_url)
    pages.init_app(app)
    schemas.init_app(app)
    openapi.init_app(app)
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    """The cookie's name carries a mark of the installation: cookies of one host are shared by all its ports."""
    key = hmac.digest(settings.secret(), b"cairn/session", "sha256")
    return {
        "SECRET_KEY": key,
        "SESSION_COOKIE_NAME": f"cairn_{hashlib.sha256(key).hexdigest()[:8]}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.site_url.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFETIME,
        "MAX_CONTENT_LENGTH": LARGEST_FORM,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FORM,
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_HEADERS": ["X-CSRFToken"],
    }
