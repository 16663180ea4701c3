"""What a draw is sized by: the project's priors, its mix, and the risk model made from its labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from thumbwheel.capture.prior import BASE_RATE, PriorTable, prior_table, sign_log_odds
from thumbwheel.domain.queue import Draw
from thumbwheel.sample.mix import DEFAULT_MIX
from thumbwheel.sample.risk import LabelledCell, RiskModel, from_priors, refit
from thumbwheel.store.ledger import Tx

#: Labels older than this no longer teach the risk model.
LEARN_FROM = timedelta(days=28)


def risk_model(tx: Tx, at: datetime, before: Sequence[Draw]) -> RiskModel:
    """The risk model of a frame: made when it is first drawn from, from labels of other frames, then left alone."""
    if before and before[0].risk_model:
        return RiskModel.of_json(before[0].risk_model)
    table = priors(tx)
    labels = [] if before else tx.annotations.list_labelled_cells(at - LEARN_FROM)
    return refit(
        [LabelledCell(*label) for label in labels], from_priors(BASE_RATE, sign_log_odds(table), table.version)
    )


def priors(tx: Tx) -> PriorTable:
    """The priors in force: the last ones somebody put in force, else those a project starts with."""
    stored = tx.people.project_settings(tx.project_id).get("priors", [])
    return prior_table(stored[-1] if stored else None)


def mixes_so_far(tx: Tx) -> list[dict[str, Any]]:
    """Every mix somebody put in force, oldest first, each with `at`, `by` and the evidence it was proposed on."""
    stored: list[dict[str, Any]] = tx.people.project_settings(tx.project_id).get("mixes", [])
    return stored


def mix_in_force(tx: Tx) -> dict[str, float]:
    """The mix somebody applied last, else the default one."""
    stored = mixes_so_far(tx)
    return dict(stored[-1]["mix"]) if stored else {policy.value: share for policy, share in DEFAULT_MIX.items()}
