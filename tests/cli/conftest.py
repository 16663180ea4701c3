"""The command line as people call it, in this process, over a store in a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from thumbwheel.app import Wheel
from thumbwheel.cli.main import main
from thumbwheel.config import Settings


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return msgspec.json.decode(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; the store is the file `thumbwheel.db` in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("THUMBWHEEL_DATABASE_URL", "THUMBWHEEL_URL", "THUMBWHEEL_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `thumbwheel` with these arguments."""

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["thumbwheel", *arguments])
        capsys.readouterr()
        try:
            main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return Ran(int(code or 0), said.out, said.err)

    return run


@pytest.fixture
def store(folder: Path) -> Iterator[Wheel]:
    """The services over the store the commands use."""
    wheel = Wheel(Settings())
    yield wheel
    wheel.stop()
