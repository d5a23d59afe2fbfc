"""Security headers of every answer, and the nonce of its scripts."""

from __future__ import annotations

import secrets

from flask import Flask, Response, abort, g, request

POLICY = (
    "default-src 'none'",
    "script-src 'self' 'nonce-{nonce}'",
    "style-src 'self' 'nonce-{nonce}'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
A_YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Give each request a nonce and a reference id, and each answer its headers."""
    app.before_request(begin)
    app.after_request(finish)
    app.context_processor(lambda: {"csp_nonce": g.get("nonce", "")})


def begin() -> None:
    """The reference id is what a person quotes from an error page; the log carries the same.

    Nothing is named with a NUL, and the database cannot even be asked for it.
    """
    g.nonce = secrets.token_urlsafe(16)
    g.reference = secrets.token_hex(4)
    if "\0" in request.path:
        abort(404)


def finish(response: Response) -> Response:
    """Headers that a view has set itself stay."""
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Request-ID", g.get("reference", ""))
    response.headers.setdefault("Content-Security-Policy", policy(g.get("nonce", "")))
    response.headers.setdefault("X-Frame-Options", "DENY")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={A_YEAR}; includeSubDomains")
    if request.endpoint == "static" and "/assets/" in request.path:
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    elif request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def policy(nonce: str) -> str:
    """The Content-Security-Policy of a page."""
    return "; ".join(POLICY).format(nonce=nonce)
