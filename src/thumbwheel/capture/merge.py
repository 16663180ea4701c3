"""Several reports of one span made one, whatever their order.

Reports come in pieces: children before parents, updates before what they update, twice, a day late. So merging is a
join: it gives the same whatever the order, the grouping and the repetition of its pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from thumbwheel.domain.span import NO_FACTS, Span, SpanEvent, TraceFacts

#: Merged key by key.
_KEYED: Final = ("usage", "metadata", "extra")
_APART: Final = frozenset({"trace_id", "id", "stamp", "stamps", "events", "facts", *_KEYED})
#: Of two reports the later one's value stands.
_LATEST: Final = tuple(each.name for each in fields(Span) if each.name not in _APART)
_LATEST_FACTS: Final = tuple(each.name for each in fields(TraceFacts) if each.name not in {"tags", "metadata"})


def merge(one: Span, other: Span) -> Span:
    """What both reports of one span say together.

    Field by field the report with the larger stamp stands; of two with the same stamp, the value whose JSON sorts
    last, so that order of arrival decides nothing. What a report does not say never overwrites. Metadata merges by
    key; tags and events are unions.
    """
    if one == other:
        return one
    stamp = max(one.stamp, other.stamp)
    said: dict[str, tuple[int, Any]] = {}
    for span in (one, other):
        for path, value in _said(span):
            at = span.stamps.get(path, span.stamp)
            held = said.get(path)
            if held is None or _later(at, value, *held):
                said[path] = (at, value)
    return _built(one, other, stamp, said)


def _said(span: Span) -> Iterator[tuple[str, Any]]:
    """Every field the report fills, by its path."""
    for name in _LATEST:
        value = getattr(span, name)
        if value is not None and value != ():
            yield name, value
    for name in _KEYED:
        yield from _said_under(name, getattr(span, name))
    if span.facts != NO_FACTS:
        for name in _LATEST_FACTS:
            value = getattr(span.facts, name)
            if value is not None and value != ():
                yield f"facts.{name}", value
        yield from _said_under("facts.metadata", span.facts.metadata)


def _said_under(name: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name}.{key}", value) for key, value in values.items() if value is not None)


def _later(at: int, value: Any, held_at: int, held: Any) -> bool:
    if at != held_at:
        return at > held_at
    return bool(value != held) and canonical(value) > canonical(held)


def canonical(value: Any) -> str:
    """JSON in which equal values are equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return str(value)


def _built(one: Span, other: Span, stamp: int, said: Mapping[str, tuple[int, Any]]) -> Span:
    plain: dict[str, Any] = {}
    facts: dict[str, Any] = {"metadata": {}}
    keyed: dict[str, Any] = {name: {} for name in _KEYED}
    for path in sorted(said):
        value = said[path][1]
        head, _, rest = path.partition(".")
        if not rest:
            plain[head] = value
        elif head != "facts":
            keyed[head][rest] = value
        elif rest.startswith("metadata."):
            facts["metadata"][rest.removeprefix("metadata.")] = value
        else:
            facts[rest] = value
    facts["tags"] = _tags(one.facts.tags, other.facts.tags)
    return Span(
        trace_id=min(one.trace_id, other.trace_id),
        id=min(one.id, other.id),
        stamp=stamp,
        stamps={path: at for path, (at, _) in sorted(said.items()) if at != stamp},
        events=_events(one.events, other.events),
        facts=TraceFacts(**facts),
        **keyed,
        **plain,
    )


def _tags(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if not one or not other or one == other:
        return one or other
    return tuple(sorted({*one, *other}))


def _events(one: tuple[SpanEvent, ...], other: tuple[SpanEvent, ...]) -> tuple[SpanEvent, ...]:
    if not one or not other or one == other:
        return one or other
    return tuple(event for _, event in sorted({canonical(each): each for each in (*one, *other)}.items()))
