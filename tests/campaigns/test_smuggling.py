"""What would harm is found however it is dressed up."""

from __future__ import annotations

import pytest

from engine.campaigns.preflight.links import belongs, named, place_of
from tests.campaigns.test_preflight import kinds, look, mail
from tests.campaigns.town import Town

WAY_OUT = "<a href='{{ unsubscribe_url }}'>Leave</a> {{ postal_address }}"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://evil.test\\@shop.io/", "evil.test"),
        ("https://shop.io@evil.test/", "evil.test"),
        ("//evil.test/x", "evil.test"),
        ("\thttps:\n//EVIL.test./", "evil.test"),
        ("https:\\\\evil.test\\x", "evil.test"),
        ("mailto:a@evil.test", ""),
        ("/x", ""),
    ],
)
def test_an_address_is_read_as_browsers_do(address: str, host: str) -> None:
    assert place_of(address).host == host


@pytest.mark.parametrize(
    "address",
    ["https://shop.io/go?url=https%3A%2F%2Fevil.test", "https://shop.io/r/https://evil.test/x",
     "https://shop.io/?a=1&u=//evil.test", "https://shop.io/?u=https:%5C%5Cevil.test"],
)  # fmt: skip
def test_a_redirector_is_named_by_where_it_leads(address: str) -> None:
    assert place_of(address).behind == ("evil.test",)


def test_hosts_are_shown_as_what_they_are() -> None:
    assert named("192.0.2.7").endswith("IP address)") and named("3221226011").endswith("IP address)")
    assert named("xn--pple-43d.com").startswith("аpple.com (xn--pple-43d.com,")
    assert named("bit.ly").startswith("bit.ly (a shortener") and named("shop.io") == "shop.io"


@pytest.mark.parametrize(
    ("host", "own", "same"),
    [("a.shop.io", "shop.io", True), ("shop.io", "news.shop.io", True), ("co.uk", "shop.co.uk", False),
     ("io", "shop.io", False), ("evilshop.io", "shop.io", False)],
)  # fmt: skip
def test_only_the_senders_own_hosts_are_its_own(host: str, own: str, same: bool) -> None:
    assert belongs(host, own) == same


@pytest.mark.parametrize(
    "body",
    ["<span style='opacity:0'>" + WAY_OUT + "</span>", "<a href='{{ unsubscribe_url }}'></a> {{ postal_address }}",
     "<span title='{{ unsubscribe_url }}'>x</span> {{ postal_address }}"],
)  # fmt: skip
def test_a_way_out_that_nobody_sees_is_none(town: Town, body: str) -> None:
    town.people(1)
    assert "unsubscribe" in kinds(look(town, mail(body)), "error")


def test_what_is_hidden_in_one_variant_only_is_found(town: Town) -> None:
    town.people(1)
    town.content("mail-b", source=mail("<p style='font-size:0'>" + WAY_OUT + "</p>"))
    split = [{"name": "a", "content": "mail-a", "share": "99%"}, {"name": "b", "content": "mail-b", "share": "1%"}]
    found = look(town, content=None, variants=split)
    assert [one.message for one in found.errors if one.kind == "unsubscribe"] == [
        "“mail-b” has an unsubscribe link that nobody can see."
    ]


def test_links_are_found_wherever_they_are_written(town: Town) -> None:
    town.people(1)
    body = (
        "<a href='https&#58;//e1.test/'>x</a> <span style='background:url(https://e2.test/x)'>x</span> "
        "https://e3.test/. <a href='javascript:x()'>x</a> <a href='{{ site }}'>x</a>"
    )
    found = look(town, mail(body))
    [hosts] = [one for one in found.warnings if one.kind == "hosts"]
    assert hosts.names == ("e1.test", "e2.test", "e3.test")
    assert "address" in kinds(found, "error") and "dynamic" in kinds(found, "warning")
    town.content("text", source="See https://e4.test/x and {{ unsubscribe_url }}", channel="sms")
    found = look(town, audience="created_at is set", channel="sms", content="text")
    assert [one.names for one in found.warnings if one.kind == "hosts"] == [("e4.test",)]


def test_the_one_contact_whose_value_breaks_the_content_is_tried(town: Town) -> None:
    town.people(200, seats=4)
    odd = town.people(1, seats=0)
    found = look(town, mail("{{ 100 / seats }}"))
    [broken] = [one for one in found.errors if one.kind == "variable"]
    assert broken.count == 1
    [(public_id,)] = town.execute("select public_id from contacts where id = :id", id=odd[0])
    assert broken.samples == (public_id,)


def test_a_gap_deep_inside_an_attribute_is_counted(town: Town) -> None:
    people = town.people(2, company={"name": "Acme"})
    town.execute('update contacts set attributes = \'{"company": {"size": 3}}\' where id = :id', id=people[0])
    found = look(town, mail("{{ company.name }}"))
    [gap] = [one for one in found.warnings if one.kind == "variable"]
    assert (gap.count, gap.names, found.reach.audience) == (1, ("company.name",), 2)
