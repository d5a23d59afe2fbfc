"""The reference of the pixel benchmark: plain Flask, nothing stored."""

from __future__ import annotations

from flask import Flask, Response

from webapp.public.pixel import GIF

application = Flask(__name__)


@application.get("/o/<token>")
def pixel(token: str) -> Response:  # noqa: ARG001 - Flask passes it by name
    """The same image with the same headers."""
    return Response(GIF, mimetype="image/gif", headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
