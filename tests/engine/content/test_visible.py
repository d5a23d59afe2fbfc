"""What is seen of a page, and what only its source knows."""

from __future__ import annotations

import pytest

from engine.content.visible import shown

OUT = "https://s.test/u"
LINK = f'<a href="{OUT}">Leave</a>'
HIDING = (
    f"<!-- {LINK} -->",
    f'<div style="display:none"><p>{LINK}</p></div>',
    f'<div style="DISPLAY: NONE !important">{LINK}</div>',
    f'<p style="visibility:hidden">{LINK}</p>',
    f'<p style="opacity:0">{LINK}</p>',
    f'<p style="opacity:0.0">{LINK}</p>',
    f"<p hidden>{LINK}</p>",
    f'<p style="font-size:0">{LINK}</p>',
    f'<p style="font-size:1px">{LINK}</p>',
    f'<p style="max-height:0;overflow:hidden">{LINK}</p>',
    f'<p style="position:absolute;left:-9999px">{LINK}</p>',
    f'<p style="text-indent:-2000px">{LINK}</p>',
    f'<a href="{OUT}" style="color:#fff">Leave</a>',
    f'<div style="background:#000"><a href="{OUT}" style="color:#010101">Leave</a></div>',
    f'<a href="{OUT}"></a>',
    f'<a href="{OUT}"> . </a>',
    f'<a href="{OUT}"><img src="https://s.test/i" width="1" height="1"></a>',
    f'<span title="{OUT}">Leave</span>',
    f"<template>{LINK}</template>",
    f'<style>p .gone {{ color: red; display: none }}</style><p><a class="gone" href="{OUT}">Leave</a></p>',
    f"<style>a{{visibility:hidden}}</style>{LINK}",
    f'<style>@media (max-width:480px) {{ #f {{ display:none }} }}</style><p id="f">{LINK}</p>',
)
SHOWING = (
    LINK,
    f'<td style="font-size:0px"><p style="font-size:13px">{LINK}</p></td>',
    f'<a href="{OUT}"><img src="https://s.test/i" alt=""></a>',
    f'<style>@media print {{ a {{ display:none }} }} .x {{ display:none }}</style>{LINK}',
    f'<p style="display:none">x</p>{LINK}',
    f'<p style="display:none">x<br></p><p style="margin-left:-4px;opacity:0.6">{LINK}</p>',
)  # fmt: skip


@pytest.mark.parametrize("page", HIDING)
def test_a_link_that_nobody_can_see_is_not_seen(page: str) -> None:
    assert OUT not in shown(page).links


@pytest.mark.parametrize("page", SHOWING)
def test_a_link_that_can_be_clicked_is_seen(page: str) -> None:
    assert OUT in shown(page).links


def test_hidden_words_are_not_read() -> None:
    assert shown('Hi <b>you</b><span style="display:none">1 High Street</span><script>x</script>').words == "Hi you"


def test_every_address_counts_seen_or_not() -> None:
    page = (
        "<style>p{background:url(https://a.test/)}</style><base href='https://b.test/'><img srcset='//c.test/ 2x'>"
        "<form action='https://d.test'></form><p style=\"background-image:url('https://e.test/')\"><a href=f:x hidden>"
    )
    assert {one.partition(".")[0][-1] for one in shown(page).addresses} == set("abcde") | {"x"}
