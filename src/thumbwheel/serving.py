"""The server: every door and page over one wheel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from thumbwheel.api import (
    annotate,
    capture,
    close,
    errors,
    feedback,
    langfuse,
    langsmith,
    measure,
    mix,
    otlp,
    relink,
    rubric,
    sample,
    widget,
)
from thumbwheel.api.bound import Bounded
from thumbwheel.api.origin import CrossOrigin
from thumbwheel.api.rate import Rates
from thumbwheel.api.straight import Straight
from thumbwheel.app import Wheel
from thumbwheel.web import site


def create_app(wheel: Wheel) -> FastAPI:
    """The server over one wheel."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        wheel.project("default")
        wheel.schedule.start()
        yield
        wheel.stop()

    # The pages under /docs work behind a firewall: nothing comes from elsewhere.
    app = FastAPIOffline(
        title="thumbwheel",
        summary="Closes the human feedback loop of an LLM application.",
        version="0.1.0",
        lifespan=lifespan,
        redoc_url=None,
        static_url="/docs-static",
        favicon_url="/static/icon.svg",
        # Asking at each request whether somebody traces this server costs a twentieth of a signal; nobody does.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.wheel = wheel
    app.state.rates = Rates(wheel.settings)
    app.add_middleware(Bounded, limit=wheel.settings.max_body_bytes)
    app.add_middleware(Straight, doors={**capture.DOORS, **otlp.DOORS})
    app.add_middleware(CrossOrigin, known=lambda origin: wheel.access.knows_origin(origin))  # noqa: PLW0108 - not before it is asked
    errors.install(app)
    for module in (
        sample,
        mix,
        annotate,
        rubric,
        close,
        measure,
        capture,
        otlp,
        feedback,
        langfuse,
        langsmith,
        relink,
        widget,
    ):
        app.include_router(module.router)
    site.install(app, wheel)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> dict[str, str]:
        wheel.ready()
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
