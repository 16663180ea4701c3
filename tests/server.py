"""The real server as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

#: `thumbwheel`, by this interpreter.
COMMAND = (sys.executable, "-c", "from thumbwheel.cli.main import main; main()")
_START_TIMEOUT = 60.0


def run(*words: str, env: Mapping[str, str], stdin: str | None = None) -> Any:
    """One command; the JSON it prints."""
    done = subprocess.run([*COMMAND, *words], check=False, capture_output=True, text=True, env=env, input=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def environment(database_url: str, **more: str) -> dict[str, str]:
    """An environment whose only settings are these."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("THUMBWHEEL_")}
    # Users keep their names, so that what comes back can be held against what was sent, and nothing slow is loaded.
    plain = {"THUMBWHEEL_PSEUDONYMISE": "false", "THUMBWHEEL_SCRUB": "patterns"}
    return mine | plain | {"THUMBWHEEL_DATABASE_URL": database_url} | more


@dataclass
class Server:
    """A server process and its address."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """As the kernel would: at once, with no goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def serving(env: Mapping[str, str], folder: Path, *options: str) -> Iterator[Server]:
    """Serve on a free port until the end of the block."""
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", *options], env=env, stderr=log, text=True, cwd=folder
        )
    server = Server(process, "")
    try:
        server.url = _await_ready(process, folder / "server.log")
        yield server
    finally:
        if process.poll() is None:
            server.kill()


def _await_ready(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://\S+", log.read_text())
        if found:
            try:
                if httpx2.get(f"{found[0]}/readyz").status_code == 200:
                    return found[0]
            except httpx2.TransportError:
                pass
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")
