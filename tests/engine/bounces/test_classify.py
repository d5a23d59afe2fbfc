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


def test_sentences_in_a_part_that_is_called_a_report_are_read_and_what_follows_the_last_part_is_not() -> None:
    mail = DSN.format(action="failed", status="5.3.0", said="").replace("Diagnostic-Code: smtp; \n", "")
    mail = mail.replace("Content-Type: text/plain", "Content-Type: message/delivery-status;")
    mail = (
        mail.replace("Your message could not be delivered.", "<ada@example.org> has restricted SMS e-mail")
        + "Comments\n"
    )
    (verdict,) = classify(mail.encode()).verdicts
    assert (verdict.kind, verdict.recipient, verdict.status) == ("policy", "ada@example.org", "5.3.0")
    assert "restricted SMS" in verdict.reason


def _text(said: str) -> bytes:
    head = "From: MAILER-DAEMON@mx.example\nTo: bounce@cairn.example\nSubject: Undelivered Mail Returned to Sender\n\n"
    return f"{head}Your message could not be delivered.\n\n{said}\n".encode()


def test_the_line_above_a_list_of_recipients_tells_what_is_the_matter_with_them() -> None:
    said = "The following recipients are unknown:\n\n\tada@example.org\n\nPlease include this problem report."
    (verdict,) = classify(_text(said)).verdicts
    assert (verdict.kind, verdict.recipient) == ("hard", "ada@example.org")


def test_what_is_away_for_a_while_is_soft() -> None:
    for words in (
        "This account has been temporarily suspended",
        "no MXs for this domain could be reached at this time",
    ):
        assert classify(_text(f"<ada@example.org>: {words}")).kind == "soft", words
    assert classify(_text("<ada@example.org>: This account has been suspended")).kind == "hard"
