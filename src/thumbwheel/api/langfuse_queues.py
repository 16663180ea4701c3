"""Score configs and annotation queues for Langfuse's clients: the codebook's fields, the review queue, and their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from thumbwheel.api.deps import CanIngest, CanRead, wheel
from thumbwheel.api.langfuse_datasets import Sent, given, required
from thumbwheel.api.langfuse_door import MOST, Asked, LangfuseRoute, numbered
from thumbwheel.api.page import answer
from thumbwheel.connectors.langfuse_out import moment
from thumbwheel.domain.annotation import Label
from thumbwheel.domain.codebook import CodebookVersion
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.services.access import Caller
from thumbwheel.services.shelves import Shelved

router = APIRouter(prefix="/api/public", route_class=LangfuseRoute)

#: The queue that draws fill.
REVIEW: Final = "review"
_CONFIG, _QUEUE, _ITEM = "score-config", "annotation-queue", "annotation-queue-item"
_OBJECTS: Final = frozenset({"TRACE", "OBSERVATION", "SESSION"})
_STATUSES: Final = frozenset({"PENDING", "COMPLETED"})
_TYPES: Final = frozenset({"NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT"})
_SAID: Final = "name dataType description minValue maxValue categories isArchived"


def _among(value: object, allowed: frozenset[str], field: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise Invalid(f"Expected one of {', '.join(sorted(allowed))}.", field=field)
    return value


# --- score configs


@router.post("/score-configs")
def add_config(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep a score config. The codebook's own are changed by publishing a codebook."""
    required(body, "name")
    _among(body.get("dataType"), _TYPES, "dataType")
    return answer(_config(who, wheel(request).shelves.put(who.project_id, _CONFIG, given(body, _SAID))))


@router.patch("/score-configs/{config_id}")
def change_config(config_id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Change a score config."""
    if any(each["id"] == config_id for each in _of_codebook(request, who)):
        raise Conflict("This is a field of the codebook; it changes when a codebook is published.")
    wheel(request).shelves.get(who.project_id, _CONFIG, config_id)
    return answer(_config(who, wheel(request).shelves.put(who.project_id, _CONFIG, given(body, _SAID), id=config_id)))


@router.get("/score-configs")
def list_configs(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of score configs, the codebook's first."""
    found = _configs(request, who)
    return numbered(found[asked.offset :][: asked.limit], asked, len(found))


@router.get("/score-configs/{config_id}")
def get_config(config_id: str, request: Request, who: CanRead) -> Response:
    """One score config."""
    found = next((each for each in _configs(request, who) if each["id"] == config_id), None)
    if found is None:
        raise NotHere(f"There is no score config {config_id!r} in this project.")
    return answer(found)


def _configs(request: Request, who: Caller) -> list[dict[str, Any]]:
    kept = wheel(request).shelves.list_within(who.project_id, _CONFIG)
    return [*_of_codebook(request, who), *(_config(who, each) for each in kept)]


def _of_codebook(request: Request, who: Caller) -> list[dict[str, Any]]:
    """What the codebook in force asks for: pass or fail, and the category of a failure."""
    version = wheel(request).rubric.codebook(who.project_id)
    if version is None:
        return []
    book = version.codebook
    verdict = {"dataType": "BOOLEAN", "description": book.question, "categories": _labels(["False", "True"])}
    how = f"How it failed, by the codebook {book.name!r}."
    modes = _labels([each.id for each in book.categories])
    category = {"dataType": "CATEGORICAL", "description": how, "categories": modes}
    return [_field(who, version, "verdict", verdict), _field(who, version, "category", category)]


def _labels(names: list[str]) -> list[dict[str, Any]]:
    return [{"value": place, "label": name} for place, name in enumerate(names)]


def _field(who: Caller, version: CodebookVersion, name: str, said: dict[str, Any]) -> dict[str, Any]:
    at = moment(version.published_at)
    found = {"id": name, "name": name, "projectId": str(who.project_id), "isArchived": False}
    return found | {"createdAt": at, "updatedAt": at, "minValue": None, "maxValue": None} | said


def _config(who: Caller, kept: Shelved) -> dict[str, Any]:
    unsaid = {"isArchived": False, "minValue": None, "maxValue": None, "categories": None, "description": None}
    return unsaid | kept.body | {"id": kept.id, "projectId": str(who.project_id)} | _times(kept)


def _times(kept: Shelved) -> dict[str, Any]:
    return {"createdAt": moment(kept.created_at), "updatedAt": moment(kept.updated_at)}


# --- annotation queues


@router.post("/annotation-queues")
def add_queue(request: Request, who: CanIngest, body: Sent) -> Response:
    """Keep a queue of the client's own. Reviewers work through the review queue, which draws fill."""
    name = required(body, "name")
    if name == REVIEW:
        raise Conflict("The review queue is here already.", field="name")
    configs = body.get("scoreConfigIds") or []
    if not isinstance(configs, list) or not all(isinstance(each, str) for each in configs):
        raise Invalid("Expected a list of ids.", field="scoreConfigIds")
    said = {"name": name, "scoreConfigIds": configs} | given(body, "description")
    return answer(_queue(wheel(request).shelves.put(who.project_id, _QUEUE, said)))


@router.get("/annotation-queues")
def list_queues(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of queues, the review queue first."""
    kept = wheel(request).shelves.list_within(who.project_id, _QUEUE)
    found = [_review(request, who), *map(_queue, kept)]
    return numbered(found[asked.offset :][: asked.limit], asked, len(found))


@router.get("/annotation-queues/{queue_id}")
def get_queue(queue_id: str, request: Request, who: CanRead) -> Response:
    """One queue."""
    if queue_id == REVIEW:
        return answer(_review(request, who))
    return answer(_queue(wheel(request).shelves.get(who.project_id, _QUEUE, queue_id)))


def _review(request: Request, who: Caller) -> dict[str, Any]:
    version = wheel(request).rubric.codebook(who.project_id)
    at = moment(wheel(request).now() if version is None else version.published_at)
    return {
        "id": REVIEW,
        "name": REVIEW,
        "description": "What draws put before reviewers.",
        "scoreConfigIds": [] if version is None else ["verdict", "category"],
        "createdAt": at,
        "updatedAt": at,
    }


def _queue(kept: Shelved) -> dict[str, Any]:
    return {"description": None} | kept.body | {"id": kept.id} | _times(kept)


# --- their items


@router.post("/annotation-queues/{queue_id}/items")
def add_item(queue_id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Put something into a queue of the client's own."""
    _may_change(queue_id)
    wheel(request).shelves.get(who.project_id, _QUEUE, queue_id)
    said = {
        "objectId": required(body, "objectId"),
        "objectType": _among(body.get("objectType"), _OBJECTS, "objectType"),
        "status": _among(body.get("status") or "PENDING", _STATUSES, "status"),
    }
    return answer(_item(wheel(request).shelves.put(who.project_id, _ITEM, said, within=queue_id)))


@router.get("/annotation-queues/{queue_id}/items")
def list_items(queue_id: str, request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of the items of a queue; those of the review queue that wait come before those that are done."""
    status = asked.text("status")
    items = [item for item in _items(request, who, queue_id) if status is None or item["status"] == status]
    return numbered(items[asked.offset :][: asked.limit], asked, len(items))


@router.get("/annotation-queues/{queue_id}/items/{item_id}")
def get_item(queue_id: str, item_id: str, request: Request, who: CanRead) -> Response:
    """One item."""
    found = next((item for item in _items(request, who, queue_id) if item["id"] == item_id), None)
    if found is None:
        raise NotHere(f"There is no item {item_id!r} in this queue.")
    return answer(found)


@router.patch("/annotation-queues/{queue_id}/items/{item_id}")
def change_item(queue_id: str, item_id: str, request: Request, who: CanIngest, body: Sent) -> Response:
    """Say that an item is done, or is not."""
    _may_change(queue_id)
    status = _among(body.get("status"), _STATUSES, "status")
    kept = wheel(request).shelves
    kept.get(who.project_id, _ITEM, item_id)
    return answer(_item(kept.put(who.project_id, _ITEM, {"status": status}, id=item_id, within=queue_id)))


@router.delete("/annotation-queues/{queue_id}/items/{item_id}")
def delete_item(queue_id: str, item_id: str, request: Request, who: CanIngest) -> Response:
    """Take an item out of a queue."""
    _may_change(queue_id)
    wheel(request).shelves.remove(who.project_id, _ITEM, item_id)
    return answer({"success": True, "message": "Queue item deleted."})


def _may_change(queue_id: str) -> None:
    """Refuse to meddle with the sample: every rate is computed from the chances its draws gave."""
    if queue_id == REVIEW:
        raise Conflict("Draws fill the review queue and labels complete it; make a queue of your own for other items.")


def _items(request: Request, who: Caller, queue_id: str) -> list[dict[str, Any]]:
    if queue_id != REVIEW:
        kept = wheel(request).shelves
        kept.get(who.project_id, _QUEUE, queue_id)
        return [_item(each) for each in kept.list_within(who.project_id, _ITEM, queue_id, 100_000)]
    return [
        *(_entry(entry) for entry in _waiting(request, who)),
        *(_label(label) for label in _labels_of(request, who)),
    ]


def _waiting(request: Request, who: Caller) -> Iterator[QueueEntry]:
    page = wheel(request).rubric.waiting(who.project_id, MOST)
    while page:
        yield from (each.entry for each in page)
        last = page[-1].entry
        page = wheel(request).rubric.waiting(who.project_id, MOST, (last.added_at, last.serve_rank, last.id))


def _labels_of(request: Request, who: Caller) -> Iterator[Label]:
    page = wheel(request).annotate.labels(who.project_id, MOST)
    while page:
        yield from page
        page = wheel(request).annotate.labels(who.project_id, MOST, (page[-1].settled_at, page[-1].id))


def _item(kept: Shelved) -> dict[str, Any]:
    done = kept.body["status"] == "COMPLETED"
    named = {"id": kept.id, "queueId": kept.within, "completedAt": moment(kept.updated_at) if done else None}
    return kept.body | named | _times(kept)


def _entry(entry: QueueEntry) -> dict[str, Any]:
    at = moment(entry.added_at)
    return {
        "id": entry.id,
        "queueId": REVIEW,
        "objectId": entry.trace_id,
        "objectType": "TRACE",
        "status": "PENDING",
        "completedAt": None,
        "createdAt": at,
        "updatedAt": at,
    }


def _label(label: Label) -> dict[str, Any]:
    at = moment(label.settled_at)
    return {
        "id": label.entry_id,
        "queueId": REVIEW,
        "objectId": label.trace_id,
        "objectType": "TRACE",
        "status": "COMPLETED",
        "completedAt": at,
        "createdAt": at,
        "updatedAt": at,
    }
