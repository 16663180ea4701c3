"""Published clients as they come from the package index, each version in a folder of its own, installed once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_WANTED = _HERE / "requirements"
#: Outside of what is kept; made anew when a requirement changes.
_INSTALLED = _HERE.parents[1] / ".wire"
_PIP = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--require-hashes")


def run_python(client: str, program: str, **settings: str) -> Any:
    """Run a program with one client and nothing else beside the standard library; the JSON it prints."""
    folder = installed(client, [_WANTED / f"{client}.txt"], _install_python)
    # Without -S it would find the packages of the tests.
    return _run([sys.executable, "-S", str(_HERE / "programs" / program)], settings | {"PYTHONPATH": str(folder)})


def run_node(clients: str, program: str, **settings: str) -> Any:
    """Run a program with one folder of npm packages; the JSON it prints."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    wanted = [_WANTED / clients / name for name in ("package.json", "package-lock.json")]
    folder = installed(clients, wanted, _install_node)
    shutil.copy(_HERE / "programs" / program, folder / program)
    return _run(["node", str(folder / program)], settings)


def _run(command: list[str], settings: dict[str, str]) -> Any:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("LANGFUSE", "LANGSMITH", "OTEL"))}
    done = subprocess.run(command, capture_output=True, text=True, env=mine | settings, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


def installed(client: str, wanted: list[Path], install: Any) -> Path:
    """The folder of a client. One process installs, the others wait; what is half done is never found."""
    folder, stamp = _INSTALLED / client, _INSTALLED / f"{client}.sha256"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in wanted) + sys.version.encode()).hexdigest()
    with _alone(client):
        if not (folder.is_dir() and stamp.exists() and stamp.read_text() == digest):
            shutil.rmtree(folder, ignore_errors=True)
            done = install(wanted, folder)
            if done.returncode != 0:
                shutil.rmtree(folder, ignore_errors=True)
                pytest.skip(f"{client} cannot be installed here: {done.stderr.strip()[-300:]}")
            stamp.write_text(digest)
    return folder


@contextmanager
def _alone(client: str) -> Iterator[None]:
    _INSTALLED.mkdir(exist_ok=True)
    with (_INSTALLED / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_python(wanted: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*_PIP, "--target", str(folder), "--requirement", str(wanted[0])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _install_node(wanted: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir(parents=True)
    for path in wanted:
        shutil.copy(path, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
