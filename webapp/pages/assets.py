"""Built files of the front end, found through Vite's manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask, url_for
from markupsafe import Markup

from engine.errors import ConfigurationError

DIST = Path(__file__).resolve().parents[1] / "static" / "dist"


def init_app(app: Flask) -> None:
    """Make `built_css` and `built_js` known to the templates."""
    app.jinja_env.globals.update(built_css=built_css, built_js=built_js)


class Manifest:
    """The manifest, read again when a new build has replaced it."""

    def __init__(self) -> None:
        self.stamp = 0
        self.entries: dict[str, Any] = {}

    def entry(self, source: str) -> dict[str, Any]:
        """The built files of a source. Raises ConfigurationError if the front end was never built."""
        path = DIST / "manifest.json"
        try:
            stamp = path.stat().st_mtime_ns
        except FileNotFoundError as error:
            raise ConfigurationError("The front end is not built yet: run `make install`.") from error
        if stamp != self.stamp:
            self.entries, self.stamp = json.loads(path.read_text()), stamp
        found: dict[str, Any] = self.entries[source]
        return found


manifest = Manifest()


def built_css(source: str) -> list[str]:
    """Addresses of the style sheets of an entry."""
    entry = manifest.entry(source)
    files = entry.get("css", []) if source.endswith(".ts") else [entry["file"]]
    return [static(file) for file in files]


def built_js(source: str) -> str:
    """Address of the script of an entry."""
    return static(manifest.entry(source)["file"])


def static(file: str) -> str:
    """Address of one built file; its name changes with its content."""
    return str(Markup(url_for("static", filename=f"dist/{file}")))
