"""Errors as answers: what happened, what to do, and a reference id; a page for people, RFC 9457 JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from engine.errors import CairnError, ConfigurationError, Conflict, InvalidInput, LanguageError, NotFound, ProviderError

log = structlog.get_logger(__name__)
LONGEST_HEADER = 300  # characters of an error that a toast shows; servers in between refuse long headers


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person or a program is told. `detail` says what happened, `todo` what to do next."""

    status: int
    title: str
    detail: str
    todo: str


class Forbidden(CairnError):
    """The person's role does not allow this."""


BY_STATUS = {
    400: ("That request did not read", "Go back, check what you entered and try again."),
    401: ("Please sign in", "Sign in and try again."),
    403: ("Your role does not allow this", "Ask an administrator of this workspace."),
    404: ("There is nothing here", "The address may be mistyped, or what was here is gone. The menu leads everywhere."),
    405: ("That cannot be done here", "Go back and use the buttons of the page."),
    413: ("That is too large", "A text may have 2 MB at most. Split it, or use the command line to import files."),
    429: ("Too many attempts", "Wait five minutes, then try again."),
}


def init_app(app: Flask) -> None:
    """Map every kind of error to its answer."""
    app.register_error_handler(CSRFError, lambda _: answer(stale_page()))
    app.register_error_handler(CairnError, lambda error: answer(of_cairn(error)))
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(InterfaceError, database_away)
    app.register_error_handler(Exception, unexpected)


def of_cairn(error: CairnError) -> Problem:
    """The answer to an error that Cairn raised on purpose; its text is already written for people."""
    match error:
        case NotFound():
            return Problem(404, f"No such {error.kind}", str(error), BY_STATUS[404][1])
        case LanguageError():
            return Problem(422, "The text does not read", str(error), "Correct the named line and save again.")
        case InvalidInput():
            return Problem(422, "That value cannot be used", str(error), "Go back, correct it and try again.")
        case Conflict():
            return Problem(409, "It has changed meanwhile", str(error), "Reload the page and look again.")
        case Forbidden():
            return Problem(403, BY_STATUS[403][0], str(error), BY_STATUS[403][1])
        case ProviderError():
            return Problem(502, "The provider refused", str(error), "Check the sending settings, then try again.")
        case ConfigurationError():
            return Problem(500, "A setting is not right", str(error), "Correct the setting and restart Cairn.")
    return Problem(400, BY_STATUS[400][0], str(error), BY_STATUS[400][1])


def stale_page() -> Problem:
    """The form carried no token of this session."""
    detail = "The page was open since before you signed in, or cookies are blocked."
    return Problem(400, "This page is out of date", detail, "Reload the page and send it again.")


def of_http(error: HTTPException) -> Response:
    """Redirects and the like pass; errors are explained."""
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    title, todo = BY_STATUS.get(status, (error.name, "Go back and try again."))
    response = answer(Problem(status, title, error.description or title, todo))
    if status == 429:
        response.headers.setdefault("Retry-After", "300")
    return response


def database_away(error: Exception) -> Response:
    """PostgreSQL does not answer: nothing was changed."""
    log.warning("database away", reference=g.get("reference"), error=str(error))
    detail = "The database does not answer, so nothing was read or changed."
    response = answer(Problem(503, "The database is away", detail, "Try again in a few seconds."))
    response.headers["Retry-After"] = "5"
    return response


def unexpected(_: Exception) -> Response:
    """A fault of ours: the log has the trace under the reference."""
    log.exception("unexpected error", reference=g.get("reference"), path=request.path)
    detail = "Something failed inside Cairn. It is written to the log."
    return answer(Problem(500, "Something went wrong", detail, "Try again. If it stays, report the reference below."))


def answer(problem: Problem) -> Response:
    """The problem in the form that the caller reads."""
    if wants_json():
        response = jsonify(
            type="about:blank",
            title=problem.title,
            status=problem.status,
            detail=f"{problem.detail} {problem.todo}",
            instance=g.get("reference", ""),
        )
        response.content_type = "application/problem+json"
    else:
        response = make_response(render_template("pages/error.html", problem=problem, reference=g.get("reference", "")))
    response.status_code = problem.status
    response.headers["X-Cairn-Error"] = quote(f"{problem.title}. {problem.detail.splitlines()[0]}"[:LONGEST_HEADER])
    return response


def wants_json() -> bool:
    """Programs: everything below `/v1`, and whoever asks for JSON before HTML."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return request.path.startswith("/v1/") or best == "application/json"
