"""Mails that come back, as servers write them."""

from __future__ import annotations

DSN = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <{id}@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered to one or more recipients.

<{recipient}>: host mx.example.net said: {code} {status} {words}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {code} {status} {words}

--b
Content-Type: text/rfc822-headers

{original}
--b--
"""
REPLY = """\
From: Ann <{sender}>
To: hello@cairn.example
Subject: Re: Welcome
In-Reply-To: <{token}@cairn.example>
Message-ID: <answer-{token}@home.example>
{more}
Yes please.
"""


def dsn(
    to: str,
    recipient: str = "ann@example.com",
    *,
    status: str = "5.1.1",
    words: str = "user unknown",
    original: str = "Subject: Hello\n",
    id_: str = "1",
) -> bytes:
    """A report of a failed delivery (RFC 3464) to a return path."""
    filled = DSN.format(
        to=to, recipient=recipient, status=status, code=f"{status[0]}50", words=words, original=original, id=id_
    )
    return filled.replace("\n", "\r\n").encode()


def reply(sender: str, token: str, more: str = "") -> bytes:
    """A person's answer, or with further headers a machine's."""
    return REPLY.format(sender=sender, token=token, more=more + "\n" if more else "").replace("\n", "\r\n").encode()
