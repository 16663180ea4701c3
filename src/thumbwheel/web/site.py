"""The pages, put together: routes, files, headers."""

from __future__ import annotations

from http import HTTPStatus
from inspect import isawaitable

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from thumbwheel.errors import NotHere
from thumbwheel.web import annotate, coding, desk, draw, measure, owner, queue, relink, signing
from thumbwheel.web.render import STATIC, SafeHeaders, is_page, refusal
from thumbwheel.web.session import Sessions
from thumbwheel.wheel import Wheel


def install(app: FastAPI, wheel: Wheel) -> None:
    """Add the pages to the server."""
    app.state.sessions = Sessions(wheel)
    for module in (signing, measure, annotate, draw, owner, coding, desk, queue, relink):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SafeHeaders)
    _say_what_is_not_here(app)


def _say_what_is_not_here(app: FastAPI) -> None:
    """Answer a browser that asks for a page there is none of with a page; programs are answered as before."""
    others = app.exception_handlers[HTTPException]

    async def answer(request: Request, fault: Exception) -> Response:
        asked = isinstance(fault, HTTPException) and fault.status_code == HTTPStatus.NOT_FOUND
        if asked and is_page(request.url.path) and "text/html" in request.headers.get("accept", ""):
            return await run_in_threadpool(refusal, request, NotHere("There is no such page."))
        answered = others(request, fault)
        return await answered if isawaitable(answered) else answered

    app.add_exception_handler(HTTPException, answer)
