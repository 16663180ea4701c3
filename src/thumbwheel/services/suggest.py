"""Suggest: the embedded judge looks at what has arrived, so that uncertainty can be sampled from the first draw on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from thumbwheel.capture.prior import SignalFact, failure_log_odds
from thumbwheel.domain.annotation import Suggestion
from thumbwheel.domain.trace import Trace
from thumbwheel.drawing.model import priors
from thumbwheel.ports import Case, Example, FitJudge, Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import day_of

#: Labels older than this no longer teach the embedded judge.
_LEARN_FROM = timedelta(days=28)
#: Unlabelled traces it learns the background from.
_BACKGROUND = 2_000


@dataclass(frozen=True, slots=True)
class Suggest:
    """Suggestions of the embedded judge."""

    ledger: Ledger
    now: Now
    #: Makes the embedded judge from labels and priors.
    fit_judge: FitJudge

    def run(self, project_id: int, limit: int = 5_000) -> int:
        """Let the embedded judge look at the traces that came after the last one it saw; how many those were.

        It learns from every label there is and, for want of labels, from what users' signals are known to mean.
        """
        with self.ledger.read(project_id) as tx:
            unseen, last = tx.traces.list_unjudged(limit)
            if not unseen:
                return 0
            labelled = tx.annotations.list_labelled(self.now() - _LEARN_FROM)
            learnt = tx.traces.find_many([label.trace_id for label in labelled])
            recent = tx.traces.list_newest(_BACKGROUND)
            whole = tx.traces.list_whole([row.ref for row in learnt.values()])
            cases = _cases(tx, [*unseen, *recent, *whole.items()])
            published = tx.codebooks.find_current()
        examples = [
            Example(case=cases[label.trace_id], failed=label.failed, weight=1 / label.inclusion_probability)
            for label in labelled
            if label.trace_id in cases
        ]
        named = {example.case.trace_id for example in examples}
        examples += [Example(case=cases[trace.id]) for _, trace in recent if trace.id not in named]
        judge = self.fit_judge(examples, published.version if published else None)
        chances = judge.score([cases[trace.id] for _, trace in unseen])
        self._keep(project_id, judge.name, unseen, chances, last)
        return len(unseen)

    def _keep(
        self, project_id: int, judge: str, seen: Sequence[tuple[int, Trace]], chances: Sequence[float], last: int
    ) -> None:
        # The archive's lock: no draw may close its frame while cells move.
        with self.ledger.archive(project_id) as tx:
            now = self.now()
            rows = tx.traces.find_many([trace.id for _, trace in seen])
            found = [
                (rows[trace.id], chance) for (_, trace), chance in zip(seen, chances, strict=True) if trace.id in rows
            ]
            tx.evidence.add_suggestions(
                [
                    (row.ref, Suggestion(trace_id=row.trace_id, judge=judge, failure_probability=chance, at=now))
                    for row, chance in found
                ]
            )
            tx.evidence.put_suggested(found, now)
            tx.traces.mark_judged(last)


def _cases(tx: Tx, traces: Sequence[tuple[int, Trace]]) -> dict[str, Case]:
    whole = {trace.id: trace for _, trace in traces}
    stored = tx.signals.list_for({trace_id: day_of(trace.started_at) for trace_id, trace in whole.items()})
    table = priors(tx)
    return {
        trace_id: Case.of(
            trace,
            prior_log_odds=failure_log_odds([SignalFact.of(each.signal) for each in stored[trace_id]], table=table),
        )
        for trace_id, trace in whole.items()
    }
