"""Datasets for Langfuse's clients: the golden set, which labels fill, and datasets of their own with their runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from thumbwheel.api.deps import CanIngest, CanRead, body_of, wheel
from thumbwheel.api.langfuse_door import MOST, Asked, LangfuseRoute, numbered, object_of
from thumbwheel.api.page import answer
from thumbwheel.connectors import native
from thumbwheel.connectors.langfuse_out import moment
from thumbwheel.domain.artifact import GoldenRow
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.services.access import Caller
from thumbwheel.services.shelves import Shelved

router = APIRouter(prefix="/api/public", route_class=LangfuseRoute)

#: The dataset whose items are the golden rows.
GOLDEN: Final = "golden"
_DATASET, _ITEM, _RUN, _RUN_ITEM = "dataset", "dataset-item", "dataset-run", "dataset-run-item"


async def read_object(request: Request) -> Mapping[str, Any]:
    """The object a request carries.

    Raises:
        Invalid: it carries none, or one that cannot be kept.
    """
    body = object_of(native.parse(await body_of(request)))
    native.check_clean(body)
    return body


#: What a request carries, read before its route runs beside the event loop.
Sent = Annotated[Mapping[str, Any], Depends(read_object)]


def required(body: Mapping[str, Any], name: str) -> str:
    """A text the body must have.

    Raises:
        Invalid: it has none.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 512 or "\0" in value:
        raise Invalid("Expected text of 1 to 512 characters.", field=name)
    return value


def optional(body: Mapping[str, Any], name: str) -> str | None:
    """A text the body may have.

    Raises:
        Invalid: it has something else.
    """
    value = body.get(name)
    return None if value is None or value == "" else required(body, name)


def given(body: Mapping[str, Any], names: str) -> dict[str, Any]:
    """What the body says under these names."""
    return {name: body[name] for name in names.split() if body.get(name) is not None}


# --- datasets


@router.post("/v2/datasets")
@router.post("/datasets")
def add_dataset(request: Request, who: CanIngest, body: Sent) -> Response:
    """Make a dataset, or change what is said of it."""
    name = required(body, "name")
    if name == GOLDEN:
        return answer(_golden_dataset(request, who))
    said = given(body, "description metadata inputSchema expectedOutputSchema")
    kept = wheel(request).shelves
    if kept.find(who.project_id, _DATASET, name) is None:
        said["id"] = wheel(request).mint()
    return answer(_dataset(who, kept.put(who.project_id, _DATASET, said, id=name)))


@router.get("/v2/datasets")
def list_datasets(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of datasets, the golden set first."""
    kept = wheel(request).shelves
    found = [_dataset(who, each) for each in kept.list_within(who.project_id, _DATASET, "", asked.offset + asked.limit)]
    shown = [_golden_dataset(request, who), *found][asked.offset :][: asked.limit]
    return numbered(shown, asked, 1 + kept.count(who.project_id, _DATASET))


@router.get("/v2/datasets/{name:path}")
def get_dataset(name: str, request: Request, who: CanRead) -> Response:
    """One dataset by its name."""
    if name == GOLDEN:
        return answer(_golden_dataset(request, who))
    return answer(_dataset(who, wheel(request).shelves.get(who.project_id, _DATASET, name)))


def _dataset(who: Caller, kept: Shelved) -> dict[str, Any]:
    unsaid = dict.fromkeys(("description", "metadata", "inputSchema", "expectedOutputSchema"))
    return unsaid | kept.body | {"name": kept.id, "projectId": str(who.project_id)} | _times(kept)


def _times(kept: Shelved) -> dict[str, Any]:
    return {"createdAt": moment(kept.created_at), "updatedAt": moment(kept.updated_at)}


# --- items


@router.post("/dataset-items")
def add_item(request: Request, who: CanIngest, body: Sent) -> Response:
    """Put an item into a dataset, or change it."""
    name = required(body, "datasetName")
    if name == GOLDEN:
        raise Conflict("The rows of the golden set come from labels; put this into a dataset of another name.")
    status = body.get("status") or "ACTIVE"
    if status not in {"ACTIVE", "ARCHIVED"}:
        raise Invalid("Expected ACTIVE or ARCHIVED.", field="status")
    kept = wheel(request).shelves
    dataset = kept.get(who.project_id, _DATASET, name)
    said = given(body, "input expectedOutput metadata sourceTraceId sourceObservationId")
    said |= {"status": status, "datasetId": dataset.body["id"]}
    return answer(_item(kept.put(who.project_id, _ITEM, said, id=optional(body, "id"), within=name)))


@router.get("/dataset-items")
def list_items(request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of the items of a dataset."""
    asked.refuse("filter", "version")
    name = asked.text("datasetName")
    if name is None:
        raise Invalid("Say which: datasetName.", field="datasetName")
    kept = wheel(request).shelves
    if name == GOLDEN:
        items = [_golden_item(row) for row in _golden(request, who)]
    else:
        # Version 2 encodes it twice.
        dataset = kept.find(who.project_id, _DATASET, name) or kept.get(who.project_id, _DATASET, unquote(name))
        items = [_item(each) for each in kept.list_within(who.project_id, _ITEM, dataset.id, 100_000)]
    for field in ("sourceTraceId", "sourceObservationId"):
        if (wanted := asked.text(field)) is not None:
            items = [item for item in items if item[field] == wanted]
    return numbered(items[asked.offset :][: asked.limit], asked, len(items))


@router.get("/dataset-items/{item_id:path}")
def get_item(item_id: str, request: Request, who: CanRead) -> Response:
    """One item."""
    found = wheel(request).shelves.find(who.project_id, _ITEM, item_id)
    if found is not None:
        return answer(_item(found))
    row = next((row for row in _golden(request, who) if row.id == item_id), None)
    if row is None:
        raise NotHere(f"There is no dataset item {item_id!r} in this project.")
    return answer(_golden_item(row))


@router.delete("/dataset-items/{item_id:path}")
def delete_item(item_id: str, request: Request, who: CanIngest) -> Response:
    """Take an item out of its dataset."""
    wheel(request).shelves.remove(who.project_id, _ITEM, item_id)
    return answer({"message": "Dataset item deleted."})


def _item(kept: Shelved) -> dict[str, Any]:
    unsaid = dict.fromkeys(("input", "expectedOutput", "metadata", "sourceTraceId", "sourceObservationId"))
    named = {"id": kept.id, "datasetName": kept.within, "mediaReferences": []}
    return unsaid | kept.body | named | _times(kept)


# --- the golden set


def _golden(request: Request, who: Caller) -> list[GoldenRow]:
    """Every golden row, oldest first."""
    rows: list[GoldenRow] = []
    cursor: str | None = None
    while True:
        page = wheel(request).close.list_golden(who.project_id, MOST, cursor)
        rows += page.items
        cursor = page.next
        if cursor is None:
            return rows


def _golden_dataset(request: Request, who: Caller) -> dict[str, Any]:
    page = wheel(request).close.list_golden(who.project_id, 1)
    since: datetime = page.items[0].created_at if page.items else wheel(request).now()
    return {
        "id": GOLDEN,
        "name": GOLDEN,
        "description": "Settled failures as tests of the application.",
        "metadata": {},
        "inputSchema": None,
        "expectedOutputSchema": None,
        "projectId": str(who.project_id),
        "createdAt": moment(since),
        "updatedAt": moment(since),
    }


def _golden_item(row: GoldenRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": "ACTIVE",
        "input": row.input,
        "expectedOutput": row.expected,
        "metadata": {
            "failed_output": row.failed_output,
            "critique": row.critique,
            "categories": row.categories,
            "check": msgspec.to_builtins(row.check),
            "status": row.status.value,
        },
        "sourceTraceId": row.provenance.trace_id,
        "sourceObservationId": None,
        "datasetId": GOLDEN,
        "datasetName": GOLDEN,
        "mediaReferences": [],
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.created_at),
    }


# --- runs


@router.post("/dataset-run-items")
def add_run_item(request: Request, who: CanIngest, body: Sent) -> Response:
    """Say that an item was run, and which trace that made; the run is made by its first item."""
    item_id, trace_id = required(body, "datasetItemId"), optional(body, "traceId")
    if trace_id is None:
        raise Invalid("Say which trace the run of the item made.", field="traceId")
    kept = wheel(request).shelves
    item = kept.find(who.project_id, _ITEM, item_id)
    if item is None and not any(row.id == item_id for row in _golden(request, who)):
        raise NotHere(f"There is no dataset item {item_id!r} in this project.")
    dataset = GOLDEN if item is None else item.within
    named = {"name": required(body, "runName"), "datasetName": dataset}
    named["datasetId"] = GOLDEN if item is None else item.body["datasetId"]
    said = named | given(body, "metadata")
    if (description := optional(body, "runDescription")) is not None:
        said["description"] = description
    run = kept.put(who.project_id, _RUN, said, id=_run_id(dataset, said["name"]), within=dataset)
    ran = {"datasetItemId": item_id, "traceId": trace_id} | given(body, "observationId")
    return answer(_run_item(run, kept.put(who.project_id, _RUN_ITEM, ran, id=f"{run.id}:{item_id}", within=run.id)))


@router.get("/datasets/{name:path}/runs")
def list_runs(name: str, request: Request, asked: Asked, who: CanRead) -> Response:
    """A page of the runs of a dataset."""
    kept = wheel(request).shelves
    found = kept.list_within(who.project_id, _RUN, name, asked.limit, asked.offset)
    return numbered([_run(each) for each in found], asked, kept.count(who.project_id, _RUN, name))


@router.get("/datasets/{name:path}/runs/{run_name:path}")
def get_run(name: str, run_name: str, request: Request, who: CanRead) -> Response:
    """One run with its items."""
    kept = wheel(request).shelves
    run = kept.get(who.project_id, _RUN, _run_id(name, run_name))
    items = [_run_item(run, each) for each in kept.list_within(who.project_id, _RUN_ITEM, run.id, 100_000)]
    return answer(_run(run) | {"datasetRunItems": items})


def _run_id(dataset: str, name: str) -> str:
    """The same for every item of a run, whoever reports it first."""
    return f"run-{native.content_hash([dataset, name]):016x}"


def _run(kept: Shelved) -> dict[str, Any]:
    return {"description": None, "metadata": None} | kept.body | {"id": kept.id} | _times(kept)


def _run_item(run: Shelved, kept: Shelved) -> dict[str, Any]:
    named = {"id": kept.id, "datasetRunId": run.id, "datasetRunName": run.body["name"]}
    return {"observationId": None} | kept.body | named | _times(kept)
