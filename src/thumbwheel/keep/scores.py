"""Keeping scores as given, linked to what they are about, and what they mean made of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from thumbwheel.capture.privacy import ConsentMode, may_keep
from thumbwheel.capture.score import Meaning, ScoreRule, consent_of, judge_of, meaning, merge_score, own_ids, read_rules
from thumbwheel.domain.identity import id_key, is_usable
from thumbwheel.domain.score import Score, ScoreType
from thumbwheel.domain.signal import DEFAULT_REASONS, SignalKind
from thumbwheel.domain.trace import Json
from thumbwheel.errors import Invalid
from thumbwheel.keep.session import Outcome, Session
from thumbwheel.keep.signals import outputs_of, put_beside, resize
from thumbwheel.store.ledger import Tx
from thumbwheel.store.scores import ScoreFilter, StoredScore
from thumbwheel.store.signals import NewSignal
from thumbwheel.store.spans import response_key
from thumbwheel.store.traces import TraceRow


@dataclass(frozen=True, slots=True)
class Meanings:
    """How one project reads scores."""

    rules: dict[str, ScoreRule]
    reasons: Sequence[str]
    #: What users are asked where nobody said how a score came.
    mode: ConsentMode = ConsentMode.none_needed

    @classmethod
    def of(cls, tx: Tx) -> Meanings:
        """By the project's settings."""
        settings = tx.people.project_settings(tx.project_id)
        asked = settings.get("consent", {})
        mode = ConsentMode(asked.get("server", asked.get("*", ConsentMode.none_needed)))
        return cls(read_rules(settings), tuple(settings.get("reasons", DEFAULT_REASONS)), mode)

    def of_score(self, score: Score, row: TraceRow, output: Json) -> Meaning:
        """What a score says about a trace with this output."""
        found = meaning(score, trace_id=row.trace_id, output=output, rules=self.rules, reasons=self.reasons)
        # One without a channel came as nobody's word, and so was never asked for.
        unasked = bool(found.signals) and score.channel is None
        return replace(found, signals=()) if unasked and not may_keep(consent_of(score.metadata), self.mode) else found


def keep_scores(session: Session, arrived: Sequence[Score]) -> list[Outcome]:
    """Keep scores: True for one that is new or changes what was known, False for one that says nothing new."""
    if not arrived:
        return []
    known = session.tx.scores.find_many([score.id for score in arrived])
    standing = {key: stored.score for key, stored in known.items()}
    changed: dict[str, Score] = {}
    outcomes: list[Outcome] = []
    for score in arrived:
        if not _has_usable_ids(score):
            outcomes.append(Invalid("An id has 1 to 512 characters and no NUL.", field="id"))
            continue
        key = id_key(score.id)
        merged = merge_score(standing[key], score) if key in standing else score
        is_new = standing.get(key) != merged
        outcomes.append(is_new)
        if is_new:
            standing[key] = changed[key] = merged
    _link(session, changed, known)
    return outcomes


def _has_usable_ids(score: Score) -> bool:
    targets = (score.trace_id, score.span_id, score.response_id, score.session_id)
    return is_usable(score.id) and all(is_usable(each) for each in targets if each is not None)


def join_scores(session: Session, keys: Collection[str]) -> None:
    """Link what waited for these traces, spans and responses, now that they are here."""
    waiting = session.tx.scores.list_waiting(keys)
    if waiting:
        _link(session, {id_key(each.score.id): each.score for each in waiting}, {})


def drop_scores(session: Session, stored: Sequence[StoredScore]) -> None:
    """Forget scores, and what they became."""
    rows = session.tx.traces.list_rows([each.trace_ref for each in stored if each.trace_ref is not None])
    linked = [(rows[each.trace_ref], each.score) for each in stored if each.trace_ref in rows]
    _unmake(session, linked)
    session.tx.scores.remove([each.score.id for each in stored])
    _make(session, _others_by_the_same(session, linked))
    resize(session, list({row.ref: row for row, _ in linked}.values()))


def _others_by_the_same(session: Session, dropped: Sequence[tuple[TraceRow, Score]]) -> list[tuple[TraceRow, Score]]:
    """Scores that stay and whose suggestion went with one that was dropped: a judge has one a trace."""
    gone = {(row.ref, judge_of(score)): row for row, score in dropped}
    left = session.tx.scores.list_for({row.ref for row, _ in dropped})
    return [
        (gone[ref, judge_of(score)], score)
        for ref, scores in left.items()
        for score in scores
        if (ref, judge_of(score)) in gone
    ]


def read_again(session: Session, names: Sequence[str], limit: int, offset: int) -> int:
    """Make anew what linked scores of these names mean, by the rules as they are now; how many there were."""
    found = session.tx.scores.list_page(ScoreFilter(names=names), limit, offset)
    rows = session.tx.traces.list_rows([each.trace_ref for each in found if each.trace_ref is not None])
    linked = [(rows[each.trace_ref], each.score) for each in found if each.trace_ref in rows]
    _unmake(session, linked)
    _make(session, linked)
    resize(session, list({row.ref: row for row, _ in linked}.values()))
    return len(found)


def _link(session: Session, scores: dict[str, Score], before: dict[str, StoredScore]) -> None:
    """Store scores with what they are about, and make of them what they mean."""
    if not scores:
        return
    rows = _find(session, scores.values())
    links = {key: rows.get(_target(score) or "") for key, score in scores.items()}
    session.tx.scores.put_all(
        [
            StoredScore(
                score=score,
                trace_ref=row.ref if row else None,
                waits_for=None if row else _target(score),
                received_at=before[key].received_at if key in before else session.now,
            )
            for key, score in scores.items()
            for row in (links[key],)
        ]
    )
    earlier = session.tx.traces.list_rows([each.trace_ref for each in before.values() if each.trace_ref is not None])
    _unmake(
        session,
        [
            (earlier[each.trace_ref], each.score)
            for key, each in before.items()
            if key in scores and each.trace_ref in earlier
        ],
    )
    linked = [(row, scores[key]) for key, row in links.items() if row is not None]
    _make(session, linked)
    resize(session, list({row.ref: row for row in (*earlier.values(), *(row for row, _ in linked))}.values()))


def _target(score: Score) -> str | None:
    """The key of what a score is about: a trace, else a span or a response; None for a session."""
    if score.trace_id is not None:
        return id_key(score.trace_id)
    if score.span_id is not None:
        return id_key(score.span_id)
    return None if score.response_id is None else response_key(score.response_id)


def _find(session: Session, scores: Iterable[Score]) -> dict[str, TraceRow]:
    """Traces by the key a score names them, or something in them, by. A root's id may be its trace's."""
    named = {key: score.trace_id is not None for score in scores if (key := _target(score)) is not None}
    found = session.tx.traces.find_many(list(named))
    inside = session.tx.spans.find_traces([key for key, whole in named.items() if not whole and key not in found])
    rows = session.tx.traces.list_rows(list(inside.values()))
    return found | {key: rows[ref] for key, ref in inside.items() if ref in rows}


def _make(session: Session, linked: Sequence[tuple[TraceRow, Score]]) -> None:
    """Signals and suggestions from scores that are linked."""
    if not linked:
        return
    meanings = Meanings.of(session.tx)
    wanted = sorted({row.ref for row, score in linked if _changes_output(score)})
    whole = session.tx.traces.list_whole(wanted) if wanted else {}
    texts = outputs_of(session, wanted)
    made = [
        (row, meanings.of_score(score, row, whole[row.ref].output if row.ref in whole else None))
        for row, score in linked
    ]
    new = [(row, NewSignal(signal, 0)) for row, each in made for signal in each.signals]
    for row, ids in _by_trace(new).items():
        session.tx.signals.remove(row.day, row.trace_id, ids)
    put_beside(session, new, texts)
    session.tx.evidence.add_suggestions(
        [(row.ref, each.suggestion) for row, each in made if each.suggestion is not None]
    )


def _by_trace(new: Iterable[tuple[TraceRow, NewSignal]]) -> dict[TraceRow, list[str]]:
    found: dict[TraceRow, list[str]] = {}
    for row, item in new:
        found.setdefault(row, []).append(item.signal.id)
    return found


def _changes_output(score: Score) -> bool:
    texts = {SignalKind.user_edit.value, SignalKind.implicit_copy_edit.value}
    return (
        score.correction is not None
        or score.type is ScoreType.correction
        or isinstance(score.value, str)
        or (score.name in texts)
    )


def _unmake(session: Session, linked: Iterable[tuple[TraceRow, Score]]) -> None:
    """Take back what scores had become."""
    for row, score in linked:
        session.tx.signals.remove(row.day, row.trace_id, own_ids(score))
        session.tx.evidence.remove_suggestion(row.ref, judge_of(score))
