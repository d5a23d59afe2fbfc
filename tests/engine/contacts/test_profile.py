"""Normal forms, and what is refused."""

from __future__ import annotations

import pytest

from engine.contacts import normal
from engine.contacts.profile import Profile, clean
from engine.errors import InvalidInput


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("ann@example.com", "ann@example.com"),
        ("Ann.O'Neil@EXAMPLE.com ", "Ann.O'Neil@example.com"),
        ("x@bücher.de", "x@bücher.de"),
        ("x@xn--bcher-kva.de", "x@bücher.de"),
        ("x@faß.de", "x@faß.de"),
        ("jörg@example.com", "jörg@example.com"),
    ],
)
def test_emails_are_normalised(given: str, stored: str) -> None:
    assert normal.email(given) == stored


@pytest.mark.parametrize(
    "given",
    ["", "ann", "@x.de", "ann@", "a b@x.de", "a..b@x.de", ".a@x.de", "a@localhost", "a@x..de", "a@-x.de", "a@b@c.de",
     "a" * 65 + "@x.de", "a@" + "x" * 64 + ".de", "a@x.de\0"],
)  # fmt: skip
def test_what_is_no_email_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        normal.email(given)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("+1 (415) 555-2671", "+14155552671"),
        ("0049 176 12345678", "+4917612345678"),
        ("+442071838750", "+442071838750"),
    ],
)
def test_phones_are_stored_as_e164(given: str, stored: str) -> None:
    assert normal.phone(given) == stored


def test_a_national_number_and_an_unknown_zone_are_kept_and_reported() -> None:
    cleaned, problems = clean(Profile("c1", phone=" 0176 1234567 ", timezone="Mars/Base"))
    assert (cleaned.phone, cleaned.timezone) == ("0176 1234567", "Mars/Base")
    assert [(p.name, p.kept) for p in problems] == [("phone", True), ("timezone", True)]


def test_what_cannot_be_stored_is_left_out_and_reported() -> None:
    given = {"ok": "\\u0000", "nul": "a\0", "deep": {"x": ["\0"]}, "nan": float("nan"), "half": "\ud800", "email": "x",
             "long": "x" * 200_000, "na\0me": 1, "": 1}  # fmt: skip
    cleaned, problems = clean(Profile("c1", phone="x", attributes=given))
    assert cleaned.attributes == {"ok": "\\u0000"} and cleaned.phone is None
    assert {p.name for p in problems} == {"phone", *given} - {"ok"}
    assert not any(p.kept for p in problems)


@pytest.mark.parametrize(
    "profile", [Profile(), Profile(email="nonsense"), Profile("  "), Profile("x\0"), Profile("x" * 600)]
)
def test_a_contact_without_a_usable_name_is_refused(profile: Profile) -> None:
    with pytest.raises(InvalidInput):
        clean(profile)
