"""Signing in and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from thumbwheel.errors import NotKnown, TooManyAttempts
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import COOKIE, Services, Viewer, local_path, same_origin, sessions

router = APIRouter(route_class=Page, dependencies=[Depends(same_origin)], include_in_schema=False)

#: The project a person looks at after signing in.
_PROJECT = "default"


@router.get("/sign-in")
def show(request: Request, wheel: Services, next: str = "/") -> Response:  # noqa: A002 - what the query calls it
    """The form; who is signed in already goes on."""
    if sessions(request).visitor(request.cookies.get(COOKIE)):
        return RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    return page(
        request, "sign_in.html", next=local_path(next), name="", problem=None, nobody=not wheel.access.list_people()
    )


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",  # noqa: A002 - what the form calls it
) -> Response:
    """Sign in and go on to where one wanted to be."""
    here = sessions(request)
    try:
        person = here.sign_in(name, password, request.client.host if request.client else "")
    except (NotKnown, TooManyAttempts) as fault:
        status = HTTPStatus.TOO_MANY_REQUESTS if isinstance(fault, TooManyAttempts) else HTTPStatus.UNAUTHORIZED
        return page(
            request,
            "sign_in.html",
            status=status,
            next=local_path(next),
            name=name,
            problem=fault.detail,
            nobody=False,
        )
    answer = RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    here.remember(answer, person, _PROJECT)
    return answer


@router.post("/project")
def switch(
    request: Request, visitor: Viewer, wheel: Services, project: Annotated[str, Form(max_length=100)]
) -> Response:
    """Look at another project from now on."""
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    sessions(request).remember(answer, visitor.person, wheel.access.project(project).name)
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Sign out."""
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    sessions(request).forget(answer)
    return answer
