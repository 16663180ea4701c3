"""Other tools' own servers, installed once, each in an environment of its own. They run only when they are asked for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Clock
from tests.wire.clients import installed
from thumbwheel.app import Wheel
from thumbwheel.config import Settings

_HERE = Path(__file__).parent
_START_TIMEOUT = 180.0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave them out unless `-m servers` asks for them: they take a minute to install and most of another to start."""
    if "servers" in config.getoption("-m"):
        return
    mine = [item for item in items if item.get_closest_marker("servers")]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if not item.get_closest_marker("servers")]


def python_of(server: str) -> Path:
    """The interpreter that has a server and nothing else."""
    return installed(f"{server}-server", [_HERE / "requirements" / f"{server}.txt"], _install) / "bin" / "python"


def _install(wanted: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "--no-compile"]
    command += ["--require-hashes", "--requirement", str(wanted[0])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def environment(**settings: str) -> dict[str, str]:
    """An environment in which only these settings are another tool's."""
    theirs = ("PHOENIX", "MLFLOW", "OTEL", "THUMBWHEEL", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)} | settings


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], env: dict[str, str], url: str, alive: str, folder: Path) -> Iterator[str]:
    """A server until the end of the block; its address."""
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        _await(process, url + alive, folder / "server.log")
        yield url
    finally:
        # Its workers too: they are of its session.
        os.killpg(process.pid, 15)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(20)


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(address).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Phoenix."""
    folder, port = tmp_path_factory.mktemp("phoenix"), free_port()
    env = environment(
        PHOENIX_HOST="127.0.0.1",
        PHOENIX_PORT=str(port),
        PHOENIX_GRPC_PORT=str(free_port()),
        PHOENIX_WORKING_DIR=str(folder),
        PHOENIX_TELEMETRY_ENABLED="false",
    )
    command = [str(python_of("phoenix")), "-m", "phoenix.server.main", "serve"]
    with running(command, env, f"http://127.0.0.1:{port}", "/healthz", folder) as url:
        yield url


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    python = python_of("mlflow")
    # It starts its workers by the interpreter that is found first.
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    env = environment(**settings, PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}")
    command = [str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder)]
    with running(command, env, f"http://127.0.0.1:{port}", "/health", folder) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    """The time as these servers have it, which moves only when told to; whatever they note is before it."""
    return Clock(datetime.now(UTC) + timedelta(minutes=5))


@pytest.fixture
def wheel(tmp_path: Path, clock: Clock, migrated: Path) -> Iterator[Wheel]:
    """Every service, over SQLite."""
    shutil.copy(migrated, tmp_path / "wheel.db")
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wheel.db", pseudonymise=False, scrub="patterns")
    wheel = Wheel(settings, now=clock)
    yield wheel
    wheel.stop()


@pytest.fixture
def run_with() -> Callable[..., str]:
    """Runs a program with a server's own client; what it prints."""

    def run(server: str, program: str, *words: str, **settings: str) -> str:
        command = [str(python_of(server)), str(_HERE / "programs" / program), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, env=environment(**settings)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
