"""Every journey and part of one in docs/language.md reads without a problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from engine.campaigns import definition
from journeys.language.check import problems

DOCUMENT = (Path(__file__).parents[3] / "docs" / "language.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
REST = {
    "journey": "journey: shown\n",
    "enter": "enter: {on: Signed Up}\n",
    "steps": "steps: [{wait: 1 day, id: wait}]\n",
}


def test_the_document_has_its_examples() -> None:
    assert len(BLOCKS) == DOCUMENT.count("```yaml") >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_it_reads(block: str) -> None:
    if block.startswith("campaign:"):
        assert definition.read(YAML(typ="safe").load(block)).slug
        return
    missing = [text for key, text in REST.items() if not re.search(rf"^{key}:", block, re.MULTILINE)]
    assert problems(block + "".join(missing)) == []
