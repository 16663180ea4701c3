"""What the embedded judge is worth on recorded verdicts, and what it costs: the tables of docs/judge.md.

For each number of labels: draw that many texts of the demo's recorded part
uniformly or by what their signals say, let a simulated week give signals to all of them, fit, and score the
texts without a label. Repeated over seeds.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from thumbwheel.capture import edit
from thumbwheel.capture.prior import BASE_RATE, SignalFact, failure_log_odds
from thumbwheel.connectors.embedded_judge import EmbeddedJudge
from thumbwheel.demo.corpus import recorded_verdicts
from thumbwheel.demo.week import week
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.ports import Case, Example

NOW = datetime(2025, 7, 3, 9, 0, tzinfo=UTC)
SILENT = math.log(BASE_RATE / (1 - BASE_RATE))


def cases_of(seed: int) -> list[Case]:
    traces, signals = week(NOW, seed)
    answers: dict[str, Any] = {str(trace["id"]): trace["output"] for trace in traces}
    facts = defaultdict(list)
    for signal in signals:
        facts[signal["trace_id"]].append(_fact(signal, answers))
    return [
        Case(
            trace_id=str(trace["id"]),
            input=str(trace["input"]),
            output=str(trace["output"]),
            category=str(trace["category"]),
            prior_log_odds=failure_log_odds(facts[trace["id"]]),
        )
        for trace in sorted(traces, key=lambda trace: str(trace["id"]))
        if trace["name"] == "chat"
    ]


def _fact(signal: dict[str, Any], answers: dict[str, Any]) -> SignalFact:
    changed = edit.hunks(answers[signal["trace_id"]], signal["edited"]) if "edited" in signal else None
    return SignalFact(
        kind=SignalKind(signal["kind"]),
        at=datetime.fromisoformat(signal["at"]),
        rating=Rating(signal["value"]) if "value" in signal else None,
        reason=signal.get("reason"),
        edit_kind=changed.kind if changed else None,
        user_id=signal["user_id"],
    )


def chances(cases: Sequence[Case], n_labels: int, skewed: bool) -> np.ndarray:
    """Each text's chance of a label: all alike, or up to ten times higher where signals complain."""
    sizes = np.array([0.05 + 1 / (1 + math.exp(-case.prior_log_odds)) if skewed else 1.0 for case in cases])
    chance = n_labels * sizes / sizes.sum()
    for _ in range(20):
        free = chance < 1
        chance[free] *= (n_labels - (~free).sum()) / max(chance[free].sum(), 1e-9)
        chance = np.minimum(chance, 1)
    return np.asarray(chance)


def worth(
    n_labels: int, seed: int, *, skewed: bool = False, weighted: bool = True, signals: bool = True
) -> list[float]:
    """On the unlabelled texts: see the head of the table."""
    cases, verdicts, rng = cases_of(seed), recorded_verdicts(), Random(seed)
    if not signals:
        cases = [replace(case, prior_log_odds=SILENT) for case in cases]
    failed = np.array([verdicts[case.trace_id].failed for case in cases])
    chance = chances(cases, n_labels, skewed)
    chosen = {i for i, case in enumerate(cases) if rng.random() < chance[i]}
    examples = [
        Example(case=case, failed=bool(failed[i]), weight=1 / chance[i] if weighted else 1.0)
        if i in chosen
        else Example(case=case)
        for i, case in enumerate(cases)
    ]
    judge = EmbeddedJudge.fit(examples, 1)
    rest = [i for i in range(len(cases)) if i not in chosen]
    truth, answer = failed[rest], np.array(judge.score([cases[i] for i in rest]))
    prior = np.array([cases[i].prior_log_odds for i in rest])
    silent = np.isclose(prior, SILENT)
    top = np.argsort(-answer)[: len(rest) // 10]
    return [
        float(roc_auc_score(truth, prior)),
        float(roc_auc_score(truth, answer)),
        float(roc_auc_score(truth[silent], answer[silent])),
        float(truth[top].mean()),
        float(answer.mean()),
        float(truth.mean()),
        float(np.mean((answer - truth) ** 2)),
    ]


def cost(n: int) -> tuple[float, float]:
    """CPU seconds of one fit on `n` texts (a quarter labelled), and texts scored a CPU second."""
    once, verdicts = cases_of(0), recorded_verdicts()
    examples = [
        Example(
            case=replace(case, trace_id=f"{round_}-{case.trace_id}"),
            failed=verdicts[case.trace_id].failed if (round_ + i) % 4 == 0 else None,
        )
        for round_ in range(-(-n // len(once)))
        for i, case in enumerate(once)
    ][:n]
    start = time.process_time()
    judge = EmbeddedJudge.fit(examples, 1)
    fitted = time.process_time()
    judge.score([example.case for example in examples])
    return fitted - start, n / (time.process_time() - fitted)


def row(name: str, seeds: int, n_labels: int, **how: bool) -> None:
    rows = np.array([worth(n_labels, seed, **how) for seed in range(seeds)])
    shown = [f"{mean:.3f} ± {sd:.3f}" for mean, sd in zip(rows.mean(axis=0), rows.std(axis=0), strict=True)]
    print(name, *shown, sep=" | ", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args(arguments).seeds
    print("labels | AUC prior | AUC judge | AUC judge, silent | failed in top tenth | mean answer | failed | Brier")
    for n_labels in (0, 80, 160, 560, 1200):
        row(f"{n_labels}, uniform", seeds, n_labels)
    for n_labels in (80, 160, 560, 1200):
        row(f"{n_labels}, no signals", seeds, n_labels, signals=False)
    row("560, skewed, 1/pi", seeds, 560, skewed=True)
    row("560, skewed, unweighted", seeds, 560, skewed=True, weighted=False)
    for n in (2_000, 5_000):
        seconds, speed = cost(n)
        print(f"fit on {n} texts: {seconds:.2f} s CPU; scoring: {speed:.0f} texts a second of CPU")


if __name__ == "__main__":
    main()
