"""LangSmith's projects, which are names that runs carry, and its annotation queues, which are lists of its clients' own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanIngest, CanRead, wheel
from thumbwheel.api.langfuse_door import Asked
from thumbwheel.api.langsmith_door import MOST, LangSmithRoute, Sent, SentAny, offset_of
from thumbwheel.api.langsmith_runs import run_of
from thumbwheel.api.page import answer
from thumbwheel.connectors.langsmith import as_id
from thumbwheel.connectors.langsmith_out import DEFAULT, moment, project, project_of, tenant_of, uuid_of
from thumbwheel.domain.document import column
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.services.access import Caller
from thumbwheel.services.shelves import Shelved, Shelves

router = APIRouter(route_class=LangSmithRoute)

_PROJECT: Final = "langsmith-project"
_QUEUE: Final = "langsmith-queue"
_ITEM: Final = "langsmith-queue-item"
_ALL: Final = 100_000
#: Names remembered by one process before it asks the store again.
_REMEMBERED: Final = 10_000


# --- projects


async def remember(request: Request, project_id: int, names: Iterable[object]) -> None:
    """Make the projects that runs name, where they are not here yet."""
    seen = _seen(request)
    new = {name for each in names if (name := column(each if isinstance(each, str) else None))}
    new = {name for name in new if (project_id, name) not in seen}
    if new:
        await asyncio.to_thread(_make_all, wheel(request).shelves, project_id, sorted(new))
        if len(seen) > _REMEMBERED:
            seen.clear()
        seen |= {(project_id, name) for name in new}


def _seen(request: Request) -> set[tuple[int, str]]:
    """Projects this process knows to be here."""
    state = request.app.state
    if not hasattr(state, "langsmith_projects"):
        state.langsmith_projects = set()
    found: set[tuple[int, str]] = state.langsmith_projects
    return found


def _make_all(shelves: Shelves, project_id: int, names: Sequence[str]) -> None:
    for name in names:
        if shelves.find(project_id, _PROJECT, project_of(project_id, name)) is None:
            _make(shelves, project_id, name, {})


def _make(shelves: Shelves, project_id: int, name: str, said: Mapping[str, Any]) -> Shelved:
    return shelves.put(project_id, _PROJECT, {"name": name, **said}, id=project_of(project_id, name))


def name_of(request: Request, project_id: int, id: str) -> str | None:
    """The name of the project with this id; None where there is none."""
    found = wheel(request).shelves.find(project_id, _PROJECT, id.lower())
    return None if found is None else str(found.body["name"])


@router.post("/sessions")
def add_project(request: Request, who: CanIngest, body: Sent) -> Response:
    """Make a project. Its id follows from its name, so one that runs name first is the same."""
    name = column(body.get("name"))
    if name is None:
        raise Invalid("A project needs a name.", field="name")
    shelves = wheel(request).shelves
    known = shelves.find(who.project_id, _PROJECT, project_of(who.project_id, name))
    if known is not None and request.query_params.get("upsert", "").lower() != "true":
        raise Conflict(f"There is a project {name!r} already.", field="name")
    return answer(_told(who, _make(shelves, who.project_id, name, _said(body))))


@router.patch("/sessions/{id}")
def change_project(id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Change what is said of a project; its name stays, since runs carry it."""
    shelves = wheel(request).shelves
    kept = shelves.get(who.project_id, _PROJECT, id.lower())
    if column(body.get("name")) not in {None, kept.body["name"]}:
        raise Invalid("A project keeps the name its runs carry.", field="name")
    return answer(_told(who, shelves.put(who.project_id, _PROJECT, _said(body), id=kept.id)))


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("description", "extra", "end_time") if body.get(name) is not None}


@router.get("/sessions")
def list_projects(request: Request, who: CanRead, asked: Asked) -> Response:
    """Projects, first made first; there is always one called default."""
    kept = wheel(request).shelves.list_within(who.project_id, _PROJECT, limit=_ALL)
    found = [_told(who, each) for each in kept]
    if all(each["name"] != DEFAULT for each in found):
        found.insert(0, project(who.project_id, DEFAULT, wheel(request).now(), {}))
    name, part, ids = asked.text("name"), asked.text("name_contains"), {each.lower() for each in asked.many("id")}
    found = [
        each
        for each in found
        if (name is None or each["name"] == name)
        and (part is None or part.casefold() in each["name"].casefold())
        and (not ids or each["id"] in ids)
    ]
    return answer(found[offset_of(request) :][: asked.count("limit", 100, MOST)])


@router.get("/sessions/{id}")
def get_project(id: str, request: Request, who: CanRead) -> Response:
    """One project."""
    found = wheel(request).shelves.find(who.project_id, _PROJECT, id.lower())
    if found is None and id.lower() == project_of(who.project_id, DEFAULT):
        return answer(project(who.project_id, DEFAULT, wheel(request).now(), {}))
    return answer(_told(who, found or wheel(request).shelves.get(who.project_id, _PROJECT, id.lower())))


def _told(who: Caller, kept: Shelved) -> dict[str, Any]:
    return project(who.project_id, kept.body["name"], kept.created_at, kept.body)


# --- annotation queues


@router.post("/annotation-queues")
def add_queue(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep a queue of the client's own. Reviewers work through the review queue, which draws fill."""
    name = column(body.get("name"))
    if name is None:
        raise Invalid("A queue needs a name.", field="name")
    said = {"name": name} | {each: body[each] for each in _QUEUE_SAYS if body.get(each) is not None}
    id = as_id(body.get("id"), "id") or uuid_of(wheel(request).mint())
    return answer(_queue(who, wheel(request).shelves.put(who.project_id, _QUEUE, said, id=id)))


_QUEUE_SAYS: Final = ("description", "rubric_instructions", "rubric_items")


@router.get("/annotation-queues")
def list_queues(request: Request, who: CanRead, asked: Asked) -> Response:
    """Queues, first made first."""
    name, part, ids = asked.text("name"), asked.text("name_contains"), {each.lower() for each in asked.many("ids")}
    found = [
        each
        for each in (_queue(who, kept) for kept in wheel(request).shelves.list_within(who.project_id, _QUEUE))
        if (name is None or each["name"] == name)
        and (part is None or part.casefold() in each["name"].casefold())
        and (not ids or each["id"] in ids)
    ]
    return answer(found[offset_of(request) :][: asked.count("limit", 100, MOST)])


@router.get("/annotation-queues/{queue_id}")
def get_queue(queue_id: str, request: Request, who: CanRead) -> Response:
    """One queue."""
    return answer(_queue(who, _kept(request, who, queue_id)))


@router.delete("/annotation-queues/{queue_id}")
def delete_queue(queue_id: str, request: Request, who: CanIngest) -> Response:
    """Take a queue away."""
    wheel(request).shelves.remove(who.project_id, _QUEUE, queue_id.lower())
    return answer({})


@router.post("/annotation-queues/{queue_id}/runs")
def add_items(queue_id: str, request: Request, who: CanIngest, body: SentAny) -> Response:
    """Put runs into a queue: `["run id"]`."""
    queue = _kept(request, who, queue_id)
    if not isinstance(body, list):
        raise Invalid("Expected a list of run ids.")
    runs = [run for each in body if (run := as_id(each, "run_id")) is not None]
    return answer([_item(_put(request, who, queue, run)) for run in runs])


def _put(request: Request, who: Caller, queue: Shelved, run: str) -> Shelved:
    return wheel(request).shelves.put(who.project_id, _ITEM, {"run_id": run}, id=f"{queue.id}/{run}", within=queue.id)


@router.get("/annotation-queues/{queue_id}/runs")
def list_items(queue_id: str, request: Request, who: CanRead, asked: Asked) -> Response:
    """The runs in a queue that have come, first put in first."""
    found = _runs(request, who, _kept(request, who, queue_id))
    return answer(found[offset_of(request) :][: asked.count("limit", 100, MOST)])


@router.get("/annotation-queues/{queue_id}/run/{index}")
def get_item(queue_id: str, index: int, request: Request, who: CanRead) -> Response:
    """The run at one place of a queue, 0 = first."""
    found = _runs(request, who, _kept(request, who, queue_id))
    if not 0 <= index < len(found):
        raise NotHere(f"There is no run at place {index}.")
    return answer(found[index])


@router.delete("/annotation-queues/{queue_id}/runs/{run_id}")
def delete_item(queue_id: str, run_id: str, request: Request, who: CanIngest) -> Response:
    """Take a run out of a queue."""
    queue = _kept(request, who, queue_id)
    wheel(request).shelves.remove(who.project_id, _ITEM, f"{queue.id}/{run_id.lower()}")
    return answer({})


def _kept(request: Request, who: Caller, queue_id: str) -> Shelved:
    return wheel(request).shelves.get(who.project_id, _QUEUE, queue_id.lower())


def _queue(who: Caller, kept: Shelved) -> dict[str, Any]:
    unsaid: dict[str, Any] = dict.fromkeys(_QUEUE_SAYS)
    times = {"created_at": moment(kept.created_at), "updated_at": moment(kept.updated_at)}
    return unsaid | kept.body | {"id": kept.id, "tenant_id": tenant_of(who.project_id)} | times


def _item(kept: Shelved) -> dict[str, Any]:
    run_id = kept.body["run_id"]
    return {"id": uuid_of(kept.id), "run_id": run_id, "queue_id": kept.within, "added_at": moment(kept.created_at)}


def _runs(request: Request, who: Caller, queue: Shelved) -> list[dict[str, Any]]:
    found = []
    for kept in wheel(request).shelves.list_within(who.project_id, _ITEM, queue.id):
        try:
            run = run_of(request, who.project_id, kept.body["run_id"])
        except NotHere:
            continue
        found.append(run | {"added_at": moment(kept.created_at), "last_reviewed_time": None})
    return found
