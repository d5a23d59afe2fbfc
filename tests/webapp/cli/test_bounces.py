"""`cairn bounces classify`: a JSON line for each mail, an error for each file without one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from webapp.cli.bounces import command

CORPUS = Path(__file__).parents[2] / "corpora" / "bounces"


def _classify(*files: str, data: bytes | None = None) -> tuple[int, list[dict[str, object]], str]:
    result = CliRunner().invoke(command, ["classify", *files], input=data)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_a_mail_is_one_line_with_five_fields() -> None:
    code, lines, _ = _classify(str(CORPUS / "qmail.eml"))
    assert code == 0
    assert lines == [
        {
            "file": str(CORPUS / "qmail.eml"),
            "kind": "hard",
            "recipient": "abel@q.example",
            "status": "5.1.1",
            "reason": "<abel@q.example>: Sorry, no mailbox here by that name. (#5.1.1)",
        }
    ]


def test_several_recipients_are_listed_the_most_severe_first() -> None:
    _, (line,), _ = _classify(str(CORPUS / "two-recipients.eml"))
    assert (line["kind"], line["recipient"]) == ("hard", "tim@two.example")
    listed = line["recipients"]
    assert isinstance(listed, list)
    assert [(each["recipient"], each["kind"]) for each in listed] == [
        ("tim@two.example", "hard"),
        ("ugo@two.example", "soft"),
    ]


def test_a_mail_comes_from_standard_input() -> None:
    _, (line,), _ = _classify("-", data=(CORPUS / "arf-abuse.eml").read_bytes())
    assert (line["file"], line["kind"], line["recipient"]) == ("-", "complaint", "comp@isp.example")


def test_folders_and_mboxes_are_read_mail_by_mail(tmp_path: Path) -> None:
    mails = [(CORPUS / f"{name}.eml").read_bytes() for name in ("qmail", "postfix-full")]
    separator = b"From MAILER-DAEMON Tue Mar  3 10:00:00 2026\n"
    (tmp_path / "box").write_bytes(b"\n".join(separator + mail for mail in mails))
    (tmp_path / "other.eml").write_bytes((CORPUS / "ticket.eml").read_bytes())
    code, lines, _ = _classify(str(tmp_path))
    assert code == 0
    named = [(str(line["file"]).removeprefix(f"{tmp_path}/"), line["kind"]) for line in lines]
    assert named == [("box:1", "hard"), ("box:2", "soft"), ("other.eml", "not_a_bounce")]


def test_every_file_has_a_line_even_one_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.eml"
    code, lines, errors = _classify(str(missing), str(CORPUS / "qmail.eml"))
    assert code == 1
    assert [line["kind"] for line in lines] == ["not_a_bounce", "hard"]
    assert lines[0]["reason"] == "No such file or directory"
    assert str(missing) in errors


@pytest.mark.parametrize(
    "raw", [b"", b" \r\n\n", b"\0\xff\xfe\x80" * 5000, b"%PDF-1.7\n\xe2\xe3"], ids=["empty", "blank", "junk", "pdf"]
)
def test_what_is_no_mail_is_no_bounce(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "it.eml").write_bytes(raw)
    code, (line,), errors = _classify(str(tmp_path / "it.eml"))
    assert (code, line["kind"], line["recipient"], line["status"], errors) == (0, "not_a_bounce", None, None, "")
    assert line["reason"] == (None if raw.strip() else "there is no mail in it")


def test_an_mbox_comes_from_standard_input_too_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    separator = b"From MAILER-DAEMON Tue Mar  3 10:00:00 2026\n"
    mails = [(CORPUS / f"{name}.eml").read_bytes() for name in ("qmail", "ticket")]
    _, lines, _ = _classify("-", data=b"\n".join(separator + mail for mail in mails))
    assert [(line["file"], line["kind"]) for line in lines] == [("-:1", "hard"), ("-:2", "not_a_bounce")]
    (tmp_path / ".DS_Store").write_bytes(b"x")
    assert _classify(str(tmp_path)) == (0, [], "")


def test_it_needs_no_database_to_start() -> None:
    asked = "import sys, webapp.cli.bounces; print([name for name in ('sqlalchemy', 'redis') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "[]\n"
