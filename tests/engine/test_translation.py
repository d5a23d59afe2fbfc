"""The catalogues say everything that the pages say, with the same names in braces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import translation
from engine.tracking import leaving
from engine.translation import matching

ROOT = Path(__file__).resolve().parents[2]
ASKED = re.compile(r"\b(?:t|Refused|Limited)\(\s*\"([^\"]+)\"")
NAMES = re.compile(r"\{\w+\}")


def asked() -> set[str]:
    """Every text that a page or a system message asks for."""
    modules = [
        ROOT / name
        for name in (
            "engine/tracking/confirmation.py", "engine/tracking/forms.py", "engine/tracking/form_fields.py",
            "engine/content/footer.py", "webapp/public/showing.py", "webapp/public/signing_up.py",
            "engine/tracking/signups.py",
        )
    ]  # fmt: skip
    files = [*(ROOT / "templates" / "public").glob("*.html"), *modules]
    texts = {text for file in files for text in ASKED.findall(file.read_text())} | set(leaving.REASONS.values())
    assert len(texts) > 25
    return texts


@pytest.mark.parametrize("language", [name for name in translation.NAMES if name != translation.SOURCE])
def test_a_language_has_every_text_and_no_other(language: str) -> None:
    words = translation.catalogue(language)
    assert set(words) == asked()
    for english, translated in words.items():
        assert translated, english
        assert sorted(NAMES.findall(english)) == sorted(NAMES.findall(translated)), english


def test_the_first_language_that_there_is_is_spoken() -> None:
    assert translation.choose([None, 3, "", "xx", "fr-CA", "de"]) == "fr"
    assert translation.choose(["de_AT"]) == "de"
    assert translation.choose([]) == "en"


def test_po_files_are_read_as_editors_write_them() -> None:
    head = '# note\nmsgid ""\nmsgstr "Language: xx\\n"\n\n'
    text = head + '#: a.html:1\nmsgid "One "\n"line"\nmsgstr ""\n"Eine \\"Zeile\\""\n'
    assert translation.read(text) == {"One line": 'Eine "Zeile"'}


def test_a_wanted_language_loses_its_last_part_until_it_is_there() -> None:
    there = ["en", "pt", "zh-Hant", "de-CH"]
    assert matching.lookup(["pt-BR"], there) == "pt"
    assert matching.lookup(["zh-Hant-TW"], there) == "zh-Hant"
    assert matching.lookup(["DE_ch"], there) == "de-CH"
    assert matching.lookup(["de-AT"], there) is None
    assert matching.lookup(["fr-FR", "en-GB"], there) == "en"
    assert matching.lookup(["pt-" * 100, None, ["pt"], "*"], there) is None


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("PT-br", "pt-BR"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-1996", "de-1996"),
        ("v2", None),
        ("", None),
    ],
)
def test_a_tag_is_written_one_way(given: str, tag: str | None) -> None:
    assert matching.canonical(given) == tag


def test_the_script_decides_the_direction_before_the_language() -> None:
    assert [matching.direction(tag) for tag in ("ar", "he-IL", "az-Arab", "ar-Latn", "de")] == [
        *("rtl", "rtl", "rtl", "ltr", "ltr")
    ]
