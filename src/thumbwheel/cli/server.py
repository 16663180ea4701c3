"""Running the server: one process, or several on one socket."""

from __future__ import annotations

import gc
import socket
import sys

import typer
from fastapi import FastAPI

from thumbwheel.app import Wheel
from thumbwheel.config import read_settings
from thumbwheel.errors import ThumbwheelError
from thumbwheel.serving import create_app
from thumbwheel.telemetry import configure_logs


def build() -> FastAPI:
    """The application of one worker process."""
    settings = read_settings()
    configure_logs(as_json=settings.log_json)
    wheel = Wheel(settings)
    app = create_app(wheel)
    wheel.warm_up(then=_settle)
    return app


def _settle() -> None:
    """Keep what has been loaded out of garbage collection, and let that come less often.

    None of it ever goes, and to look through it again every few seconds stops everything for a fifth of one. What
    requests leave behind hardly ever refers to itself, so that little waits to be collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def run(host: str, port: int, workers: int) -> None:
    """Listen and serve until told to stop.

    Raises:
        ThumbwheelError: the store cannot be reached, or the address cannot be had.
    """
    import uvicorn

    wheel = Wheel(read_settings())
    wheel.ready()
    wheel.stop()
    listener = listen(host, port)
    typer.echo(f"thumbwheel serves on http://{host}:{listener.getsockname()[1]}", err=True)
    config = uvicorn.Config(
        "thumbwheel.cli.server:build",
        factory=True,
        workers=workers,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    server = uvicorn.Server(config)
    if workers == 1:
        server.run(sockets=[listener])
        if not server.started:
            sys.exit(3)
        return
    from uvicorn.supervisors import Multiprocess

    Multiprocess(config, sockets=[listener]).run()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket of protocol TCP: asyncio then sends small answers at once (no Nagle).

    Raises:
        ThumbwheelError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        raise ThumbwheelError(
            f"Cannot listen on {host}:{port}: {fault.strerror}. Choose another with --port."
        ) from fault
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener
