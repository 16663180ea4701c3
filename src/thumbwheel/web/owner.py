"""The owner's desk: disputes to decide, the codebook and its versions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

import yaml
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.codebook import Codebook
from thumbwheel.errors import CodebookInvalid
from thumbwheel.services.rubric import Revision
from thumbwheel.web.desk import tabs, view_of
from thumbwheel.web.render import Page, fragment, page
from thumbwheel.web.session import Owner, Services, Viewer, Visitor, same_origin
from thumbwheel.wheel import Wheel

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
pages = APIRouter(route_class=Page)

_Text = Annotated[str, Field(max_length=20_000)]
_MOST = 200_000


class CheckedOut(BaseModel):
    """What publishing a draft would do, or every fault in it."""

    ok: bool
    html: str


# --- disputes


@pages.get("/disputes")
def disputes(
    request: Request,
    owner: Owner,
    wheel: Services,
    decided: str | None = None,
    at: Annotated[str, Query(max_length=200)] = "",
    published: int | None = None,
) -> Response:
    """The dispute that was asked for, or the one that has been open longest, with everything needed to decide it."""
    asked = wheel.rubric.find_dispute(owner.project_id, at) if at else None
    oldest = wheel.rubric.disputes(owner.project_id, 1)
    if not oldest:
        return page(request, "no_disputes.html", owner, decided=decided, tabs=tabs(wheel, owner))
    opened = asked or oldest[0]
    version = wheel.rubric.codebook(owner.project_id)
    named = [set(one.categories) for one in opened.annotations]
    contested = {id for one in named for id in one if not all(id in other for other in named)}
    categories = version.codebook.categories if version else ()
    return page(
        request,
        "dispute.html",
        owner,
        dispute=opened.dispute,
        annotations=opened.annotations,
        entry=opened.entry,
        view=view_of(wheel, owner, opened.dispute.trace_id, f"dispute {opened.dispute.id}"),
        codebook=version.codebook if version else None,
        version=version.version if version else 0,
        names={category.id: category.name for category in categories},
        contested=[category for category in categories if category.id in contested],
        tabs=tabs(wheel, owner),
        decided=decided,
        published=published,
        now=wheel.now(),
    )


@pages.post("/disputes/{dispute_id}")
def decide(
    dispute_id: str,
    owner: Owner,
    wheel: Services,
    verdict: Annotated[Verdict, Form()],
    categories: Annotated[list[str], Form(default_factory=list)],
    critique: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Decide a dispute, and go on to the next."""
    chosen = tuple(categories) if verdict is Verdict.failed else ()
    judgement = Judgement(verdict=verdict, categories=chosen, critique=critique.strip() or None)
    wheel.rubric.adjudicate(owner.project_id, dispute_id, owner.name, judgement)
    return RedirectResponse(f"/disputes?decided={verdict.value}", HTTPStatus.SEE_OTHER)


# --- amending the codebook from a dispute


class AmendmentIn(BaseModel):
    """Other texts for what one category means, in place of those of version `base`."""

    base: Annotated[int, Field(ge=1)]
    note: Annotated[str, Field(max_length=2_000)] = ""
    category: Annotated[str, Field(max_length=200)]
    definition: _Text
    positive: _Text
    negative: _Text
    edge_case: _Text

    def meaning(self) -> dict[str, str]:
        """The texts by field."""
        texts = self.model_dump(include={"definition", "positive", "negative", "edge_case"})
        return {field: text.replace("\r\n", "\n") for field, text in texts.items()}


@router.post("/codebook/amend/check")
def check_amendment(body: AmendmentIn, owner: Owner, wheel: Services) -> CheckedOut:
    """What publishing an amendment would change and set aside, or every fault in it."""
    return _checked(wheel, owner, wheel.rubric.amended(owner.project_id, body.category, body.meaning()))


@pages.post("/disputes/{dispute_id}/amend")
def amend(
    dispute_id: str,
    owner: Owner,
    wheel: Services,
    amendment: Annotated[AmendmentIn, Form()],
) -> Response:
    """Publish other texts for one category, and return to the dispute."""
    data = wheel.rubric.amended(owner.project_id, amendment.category, amendment.meaning())
    version = wheel.rubric.publish(owner.project_id, data, owner.name, amendment.note.strip(), base=amendment.base)
    return RedirectResponse(f"/disputes?at={quote(dispute_id)}&published={version.version}", HTTPStatus.SEE_OTHER)


# --- the codebook


class DraftIn(BaseModel):
    """A codebook as it is being written."""

    text: Annotated[str, Field(max_length=_MOST)]


@pages.get("/codebook")
def codebook(request: Request, visitor: Viewer, wheel: Services, version: int | None = None) -> Response:
    """A version of the codebook, to be read."""
    shown = wheel.rubric.codebook(visitor.project_id, version)
    versions = wheel.rubric.codebooks(visitor.project_id)
    return page(request, "codebook.html", visitor, shown=shown, versions=versions, now=wheel.now())


@pages.get("/codebook/edit")
def edit(request: Request, owner: Owner, wheel: Services) -> Response:
    """The editor, on the current version or on an example to start from."""
    current = wheel.rubric.codebook(owner.project_id)
    text = _written(current.codebook) if current else wheel.rubric.example()
    return page(request, "codebook_edit.html", owner, text=text, current=current, note="", faults=None)


@router.post("/codebook/check")
def check(body: DraftIn, owner: Owner, wheel: Services) -> CheckedOut:
    """Whether a draft holds together, and what publishing it would change."""
    try:
        data = _read(body.text)
    except CodebookInvalid as fault:
        return CheckedOut(ok=False, html=fragment("_revision.html", faults=fault.detail, revision=None))
    return _checked(wheel, owner, data)


def _checked(wheel: Wheel, owner: Visitor, data: object) -> CheckedOut:
    try:
        revision = wheel.rubric.revise(owner.project_id, data)
    except CodebookInvalid as fault:
        return CheckedOut(ok=False, html=fragment("_revision.html", faults=fault.detail, revision=None))
    return CheckedOut(ok=_changes(revision), html=fragment("_revision.html", faults=None, revision=revision))


@pages.post("/codebook")
def publish(
    request: Request,
    owner: Owner,
    wheel: Services,
    text: Annotated[str, Form(max_length=_MOST)],
    note: Annotated[str, Form(max_length=2_000)] = "",
    base: Annotated[int | None, Form(ge=0)] = None,
) -> Response:
    """Publish a draft as the next version; a draft with faults comes back with them."""
    try:
        published = wheel.rubric.publish(owner.project_id, _read(text), owner.name, note.strip(), base=base)
    except CodebookInvalid as fault:
        current = wheel.rubric.codebook(owner.project_id)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        values = {"text": text, "current": current, "note": note, "faults": fault.detail}
        return page(request, "codebook_edit.html", owner, status=status, **values)
    return RedirectResponse(f"/codebook?version={published.version}", HTTPStatus.SEE_OTHER)


def _read(text: str) -> object:
    """The data in a YAML text.

    Raises:
        CodebookInvalid: it is no YAML.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as fault:
        mark = getattr(fault, "problem_mark", None)
        place = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CodebookInvalid(f"{place}{getattr(fault, 'problem', None) or 'this is no YAML'}.") from fault


def _changes(revision: Revision) -> bool:
    return revision.current is None or revision.current.codebook != revision.new


def _written(codebook: Codebook) -> str:
    """A codebook as its owner would write it."""
    data = {
        "name": codebook.name,
        "question": codebook.question,
        "categories": [
            {
                "id": category.id,
                "name": category.name,
                "key": category.key,
                "definition": category.definition,
                "positive": category.positive,
                "negative": category.negative,
                "edge_case": category.edge_case,
            }
            for category in codebook.categories
        ],
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


router.include_router(pages)
