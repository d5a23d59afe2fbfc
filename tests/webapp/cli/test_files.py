"""Commands that take files: what they do with them, and what they say of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.errors import InvalidInput
from webapp.cli._files import read_text
from webapp.cli.journeys import command

UNNAMED = """\
journey: hello
enter: {on: Signed Up}
steps:
  # Say hello
  - email: hello
  - wait: 2 days
"""


def test_fmt_names_steps_once_and_keeps_comments(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(UNNAMED)
    first = CliRunner().invoke(command, ["fmt", str(file)])
    laid_out = file.read_text()
    second = CliRunner().invoke(command, ["fmt", str(file)])
    assert "laid out" in first.output and "as it was" in second.output
    assert laid_out == file.read_text()
    assert laid_out.count("id: ") == 2 and "# Say hello" in laid_out


@pytest.mark.parametrize("verb", ["fmt", "test"])
def test_every_file_that_does_not_read_is_named_with_its_place_and_the_others_are_done(
    tmp_path: Path, verb: str
) -> None:
    bad, good, worse = (tmp_path / name for name in ("bad.yaml", "good.yaml", "worse.yaml"))
    for file in (bad, worse):
        file.write_text("journey: hello\nenter: {on: [\n")
    good.write_text(UNNAMED.replace("- email", "- id: mail\n    email").replace("- wait", "- id: rest\n    wait"))
    result = CliRunner().invoke(command, [verb, str(bad), str(good), str(worse)])
    assert result.exit_code == 1 and f"{good}: " in result.stdout
    places = [line for line in result.stderr.splitlines() if not line.startswith("    ")]
    assert [line.split(": ")[1] for line in places] == ["error", "error"]
    assert places[0].startswith(f"{bad}:3:1: ") and places[1].startswith(f"{worse}:3:1: ")


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("journey: größe".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"latin\.yaml: is not UTF-8 text \(byte 12\)\. Save it as UTF-8\."):
        read_text(file)
