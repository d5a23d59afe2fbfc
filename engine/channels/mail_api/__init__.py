"""Email through a vendor's HTTP interface: Amazon SES, Postmark, SendGrid, Mailgun. A module each, with its receipts.

To add one: a class with `request` and `result` (`engine.channels.http.Vendor`), the functions `genuine` and `words`, a
line in `KINDS` and in each table of `account`, and recorded payloads in its test.
"""

from urllib.parse import urlsplit

KINDS = ("postmark", "sendgrid", "mailgun", "ses")


def is_account(url: str) -> bool:
    """Whether the address names a vendor's HTTP interface, and not an SMTP server."""
    return urlsplit(url).scheme.partition("+")[0] in KINDS
