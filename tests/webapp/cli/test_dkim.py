"""`cairn dkim`."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.settings import settings
from webapp.cli import main


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_keys_are_made_and_their_records_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big, small = tmp_path / "big.pem", tmp_path / "small.pem"
    run = CliRunner().invoke
    assert run(main, ["dkim", "new", str(big)]).exit_code == 0
    assert run(main, ["dkim", "new", str(small), "--ed25519"]).exit_code == 0
    assert stat.S_IMODE(big.stat().st_mode) == 0o600
    assert run(main, ["dkim", "new", str(big)]).exit_code == 3
    monkeypatch.setenv("CAIRN_DKIM_DOMAIN", "news.example.com")
    monkeypatch.setenv("CAIRN_DKIM_KEYS", f"a:{big}, b:{small}")
    lines = run(main, ["dkim", "records"]).output.splitlines()
    assert lines[0].startswith('a._domainkey.news.example.com. TXT "v=DKIM1; k=rsa; p=')
    assert lines[1].startswith('b._domainkey.news.example.com. TXT "v=DKIM1; k=ed25519; p=')
    assert max(len(piece) for line in lines for piece in line.split('"')[1::2]) == 255


@pytest.mark.parametrize(
    ("domain", "keys", "reason"),
    [
        ("", "", "Nothing is signed"),
        ("example.com", "", "needs both"),
        ("", "a:x.pem", "needs both"),
        ("exa mple.com", "a:x.pem", "cannot be CAIRN_DKIM_DOMAIN"),
        ("example.com", "x.pem:", "cannot be read"),
        ("example.com", "a b:x.pem", "cannot be a selector"),
        ("example.com", "a:x.pem,a:y.pem", "selector of its own"),
        ("example.com", "a:none.pem", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, domain: str, keys: str, reason: str) -> None:
    monkeypatch.setenv("CAIRN_DKIM_DOMAIN", domain)
    monkeypatch.setenv("CAIRN_DKIM_KEYS", keys)
    result = CliRunner().invoke(main, ["dkim", "records"])
    assert (result.exit_code, reason in result.output) == (3, True)
