"""Giving traces that came without a category the one the project's rules say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thumbwheel.capture.category import categorise, read_category_rules
from thumbwheel.keep.session import Session
from thumbwheel.store.traces import NewTrace


def with_category(session: Session, items: Sequence[NewTrace]) -> list[NewTrace]:
    """The same traces, each with a category if it had one or a rule gives one."""
    if all(item.trace.category for item in items):
        return list(items)
    stored = session.tx.people.project_settings(session.tx.project_id).get("categories")
    if not stored:
        return list(items)
    rules = read_category_rules(stored)
    return [replace(item, trace=replace(item.trace, category=categorise(item.trace, rules))) for item in items]
