"""Alerts as other tools send them: Prometheus Alertmanager's webhook, and Evidently's reports.

Alertmanager (webhook payload, version 4): each of `alerts` is one alert. Its labels that are trace fields (category,
model, prompt_version, release, user_id) are its slice; annotations `thumbwheel_filter`, `thumbwheel_pull` and
`thumbwheel_lasts` say more. `fingerprint` and `startsAt` name it, so that a repeated notification is the same alert,
and one that is resolved closes it.

Evidently (a report or test suite as JSON): raises one alert when a test failed or drift was detected, and none when
all is well. Evidently speaks of whole datasets, so the slice comes from the report's `metadata` (keys as above,
`filter`, `pull`) or from the address it is sent to (`?filter=…`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from thumbwheel.connectors.span import parse_span
from thumbwheel.domain.alert import LASTS, PULL, AlertRequest
from thumbwheel.errors import Invalid

_FIELDS = ("category", "model", "prompt_version", "release", "user_id")


def is_alertmanager(body: Mapping[str, Any]) -> bool:
    """Whether a body is an Alertmanager notification."""
    return isinstance(body.get("alerts"), list)


def is_evidently(body: Mapping[str, Any]) -> bool:
    """Whether a body is an Evidently report or test suite."""
    return isinstance(body.get("metrics"), list) or isinstance(body.get("tests"), list)


def read_alertmanager(body: Mapping[str, Any], filter_: str | None) -> list[AlertRequest]:
    """The alerts of a notification.

    Raises Invalid, naming the alert, where one names no slice.
    """
    found = []
    for number, alert in enumerate(body.get("alerts") or []):
        labels, notes = _texts(alert, "labels", number), _texts(alert, "annotations", number)
        slice_ = {name: labels[name] for name in _FIELDS if name in labels}
        chosen = notes.get("thumbwheel_filter", filter_)
        if not slice_ and chosen is None:
            named = ", ".join(_FIELDS)
            raise Invalid(
                f"This alert names no slice: give it a label ({named}) or the annotation thumbwheel_filter.",
                field=f"alerts.{number}.labels",
            )
        found.append(
            AlertRequest(
                name=(notes.get("summary") or labels.get("alertname") or "alert")[:200],
                slice=slice_,
                filter=chosen,
                pull=_whole(notes.get("thumbwheel_pull"), f"alerts.{number}.annotations.thumbwheel_pull"),
                lasts=_lasts(notes.get("thumbwheel_lasts"), f"alerts.{number}.annotations.thumbwheel_lasts"),
                key=_key(alert, labels),
                resolved=alert.get("status", body.get("status")) == "resolved",
            )
        )
    return found


def read_evidently(body: Mapping[str, Any], filter_: str | None) -> list[AlertRequest]:
    """The alert of a report: one if something drifted or failed, else none.

    Raises Invalid when something did and no slice is named.
    """
    said = list(_evidently_findings(body))
    if not said:
        return []
    metadata = body.get("metadata") if isinstance(body.get("metadata"), Mapping) else {}
    assert isinstance(metadata, Mapping)
    slice_ = {name: str(metadata[name]) for name in _FIELDS if name in metadata}
    chosen = str(metadata["filter"]) if "filter" in metadata else filter_
    if not slice_ and chosen is None:
        raise Invalid(
            "This report names no slice: put category or filter into its metadata, or send it to ?filter=….",
            field="metadata",
        )
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    return [
        AlertRequest(
            name=f"Evidently: {said[0]}{more}"[:200],
            slice=slice_,
            filter=chosen,
            pull=_whole(metadata.get("pull"), "metadata.pull"),
        )
    ]


def _evidently_findings(body: Mapping[str, Any]) -> Iterator[str]:
    """What failed or drifted, in words."""
    for test in body.get("tests") or []:
        if isinstance(test, Mapping) and str(test.get("status", "")).upper() in {"FAIL", "ERROR"}:
            yield str(test.get("description") or test.get("name") or "a test failed")
    for metric in body.get("metrics") or []:
        result = metric.get("result") if isinstance(metric, Mapping) else None
        if not isinstance(result, Mapping):
            continue
        if result.get("dataset_drift") is True or result.get("drift_detected") is True:
            column = result.get("column_name")
            yield f"drift of {column}" if column else "dataset drift"


def _texts(alert: Any, name: str, number: int) -> dict[str, str]:
    given = alert.get(name, {}) if isinstance(alert, Mapping) else None
    if not isinstance(given, Mapping):
        raise Invalid("An alert has labels and annotations.", field=f"alerts.{number}.{name}")
    return {str(key): str(value) for key, value in given.items()}


def _key(alert: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    named = alert.get("fingerprint") or sorted(labels.items())
    return "am-" + hashlib.blake2b(f"{named}|{alert.get('startsAt')}".encode(), digest_size=12).hexdigest()


def _whole(value: object, field: str) -> int:
    if value is None:
        return PULL
    try:
        return int(str(value))
    except ValueError as fault:
        raise Invalid("How many traces to pull is a whole number.", field=field) from fault


def _lasts(value: str | None, field: str) -> timedelta:
    if value is None:
        return LASTS
    try:
        span = parse_span(value)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field=field) from fault
    assert isinstance(span, timedelta)
    return span
