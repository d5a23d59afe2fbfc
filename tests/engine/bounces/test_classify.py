"""What mails that came back say: kinds, recipients, codes and words."""

from __future__ import annotations

from engine.bounces import classify

DSN = """From: MAILER-DAEMON@mx.example.org
To: bounce@cairn.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b--
"""


def _dsn(action: str = "failed", status: str = "5.1.1", said: str = "550 5.1.1 User unknown") -> bytes:
    return DSN.format(action=action, status=status, said=said).encode()


def test_an_unknown_user_in_a_report_is_hard_with_recipient_status_and_reason() -> None:
    (verdict,) = classify(_dsn()).verdicts
    assert (verdict.kind, verdict.recipient, verdict.status) == ("hard", "ada@example.org", "5.1.1")
    assert verdict.reason == "550 5.1.1 User unknown"


def test_a_report_of_anything_but_a_failure_is_no_bounce() -> None:
    for action in ("delayed", "delivered", "relayed", "expanded"):
        assert classify(_dsn(action=action)).kind == "not_a_bounce"


def test_words_win_over_a_generic_or_a_wrong_code() -> None:
    said = {
        "550 5.1.1 Message blocked by spamhaus": "policy",
        "550 5.7.1 User unknown": "hard",
        "550 5.0.0 Mailbox full": "soft",
        "550 5.5.0 mailbox unavailable": "hard",
    }
    for words, kind in said.items():
        assert classify(_dsn(status="5.0.0", said=words)).kind == kind, words
