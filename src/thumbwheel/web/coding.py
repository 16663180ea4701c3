"""Axial coding: the notes of open coding on cards, sorted until they are published as the first codebook."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from thumbwheel.domain.note import Group, Grouping, Note
from thumbwheel.errors import CodebookInvalid, Conflict
from thumbwheel.services.coding import Desk, Draft
from thumbwheel.web.curve import advice, drawing, in_steps, sentence
from thumbwheel.web.render import Page, fragment, page
from thumbwheel.web.session import Owner, Services, Visitor, same_origin
from thumbwheel.web.text import plain
from thumbwheel.wheel import Wheel

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
pages = APIRouter(route_class=Page)

#: Characters of a note that its card holds; the trace page has the rest.
_SHOWN = 1_200

_Id = Annotated[str, Field(min_length=1, max_length=200)]
_Text = Annotated[str, Field(max_length=20_000)]


class GroupIn(BaseModel):
    """A card."""

    id: _Id
    note_ids: list[_Id] = Field(max_length=20_000)
    name: _Text = ""
    definition: _Text = ""
    positive: _Text = ""
    negative: _Text = ""
    edge_case: _Text = ""
    key: Annotated[str, Field(max_length=1)] = ""


class GroupingIn(BaseModel):
    """Every card, and the revision it was made from."""

    revision: int = Field(ge=0, lt=2**31)
    groups: list[GroupIn] = Field(max_length=1_000)
    left_out: list[_Id] = Field(default_factory=list, max_length=20_000)
    name: _Text = ""
    question: _Text = ""

    def to_domain(self) -> Grouping:
        """The grouping."""
        groups = (Group(**each.model_dump() | {"note_ids": tuple(each.note_ids)}) for each in self.groups)
        return Grouping(groups=tuple(groups), left_out=tuple(self.left_out), name=self.name, question=self.question)


class SortedOut(BaseModel):
    """What a grouping says once it is kept."""

    revision: int
    #: By group id: the texts of a category nobody has written yet.
    drafts: dict[str, dict[str, Any]]
    curve: str
    check: str
    ok: bool


@pages.get("/codebook/notes")
def show(request: Request, owner: Owner, wheel: Services) -> Response:
    """The cards, or what became of them once there is a codebook with categories."""
    return _show(request, owner, wheel)


@router.post("/codebook/notes")
def sort(body: GroupingIn, owner: Owner, wheel: Services) -> SortedOut:
    """Keep how the notes are sorted."""
    desk = wheel.coding.sort(owner.project_id, body.to_domain(), body.revision, owner.name)
    ok, check = _check(wheel, owner, desk)
    return SortedOut(revision=desk.revision, drafts=_drafts(desk), curve=_curve(desk), check=check, ok=ok)


@pages.post("/codebook/notes/anew")
def anew(owner: Owner, wheel: Services) -> Response:
    """Sort the notes by how alike they read, from the start."""
    wheel.coding.start_over(owner.project_id, owner.name)
    return RedirectResponse("/codebook/notes", HTTPStatus.SEE_OTHER)


@pages.post("/codebook/notes/publish")
def publish(
    request: Request,
    owner: Owner,
    wheel: Services,
    revision: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Publish the cards as the codebook; cards that make none come back with their faults."""
    desk = wheel.coding.desk(owner.project_id)
    if desk.revision != revision:
        raise Conflict("Somebody else has sorted these notes since; look at them again before they are published.")
    if not desk.drafts:
        raise Conflict("There is no group with notes in it yet, so there is nothing to publish.")
    try:
        wheel.rubric.publish(owner.project_id, desk.codebook(owner.project), owner.name, note.strip())
    except CodebookInvalid as fault:
        return _show(request, owner, wheel, faults=fault.detail, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return RedirectResponse("/codebook/notes", HTTPStatus.SEE_OTHER)


@pages.post("/codebook/notes/requeue")
def requeue(owner: Owner, wheel: Services) -> Response:
    """Ask people again, under the codebook, what they noted without it."""
    n = wheel.coding.requeue(owner.project_id, owner.name)
    return RedirectResponse(f"/codebook/notes?requeued={n}", HTTPStatus.SEE_OTHER)


def _show(
    request: Request, owner: Visitor, wheel: Wheel, *, faults: str | None = None, status: int = HTTPStatus.OK
) -> Response:
    desk = wheel.coding.desk(owner.project_id)
    versions = wheel.rubric.codebooks(owner.project_id)
    values: dict[str, Any] = {
        "desk": desk,
        "curve": _curve(desk),
        "requeued": request.query_params.get("requeued"),
        "by_id": {note.id: note for note in desk.notes},
        "n_people": len({note.annotator for note in desk.notes}),
    }
    if desk.ended_by is not None or not desk.notes:
        values |= {"n_to_judge": wheel.coding.to_judge(owner.project_id)}
        return page(request, "notes_done.html", owner, **values)
    _, check = _check(wheel, owner, desk)
    values |= {"check": check, "faults": faults, "board": _board(desk, owner.project)}
    values |= {"next_version": versions[0].version + 1 if versions else 1}
    return page(request, "notes.html", owner, status=status, **values)


def _board(desk: Desk, project: str) -> dict[str, Any]:
    """Everything the page's script starts from."""
    book = desk.codebook(project)
    return asdict(desk.grouping) | {
        "revision": desk.revision,
        "name": book["name"],
        "question": book["question"],
        "notes": [_note(note) for note in desk.notes],
        "drafts": _drafts(desk),
    }


def _note(note: Note) -> dict[str, str]:
    text = plain(note.text)
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return {"id": note.id, "trace_id": note.trace_id, "annotator": note.annotator, "text": shown}


def _drafts(desk: Desk) -> dict[str, dict[str, Any]]:
    return {group_id: _draft(draft) for group_id, draft in desk.drafts.items()}


def _draft(draft: Draft) -> dict[str, Any]:
    return asdict(draft) | {"words": list(draft.words)}


def _check(wheel: Wheel, owner: Visitor, desk: Desk) -> tuple[bool, str]:
    if not desk.drafts:
        return False, fragment("_revision.html", faults="There is no group with notes in it yet.", revision=None)
    try:
        revision = wheel.rubric.revise(owner.project_id, desk.codebook(owner.project))
    except CodebookInvalid as fault:
        return False, fragment("_revision.html", faults=fault.detail, revision=None)
    return True, fragment("_revision.html", faults=None, revision=revision)


def _curve(desk: Desk) -> str:
    curve = desk.curve
    return fragment(
        "_curve.html",
        curve=curve,
        drawn=drawing(curve),
        sentence=sentence(curve),
        advice=advice(curve),
        in_steps=in_steps(curve),
    )


router.include_router(pages)
