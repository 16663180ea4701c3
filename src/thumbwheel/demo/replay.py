"""Answers a reviewer could have given, replayed from what people recorded.

Only turning the wheel for a visitor uses this. The first reviewer says exactly
what was recorded; the second, needed for doubled entries, is simulated: the
recorded verdict, turned round with a known probability.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import Final, Literal, NotRequired, TypedDict

from thumbwheel.demo.corpus import RecordedVerdict, recorded_verdicts, texts
from thumbwheel.errors import NotHere

#: Chance that the simulated second reviewer turns a verdict round.
DISAGREEMENT: Final = 0.08
#: The critique of a simulated change of mind, so that nobody takes it for a person's.
SIMULATED: Final = "Simulated second reviewer: disagrees with the recorded verdict."
#: The longest quotation in a critique, in characters.
QUOTE: Final = 240


class Replayed(TypedDict):
    """One judgement in the fields of `POST /v1/annotations`."""

    verdict: Literal["pass", "fail"]
    categories: list[str]
    critique: str | None
    corrected_output: NotRequired[str]
    documents: NotRequired[dict[str, bool]]


def recorded_annotation(trace_id: str) -> Replayed:
    """What the people who judged this text said, as a first reviewer's annotation.

    HaluEval's annotators knew one question, so their failures are all category
    `hallucination`, with the marked span as the critique. Hand-written traces
    carry their author's verdict. Raises `NotHere` for any other trace.
    """
    verdict = _verdict(trace_id)
    replayed = Replayed(
        verdict="fail" if verdict.failed else "pass",
        categories=list(verdict.categories),
        critique=_critique(trace_id, verdict),
    )
    if verdict.corrected_output:
        replayed["corrected_output"] = verdict.corrected_output
    if verdict.documents:
        replayed["documents"] = dict(verdict.documents)
    return replayed


def second_annotation(trace_id: str, seed: int) -> Replayed:
    """A simulated second reviewer's annotation: the recorded one, or with chance `DISAGREEMENT` its opposite.

    Depends on `trace_id` and `seed` alone, so the same entry is answered alike
    whenever it is asked. Raises `NotHere` like `recorded_annotation`.
    """
    first = recorded_annotation(trace_id)
    digest = blake2b(f"{seed}|{trace_id}".encode(), digest_size=8).digest()
    if int.from_bytes(digest, "big") / 2**64 >= DISAGREEMENT:
        return first
    if first["verdict"] == "fail":
        return Replayed(verdict="pass", categories=[], critique=SIMULATED)
    return Replayed(verdict="fail", categories=["other"], critique=SIMULATED)


def _critique(trace_id: str, verdict: RecordedVerdict) -> str | None:
    if verdict.critique or not verdict.failed:
        return verdict.critique
    if not verdict.spans:
        return "Judged not factual or not verifiable; no span was marked."
    answer = " ".join(_answers()[trace_id].split())
    return " ".join(_remark(span, answer) for span in verdict.spans)


def _remark(span: str, answer: str) -> str:
    flat = " ".join(span.split())
    quoted = f"“{flat}”" if len(flat) <= QUOTE else f"“{flat[:QUOTE].rstrip()}…”"
    return f"Not factual or not verifiable: {quoted}" if flat in answer else f"Annotator's remark: {quoted}"


def _verdict(trace_id: str) -> RecordedVerdict:
    try:
        return _verdicts()[trace_id]
    except KeyError:
        raise NotHere(f"{trace_id} is no trace of the demo", field="trace_id") from None


@cache
def _verdicts() -> dict[str, RecordedVerdict]:
    return recorded_verdicts()


@cache
def _answers() -> dict[str, str]:
    return {text.trace_id: text.answer for text in texts()}
