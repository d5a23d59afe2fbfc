"""How often somebody may try to sign in."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter

from webapp.native import client_ip, household

ATTEMPTS_BY_HOST = "30 per 5 minutes"
ATTEMPTS_BY_ACCOUNT = "10 per 5 minutes"


def init_app(app: Flask, redis_url: str | None) -> None:
    """Count failed attempts, in Redis if there is one: by the caller's address, and by the account that is tried."""
    limiter = Limiter(
        host,
        app=app,
        storage_uri=storage(redis_url),
        in_memory_fallback_enabled=True,
        key_prefix="cairn",
    )
    app.extensions["cairn.limiter"] = limiter
    by_host = limiter.limit(ATTEMPTS_BY_HOST, methods=["POST"], deduct_when=failed)
    by_account = limiter.limit(ATTEMPTS_BY_ACCOUNT, key_func=account, methods=["POST"], deduct_when=failed)
    app.extensions["cairn.sign_in_limit"] = lambda view: by_host(by_account(view))


def storage(redis_url: str | None) -> str:
    """The address of the counters; a Redis socket is written `redis+unix://` there."""
    if redis_url is None:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


def host() -> str:
    """The caller's address or network, through the proxy that the settings trust."""
    address = client_ip(request.environ, current_app.extensions["cairn.settings"].client_ip_header)
    return household(address or "unknown")


def account() -> str:
    """The account that this attempt is for."""
    return request.form.get("email", "").strip().lower()[:254]


def failed(response: Response) -> bool:
    """Whether the attempt counts: only a refusal does."""
    return response.status_code == 401
