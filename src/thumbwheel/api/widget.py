"""The widget: one module any page may load, its types, and a page to try it on."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

router = APIRouter(include_in_schema=False)

_FILES = Path(__file__).parent.parent / "widget"
_SCRIPT = "text/javascript; charset=utf-8"
#: Modules are loaded with CORS, so a page of any origin may read this; it is the same for everybody.
_ANYWHERE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
}
_DEMO = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@router.get("/widget.js")
def script(request: Request) -> Response:
    """The widget, as one ES module."""
    return _file(request, "widget.js", _SCRIPT, _ANYWHERE)


@router.get("/widget.d.ts")
def types(request: Request) -> Response:
    """Its types, for TypeScript."""
    return _file(request, "widget.d.ts", "text/plain; charset=utf-8", _ANYWHERE)


@router.get("/widget/demo")
def demo(request: Request) -> Response:
    """A page to try it on."""
    return _file(request, "demo.html", "text/html; charset=utf-8", _DEMO)


@router.get("/widget/demo.js")
def demo_script(request: Request) -> Response:
    """What that page does."""
    return _file(request, "demo.js", _SCRIPT, _DEMO)


@router.get("/widget/demo.css")
def demo_style(request: Request) -> Response:
    """How that page looks."""
    return _file(request, "demo.css", "text/css; charset=utf-8", _DEMO)


@cache
def _read(name: str) -> tuple[bytes, bytes, str]:
    content = (_FILES / name).read_bytes()
    return content, gzip.compress(content, mtime=0), f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'


def _file(request: Request, name: str, media_type: str, headers: dict[str, str]) -> Response:
    content, packed, tag = _read(name)
    headers = headers | {"ETag": tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = packed, headers | {"Content-Encoding": "gzip"}
    return Response(content, 200, headers, media_type)
