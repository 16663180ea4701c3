"""A draw as everybody is told of it. Without a web framework, since the command line tells it too."""

from __future__ import annotations

from typing import Any

import msgspec

from thumbwheel.services.sample import Drawing


def drawing_out(made: Drawing) -> dict[str, Any]:
    """A draw and its entries, as everybody is told."""
    told = without_thresholds(msgspec.to_builtins(made.draw))
    told["entries"] = [
        {
            "id": entry.id,
            "trace_id": entry.trace_id,
            "policy": entry.policy,
            "picked_by": entry.picked_by,
            "rank": entry.rank,
            "serve_rank": entry.serve_rank,
            "reason": entry.reason,
            "inclusion_probability": entry.inclusion_probability,
            "core": entry.core,
            "purpose": entry.purpose,
            "category": entry.category,
        }
        for entry in made.entries
    ]
    return told


def without_thresholds(told: dict[str, Any]) -> dict[str, Any]:
    """A draw's record but for what only the sampler makes anything of."""
    return {name: value for name, value in told.items() if name not in {"thresholds", "cells", "lists"}}
