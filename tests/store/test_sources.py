"""Where traces came from and how far a source was read, on each engine and each project apart."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import NOW
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.sources import Cursor, Remote

HOUR = timedelta(hours=1)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_cursor_is_of_one_project_origin_and_stream(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        assert tx.origins.find_cursor("there", "traces") is None
        tx.origins.put_cursor("there", "traces", Cursor(NOW - HOUR, NOW))
        tx.origins.put_cursor("there", "traces", Cursor(NOW - 2 * HOUR, NOW + HOUR))
        tx.origins.put_cursor("there", "scores", Cursor(NOW, NOW))
    with ledger.read(1) as tx:
        assert tx.origins.find_cursor("there", "traces") == Cursor(NOW - 2 * HOUR, NOW + HOUR)
        assert tx.origins.find_cursor("elsewhere", "traces") is None
    with ledger.read(2) as tx:
        assert tx.origins.find_cursor("there", "traces") is None


def test_a_trace_is_known_by_any_spelling_of_its_id(ledger: Ledger) -> None:
    dashed = "0AF76519-16cd-43dd-8448-eb211c80319c"
    with ledger.begin(1) as tx:
        tx.origins.add_traces("there", {TRACE: f"tr-{TRACE}", "order-7": "order-7"})
        tx.origins.add_traces("there", {dashed: "another"})
    with ledger.begin(1) as tx:
        assert tx.origins.find_remotes("there", [dashed, "x"]) == {dashed: Remote(f"tr-{TRACE}", None)}
        assert tx.origins.find_remotes("elsewhere", [TRACE]) == {}
        assert tx.origins.find_remotes("there", []) == {}
        tx.origins.mark_pushed("there", {dashed: "label-1"})
    with ledger.begin(1) as tx:
        assert tx.origins.list_pushed("there") == {TRACE: Remote(f"tr-{TRACE}", "label-1")}
        tx.origins.mark_pushed("there", {TRACE: None})
    with ledger.read(1) as tx:
        assert tx.origins.list_pushed("there") == {}
    with ledger.read(2) as tx:
        assert tx.origins.find_remotes("there", [TRACE]) == {}
