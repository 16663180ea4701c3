"""The spans of traces: kept in their trace's payload, and found by their own ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from thumbwheel.domain.identity import id_key, is_usable
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.store.archive_tables import payloads, span_ids, trace_days, traces
from thumbwheel.store.engine import insert_rows
from thumbwheel.store.payloads import unpack_spans

_COLUMNS = "project_id day key trace_ref".split()
#: Made once: making it takes longer than running it.
_BODIES = (
    select(payloads.c.id, payloads.c.body)
    .join(traces, traces.c.id == payloads.c.id)
    .where(payloads.c.id.in_(bindparam("refs", expanding=True)))
    # Adding nothing keeps SQLite from reading the whole project by an index that begins with it.
    .where(traces.c.project_id + 0 == bindparam("project_id"))
)


def response_key(response_id: str) -> str:
    """How a span is found by the provider's id of its answer."""
    return f"response:{response_id}"


def keys_of(spans: Iterable[Span]) -> set[str]:
    """Everything these spans are found by."""
    found = set()
    for span in spans:
        if span.id != WHOLE:
            found.add(id_key(span.id))
        if span.response_id:
            found.add(response_key(span.response_id))
    return found


class Spans:
    """The spans of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add_keys(self, keys: Iterable[tuple[int, int, Collection[str]]]) -> None:
        """Make spans known to be new findable: for each trace its day, its number and the spans' keys."""
        insert_rows(
            self._connection,
            span_ids,
            _COLUMNS,
            [(self._project_id, day, key, ref) for day, ref, found in keys for key in sorted(found)],
        )

    def remove_keys(self, day: int, ref: int, keys: Collection[str]) -> None:
        """Make the spans of a trace unfindable."""
        self._connection.execute(
            delete(span_ids)
            .where(span_ids.c.project_id == self._project_id)
            .where(span_ids.c.day == day)
            .where(span_ids.c.key.in_(sorted(keys)))
            .where(span_ids.c.trace_ref == ref)
        )

    def find_traces(self, keys: Collection[str]) -> dict[str, int]:
        """Numbers of the traces these keys lead to; newest days are searched first."""
        found: dict[str, int] = {}
        missing = {key for key in keys if is_usable(key)}
        days = list(
            self._connection.execute(
                select(trace_days.c.day)
                .where(trace_days.c.project_id == self._project_id)
                .order_by(trace_days.c.day.desc())
            ).scalars()
        )
        step = 2
        while missing and days:
            rows = self._connection.execute(
                select(span_ids.c.key, span_ids.c.trace_ref)
                .where(span_ids.c.project_id == self._project_id)
                .where(span_ids.c.day.in_(days[:step]))
                .where(span_ids.c.key.in_(sorted(missing)))
                .order_by(span_ids.c.trace_ref.desc())
            )
            found |= {row.key: row.trace_ref for row in rows}
            missing -= found.keys()
            days, step = days[step:], step * 4
        return found

    def list_for(self, refs: Sequence[int]) -> dict[int, list[Span]]:
        """Spans by the number of their trace; none for a trace that came in one piece."""
        if not refs:
            return {}
        rows = self._connection.execute(_BODIES, {"project_id": self._project_id, "refs": list(refs)})
        return {row.id: unpack_spans(row.body) for row in rows}
