"""Alerts as Prometheus Alertmanager's webhook sends them (version 4); Grafana's webhook sends the same.

Each of `alerts` is one alert. Its labels that are trace fields (category, model, prompt_version, release, user_id) are
its slice; annotations `thumbwheel_filter`, `thumbwheel_pull` and `thumbwheel_lasts` say more. `fingerprint` and
`startsAt` name it, so that a repeated notification is the same alert, and one that is resolved closes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from thumbwheel.connectors.span import parse_span
from thumbwheel.domain.alert import LASTS, PULL, AlertRequest
from thumbwheel.errors import Invalid

#: Trace fields that may be a slice.
FIELDS = ("category", "model", "prompt_version", "release", "user_id")


def is_alertmanager(body: Mapping[str, Any]) -> bool:
    """Whether a body is an Alertmanager notification."""
    return isinstance(body.get("alerts"), list)


def read_alertmanager(body: Mapping[str, Any], filter_: str | None) -> list[AlertRequest]:
    """The alerts of a notification.

    Raises Invalid, naming the alert, where one names no slice.
    """
    found = []
    for number, alert in enumerate(body.get("alerts") or []):
        labels, notes = _texts(alert, "labels", number), _texts(alert, "annotations", number)
        slice_ = {name: labels[name] for name in FIELDS if name in labels}
        chosen = notes.get("thumbwheel_filter", filter_)
        if not slice_ and chosen is None:
            named = ", ".join(FIELDS)
            raise Invalid(
                f"This alert names no slice: give it a label ({named}) or the annotation thumbwheel_filter.",
                field=f"alerts.{number}.labels",
            )
        found.append(
            AlertRequest(
                name=(notes.get("summary") or labels.get("alertname") or "alert")[:200],
                slice=slice_,
                filter=chosen,
                pull=read_pull(notes.get("thumbwheel_pull"), f"alerts.{number}.annotations.thumbwheel_pull"),
                lasts=read_lasts(notes.get("thumbwheel_lasts"), f"alerts.{number}.annotations.thumbwheel_lasts"),
                key=_key(alert, labels),
                resolved=alert.get("status", body.get("status")) == "resolved",
            )
        )
    return found


def _texts(alert: Any, name: str, number: int) -> dict[str, str]:
    given = alert.get(name, {}) if isinstance(alert, Mapping) else None
    if not isinstance(given, Mapping):
        raise Invalid("An alert has labels and annotations.", field=f"alerts.{number}.{name}")
    return {str(key): str(value) for key, value in given.items()}


def _key(alert: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    named = alert.get("fingerprint") or sorted(labels.items())
    return "am-" + hashlib.blake2b(f"{named}|{alert.get('startsAt')}".encode(), digest_size=12).hexdigest()


def read_pull(value: object, field: str) -> int:
    """How many traces to pull a draw; Invalid, naming the field, for what is no whole number."""
    if value is None:
        return PULL
    try:
        return int(str(value))
    except ValueError as fault:
        raise Invalid("How many traces to pull is a whole number.", field=field) from fault


def read_lasts(value: str | None, field: str) -> timedelta:
    """How long an alert stays open; Invalid, naming the field, for what is no span."""
    if value is None:
        return LASTS
    try:
        span = parse_span(value)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field=field) from fault
    assert isinstance(span, timedelta)
    return span
