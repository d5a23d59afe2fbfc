"""The parts of the classifier: charsets, addresses, tokens, and which evidence wins."""

from __future__ import annotations

import pytest

from engine.bounces import classify
from engine.bounces.addresses import address, typed_address
from engine.bounces.decoding import normal, plain, text_of, words_of
from engine.bounces.failure import Failure
from engine.bounces.phrases import reasons
from engine.bounces.verdict import judge

SAID = {
    "550 5.1.1 Your IP has been blocked by spamhaus": "policy",
    "550 5.7.1 Recipient unknown": "hard",
    "550 5.7.1 Service unavailable, try again later": "policy",
    "550 5.5.0 Requested action not taken: mailbox unavailable": "hard",
    "550 5.7.1 Requested action not taken: mailbox unavailable": "policy",
    "550 5.0.0 The mailbox is over quota": "soft",
    "450 4.1.2 Recipient address rejected: Domain not found": "soft",
    "550 5.1.2 Recipient address rejected: Domain not found": "hard",
    "450 4.1.1 Recipient address rejected: User unknown in local recipient table": "hard",
    "450 4.2.0 Recipient address rejected: Greylisted": "soft",
    "421 4.7.28 Our system has detected an unusual rate of unsolicited mail": "policy",
    "553 5.1.8 Domain of sender address bounces@news.example does not exist": "policy",
    "554 5.7.1 Recipient address rejected: Access denied": "policy",
    "550 5.4.1 Recipient address rejected: Access denied": "hard",
    "550 5.4.310 DNS domain does not exist": "hard",
    "556 5.1.10 Recipient address has null MX": "hard",
    "525 5.7.13 User account": "hard",
    "554 5.4.6 mail loop": "soft",
    "550 5.6.0 storage error": "soft",
    "550 (in reply to RCPT TO command)": "hard",
    "554 (in reply to end of DATA command)": "policy",
    "550 The address is not one that is registered": "hard",
}


@pytest.mark.parametrize("said", SAID)
def test_the_most_specific_evidence_wins(said: str) -> None:
    code = next((word for word in said.split() if word.count(".") == 2), "5.0.0")
    assert judge(Failure("ada@example.org", "failed", code, said), said, "").kind == SAID[said]


def test_words_in_addresses_and_host_names_say_nothing() -> None:
    said = "550 5.1.1 <quota-exceeded@spam.example>: host mx.blocked-by.example said: no such user"
    assert judge(Failure("a@b.example", "failed", "5.1.1", said), said, "").kind == "hard"


def test_a_status_is_the_most_specific_that_is_known() -> None:
    given = {("5.0.0", "550 5.1.1 unknown user"): "5.1.1", ("", "550 unknown user"): "5.0.0", ("5.1.1", "x"): "5.1.1"}
    for (status, said), expected in given.items():
        assert judge(Failure("a@b.example", "failed", status, said), said, "").status == expected
    assert judge(Failure("a@b.example", "failed", "", "gone"), "gone", "").status is None


def test_phrases_match_from_the_beginning_of_a_word_without_case_or_accents() -> None:
    assert "full" in reasons().find(normal("La BOÎTE  aux\nlettres pleine"))
    assert "content" not in reasons().find("antivirus")
    assert reasons().find("produce") == {}


@pytest.mark.parametrize("charset", ["koi8-r", "cp1251"])
def test_cyrillic_is_read_without_a_charset(charset: str) -> None:
    text = "Ваше письмо не может быть доставлено: пользователь не найден"
    assert text_of(text.encode(charset)) == text


@pytest.mark.parametrize("charset", ["gb18030", "big5", "cp932", "euc_jp", "cp949"])
def test_asian_charsets_are_told_apart(charset: str) -> None:
    texts = {
        "gb18030": "很抱歉，您的邮件无法投递，因为收件人不存在，请检查地址后重新发送",
        "big5": "很抱歉，您的郵件無法投遞，因為收件人不存在，請檢查地址後重新傳送",
        "cp949": "메일을 배달하지 못했습니다. 받는 사람이 존재하지 않습니다",
    }
    text = texts.get(charset, "メールを配信できませんでした。宛先のユーザーが見つかりません")
    assert text_of(text.encode(charset)) == text
    assert text_of(text.encode(charset), "us-ascii") == text


def test_a_charset_that_does_not_fit_gives_way() -> None:
    assert text_of("größer als zulässig".encode(), "iso-8859-1") == "größer als zulässig"
    assert text_of("größer".encode("cp1252"), "utf-8") == "größer"
    assert text_of(b"plain", "no-such-charset") == "plain"


def test_encoded_words_that_share_a_character_are_joined() -> None:
    assert words_of("=?utf-8?q?Unzustellbar=3A_Fr=C3?=\n =?utf-8?q?=BChling?=") == "Unzustellbar: Frühling"
    assert words_of("a =?no-such-charset?q?b?= =?utf-8?q?c?=") == "a bc"


def test_html_keeps_addresses_in_angle_brackets() -> None:
    assert plain("<style>x{}</style><p>To: <ada@example.org><br>gone &amp; lost</p>").split() == [
        "To:",
        "<ada@example.org>",
        "gone",
        "&",
        "lost",
    ]


def test_typed_addresses_are_read_as_the_rfcs_say() -> None:
    read = {
        "rfc822; <ada@example.org>": "ada@example.org",
        "RFC822;ada+news@example.org": "ada+news@example.org",
        "rfc822;ada+2Bnews@example.org": "ada+news@example.org",
        r"utf-8; j\x{FC}rgen@example.org": "jürgen@example.org",
        "ada@example.org": "ada@example.org",
        "rfc822; ada@localhost": "ada@localhost",
        "x400; /C=de/": None,
    }
    for value, expected in read.items():
        assert typed_address(value) == expected


def test_the_address_in_angle_brackets_is_preferred_to_one_in_a_name() -> None:
    assert address('"ada@old.example" <ada@new.example>') == "ada@new.example"


def test_a_token_comes_from_the_return_path_or_from_the_message_id_of_the_original() -> None:
    name = "abcdefghijklmnopqrstuvwxyz234567abcdefgh"
    bounce = (
        f"From: <>\nTo: b-{name}@bounces.example\n\nYour message was not delivered to ada@example.org: user unknown\n"
    )
    assert classify(bounce.encode()).verdicts[0].token == name
    known = "0f3a9c1d5b7e4f60a1b2c3d4e5f60718"
    original = f"Received: from x\nMessage-ID: <{known}@cairn.example>\nTo: ada@example.org\nMIME-Version: 1.0\n"
    quoted = bounce.replace(f"b-{name}", "bounces") + "\n--- Original message ---\n\n" + original
    assert classify(quoted.encode()).verdicts[0].token == known
