"""From annotations to a label: agree, dispute or wait. The only way across."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from thumbwheel.domain.annotation import Annotation, Comparison, Dispute, Label, Settled, Verdict
from thumbwheel.domain.codebook import Codebook
from thumbwheel.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rubric owner decided about a dispute."""

    verdict: Verdict
    #: Ids of codebook categories; empty for a pass.
    categories: tuple[str, ...]
    decided_by: str
    codebook_version: int
    critique: str | None = None
    corrected_output: str | None = None


def check_annotation(annotation: Annotation, codebook: Codebook) -> None:
    """Refuse a judgement that cannot be one under this codebook. Raises `Invalid` naming the field."""
    _check_verdict(annotation.verdict, annotation.categories, codebook)
    if annotation.seconds is not None and not (isfinite(annotation.seconds) and annotation.seconds >= 0):
        raise Invalid("seconds are finite and not negative", field="seconds")


def check_decision(decision: Decision, codebook: Codebook) -> None:
    """Refuse a decision that cannot be one under this codebook. Raises `Invalid` naming the field."""
    _check_verdict(decision.verdict, decision.categories, codebook)


def standing(annotations: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """The latest annotation of each annotator that no other corrects, in order of time.

    `supersedes` counts before the clock, which may run behind on another
    machine, and only between annotations of one person: nobody else can take a
    judgement back.
    """
    latest: dict[str, Annotation] = {}
    everything = sorted(annotations, key=_moment)
    corrected = {(a.annotator, a.supersedes) for a in everything if a.supersedes != a.id}
    # Where corrections form a ring none of them is last, so the clock decides.
    open_ones = [a for a in everything if (a.annotator, a.id) not in corrected]
    for annotation in (*everything, *open_ones):
        latest[annotation.annotator] = annotation
    return tuple(sorted(latest.values(), key=_moment))


def settle(
    annotations: Iterable[Annotation], *, needed: int, new_id: str, now: datetime, supersedes: str | None = None
) -> Label | Dispute | None:
    """Settle one entry, or send it to the rubric owner, or wait for more (None).

    Two annotators agree when verdict and category set both match: the same
    verdict for different reasons is still a rubric that reads two ways. Only
    standing annotations count; their order does not matter. `new_id` and `now`
    become the label's or the dispute's; `supersedes` is the label it replaces
    when somebody took a judgement back.

    Raises `Invalid` when the annotations are of more than one entry.
    """
    voices = standing(annotations)
    if len(voices) < max(needed, 1):
        return None
    _one_entry(voices)
    if len({(voice.verdict, frozenset(voice.categories)) for voice in voices}) > 1:
        return Dispute(
            id=new_id,
            entry_id=voices[0].entry_id,
            trace_id=voices[0].trace_id,
            annotation_ids=tuple(voice.id for voice in voices),
            opened_at=now,
        )
    settled = Settled.single if len(voices) == 1 else Settled.agreed
    return replace(_label(voices, new_id=new_id, now=now), settled=settled, supersedes=supersedes)


def adjudicate(
    dispute: Dispute,
    annotations: Iterable[Annotation],
    decision: Decision,
    *,
    new_id: str,
    now: datetime,
    supersedes: str | None = None,
) -> Label:
    """The owner's decision as the label. It rests on every annotation of the dispute; all of them stay.

    What the owner leaves unsaid (critique, corrected answer, missing knowledge)
    is taken from the annotators whose verdict the decision confirms.

    Raises `Invalid` when the annotations are not those of the dispute.
    """
    heard = [annotation for annotation in annotations if annotation.id in dispute.annotation_ids]
    if {annotation.id for annotation in heard} != set(dispute.annotation_ids):
        raise Invalid("a dispute is decided on the annotations it was opened for", field="annotation_ids")
    voices = tuple(sorted(heard, key=_moment))
    _one_entry(voices)
    backers = [voice for voice in voices if voice.verdict is decision.verdict]
    return replace(
        _label(voices, new_id=new_id, now=now),
        verdict=decision.verdict,
        categories=decision.categories,
        settled=Settled.adjudicated,
        codebook_version=decision.codebook_version,
        decided_by=decision.decided_by,
        critique=decision.critique or _joined(voice.critique for voice in backers),
        corrected_output=decision.corrected_output or _first(voice.corrected_output for voice in backers),
        missing_knowledge=_joined(voice.missing_knowledge for voice in backers),
        supersedes=supersedes,
    )


def _label(voices: Sequence[Annotation], *, new_id: str, now: datetime) -> Label:
    """The label of voices that say the same; of one voice until the caller says how it was settled.

    It stands under the oldest codebook version among them, so that a revision
    which touches any of them quarantines it.
    """
    first = voices[0]
    return Label(
        id=new_id,
        entry_id=first.entry_id,
        trace_id=first.trace_id,
        verdict=first.verdict,
        categories=first.categories,
        settled=Settled.single,
        annotation_ids=tuple(voice.id for voice in voices),
        annotators=tuple(voice.annotator for voice in voices),
        codebook_version=min(voice.codebook_version for voice in voices),
        settled_at=now,
        critique=_joined(voice.critique for voice in voices),
        corrected_output=_first(voice.corrected_output for voice in voices),
        documents=_documents(voices),
        missing_knowledge=_joined(voice.missing_knowledge for voice in voices),
        comparison=_comparison(voices),
    )


def _check_verdict(verdict: Verdict, categories: Sequence[str], codebook: Codebook) -> None:
    """A failure names at least one category once the codebook has any (in open coding it has none).

    A pass names none: there is nothing to sort.
    """
    known = {category.id for category in codebook.categories}
    for index, category in enumerate(categories):
        if category not in known:
            raise Invalid(f"the codebook has no category {category[:64]!a}", field=f"categories.{index}")
    if len(set(categories)) < len(categories):
        raise Invalid("a category is named twice", field="categories")
    if verdict is Verdict.passed and categories:
        raise Invalid("a pass takes no category", field="categories")
    if verdict is Verdict.failed and known and not categories:
        raise Invalid("a failure needs at least one category", field="categories")


def _one_entry(voices: Sequence[Annotation]) -> None:
    if len({(voice.entry_id, voice.trace_id) for voice in voices}) > 1:
        raise Invalid("annotations of different entries cannot settle one", field="entry_id")


def _moment(annotation: Annotation) -> tuple[datetime, str]:
    return annotation.at, annotation.id


def _joined(texts: Iterable[str | None]) -> str | None:
    """What several people wrote, each once, in the order they wrote it."""
    return "\n\n".join(dict.fromkeys(text.strip() for text in texts if text and text.strip())) or None


def _first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text and text.strip()), None)


def _comparison(voices: Sequence[Annotation]) -> Comparison | None:
    """Which answer is better, where everybody who compared says the same; else it is left open."""
    said = {voice.comparison for voice in voices if voice.comparison}
    return said.pop() if len(said) == 1 else None


def _documents(voices: Sequence[Annotation]) -> dict[str, bool]:
    """The relevance of each document somebody judged; one they judge differently is left open."""
    votes: dict[str, set[bool]] = {}
    for voice in voices:
        for document, relevant in voice.documents.items():
            votes.setdefault(document, set()).add(relevant)
    return {document: vote.pop() for document, vote in votes.items() if len(vote) == 1}
