"""The wheel alone suffices: everything that Cairn reads of itself is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READ_AT_RUN_TIME = (".lark", ".mako", ".mjml", ".txt", ".html", ".json", ".yaml")
FOLDERS = ("engine", "journeys", "templates", "webapp", "workers")
NOT_SHIPPED = ("node_modules", "frontend")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Iterator[Path]:
    """The `bin` of an environment that has the wheel and, by path, what it depends on, but nothing of this tree.

    Only its owner may enter its folder: PostgreSQL, under an account of its own, must get through to its programs.
    """
    with tempfile.TemporaryDirectory(prefix="cairn-wheel-") as folder:
        yield install(wheel, Path(folder) / "venv")


def install(wheel: Path, home: Path) -> Path:
    """Make the environment; returns its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, timeout=120)
    [packages] = home.glob("lib/python*/site-packages")
    links = packages / "dependencies"
    links.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.lower().startswith(("cairn", "_editable")):
            (links / path.name).symlink_to(path)
    (packages / "dependencies.pth").write_text(f"{links}\n")
    return python.parent


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder of its own, with a CAIRN_HOME of its own and nothing of this tree on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CAIRN_"))}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    environment = kept | {"CAIRN_HOME": str(folder / "home")}
    return subprocess.run(
        [*arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_every_file_that_is_read_at_run_time_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in READ_AT_RUN_TIME and not set(NOT_SHIPPED) & set(path.parts)
    }
    dist = {path.relative_to(ROOT).as_posix() for path in (ROOT / "webapp/static/dist").rglob("*") if path.is_file()}
    assert len(wanted) > 20
    assert sorted((wanted | dist) - packed) == []


def test_nothing_of_the_tests_or_of_this_machine_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert {name for name in tops if not name.endswith(".dist-info")} == set(FOLDERS)
        assert not [name for name in archive.namelist() if "node_modules" in name or name.endswith(".pyc")]


def test_it_tells_its_version(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, str(installed / "cairn"), "--version")
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout


def test_it_checks_a_rule_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, str(installed / "cairn"), "rules", "check", 'plan is "pro"')
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert 'plan is "pro"' in done.stdout
    finally:
        run(installed, tmp_path, str(installed / "cairn"), "down")


CONTENTS = """
import pathlib, engine, webapp.app, engine.db, engine.content.compile as compiling
import journeys, templates
from importlib import resources
assert "dependencies" not in engine.__file__ and "site-packages" in engine.__file__, engine.__file__
folder = pathlib.Path(engine.__file__).parent.parent
contents = sorted((folder / "templates" / "messages").glob("*.mjml"))
assert contents, folder
for path in contents:
    compiling.compile_source(path.read_text("utf-8"), "email")
assert sorted((folder / "journeys" / "library").glob("*.yaml"))
assert sorted((folder / "webapp" / "demo" / "journeys").glob("*.yaml"))
assert sorted((folder / "engine" / "migrations" / "versions").glob("*.py"))
print("complete")
"""


def test_its_contents_compile_from_the_installed_files(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, str(installed / "python"), "-c", CONTENTS)
    assert done.stdout.strip() == "complete", done.stderr
