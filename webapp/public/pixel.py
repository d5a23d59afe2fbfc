"""`/o/TOKEN`: the pixel. It answers before anything is stored, and stores within a tenth of a second."""

from __future__ import annotations

import base64

from engine.signing import Signer
from webapp.groupcommit import GroupCommit
from webapp.native import NOT_FOUND, Answer, Environ, not_allowed
from webapp.public import tokens

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PIXEL = Answer(
    200,
    (("Content-Type", "image/gif"), ("Cache-Control", "no-store, max-age=0"), ("Referrer-Policy", "no-referrer")),
    GIF,
)


def answer(environ: Environ, signer: Signer, writer: GroupCommit, proxy_header: str | None) -> Answer:
    """The image for a token of ours, the common 404 for any other. A full buffer costs the hit, never the image."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return not_allowed("GET", "HEAD")
    found = tokens.reference(signer, "open", environ)
    if found is None:
        return NOT_FOUND
    writer.offer("open", tokens.hit("open", found, environ, proxy_header))
    return PIXEL
