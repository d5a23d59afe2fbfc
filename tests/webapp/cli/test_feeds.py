"""`cairn feeds`."""

from __future__ import annotations

from pathlib import Path

from tests.engine.feeds.shop import CSV
from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_a_feed_from_a_file_is_listed_shown_and_removed(cairn: Cairn, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes(CSV)
    assert cairn("feeds", "add", "shop", tmp_path / "shop.csv").output == "shop: 3 products\n"
    assert "1 row is no product (row 4: it has no id)" in cairn("feeds", "list").output
    shown = cairn("feeds", "show", "shop", "--most", "1").output
    assert shown == "1\tLinen shirt\t1024.9 EUR\tshirts\t0\thttps://shop.example/1\n"
    assert cairn("feeds", "fetch", "shop").exit_code == 1
    assert cairn("feeds", "add", "inside", "http://127.0.0.1:1/feed.xml").exit_code == 1
    assert "no public address" in cairn("feeds", "list").output
    assert cairn("feeds", "remove", "shop").exit_code == 0 and cairn("feeds", "show", "shop").exit_code == 4
