"""What tests of sources share: a trace before a human, settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tests.factories import a_draw, a_label, an_entry
from tests.road import settle
from thumbwheel.domain.annotation import Verdict
from thumbwheel.store.ledger import Ledger


def label(
    ledger: Ledger, project_id: int, trace_id: str, number: int, at: datetime, verdict: Verdict = Verdict.failed
) -> None:
    """Put a trace before a human, who settles it: label number `number`."""
    with ledger.begin(project_id) as tx:
        row = tx.traces.find(trace_id)
        assert row is not None
        entry = an_entry(id=f"entry-{number}", trace_id=row.trace_id, draw_id=f"draw-{number}", added_at=at)
        tx.queue.add_draw(a_draw(id=f"draw-{number}", at=at), [(row.ref, entry)])
        categories = ("hallucination",) if verdict is Verdict.failed else ()
        given = a_label(verdict=verdict, id=f"label-{number}", entry_id=entry.id, trace_id=row.trace_id)
        settled_at = at + number * timedelta(minutes=1)
        settle(tx, replace(given, settled_at=settled_at, categories=categories, critique="It is 30 days."))
