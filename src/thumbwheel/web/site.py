"""The pages, put together: routes, files, headers."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from thumbwheel.web import annotate, measure, owner, queue, relink, signing
from thumbwheel.web.render import STATIC, SafeHeaders
from thumbwheel.web.session import Sessions
from thumbwheel.wheel import Wheel


def install(app: FastAPI, wheel: Wheel) -> None:
    """Add the pages to the server."""
    app.state.sessions = Sessions(wheel)
    for module in (signing, measure, annotate, owner, queue, relink):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SafeHeaders)
